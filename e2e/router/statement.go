package router

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A statement is a line of words and the indented ones under it.
type statement struct {
	line  int
	words []string
	under []*statement
}

// A rule says what a statement of these words means. In words "*" stands for
// any one and a last "..." for one or more; these are the arguments. A rule
// without meaning is for what is no parameter of IKE or IPsec.
type rule struct {
	words string
	mean  func(a []string) error
	under func(a []string) []rule
}

func (r rule) match(words []string) (args []string, ok bool) {
	pattern := strings.Fields(r.words)
	rest := pattern[len(pattern)-1] == "..."
	if len(words) < len(pattern) || !rest && len(words) > len(pattern) {
		return nil, false
	}
	for i, p := range pattern {
		switch {
		case p == "...":
			return append(args, words[i:]...), true
		case p == "*":
			args = append(args, words[i])
		case p != words[i]:
			return nil, false
		}
	}
	return args, true
}

// apply gives every statement the meaning of the first rule that matches it.
func apply(statements []*statement, rules []rule) error {
	for _, s := range statements {
		if err := s.apply(rules); err != nil {
			return err
		}
	}
	return nil
}

func (s *statement) apply(rules []rule) error {
	for _, w := range s.words {
		if i := strings.Index(w, "REPLACE-"); i >= 0 {
			return fmt.Errorf("line %d: %s is not replaced", s.line, w[i:])
		}
	}
	for _, r := range rules {
		a, ok := r.match(s.words)
		if !ok {
			continue
		}
		if r.mean != nil {
			if err := r.mean(a); err != nil {
				return fmt.Errorf("line %d: %w", s.line, err)
			}
		}
		if r.under != nil {
			return apply(s.under, r.under(a))
		}
		if len(s.under) > 0 {
			return s.under[0].unknown()
		}
		return nil
	}
	return s.unknown()
}

// beside are the statements under one that is no parameter of IKE or IPsec.
func beside([]string) []rule { return []rule{{words: "...", under: beside}} }

// split moves the words from the nth on into a statement under the others.
func (s *statement) split(n int) *statement {
	return &statement{s.line, s.words[:n], []*statement{{s.line, s.words[n:], s.under}}}
}

// unknown shows the words up to a key.
func (s *statement) unknown() error {
	end := slices.IndexFunc(s.words, func(w string) bool { return strings.HasSuffix(w, "key") || w == "ascii-text" })
	if end < 0 || end == len(s.words)-1 {
		return fmt.Errorf("line %d: unknown statement %q", s.line, strings.Join(s.words, " "))
	}
	return fmt.Errorf("line %d: unknown statement %q and a key", s.line, strings.Join(s.words[:end+1], " "))
}

// ciscoStatements reads lines nested by their indentation. A "!" line is a
// comment, a "?" asks for help where it is typed or pasted, and a blank at the
// end would become part of a key.
func ciscoStatements(text string) ([]*statement, error) {
	type level struct {
		indent int
		of     *statement
	}
	root := &statement{}
	open := []level{{-1, root}}
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "!") {
			continue
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r == '?' || r > unicode.MaxASCII || unicode.IsControl(r) }) ||
			strings.HasSuffix(line, " ") {
			return nil, fmt.Errorf("line %d: a character that cannot be pasted", i+1)
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		for open[len(open)-1].indent >= indent {
			open = open[:len(open)-1]
		}
		s := &statement{line: i + 1, words: words}
		parent := open[len(open)-1].of
		if len(parent.under) > 0 && len(open) > 1 && indent != open[len(open)-1].indent+1 || len(open) == 1 && indent > 0 {
			return nil, fmt.Errorf("line %d: indented by %d", i+1, indent)
		}
		parent.under = append(parent.under, s)
		open = append(open, level{indent, s})
	}
	return root.under, nil
}

// What a rule does with its last argument.

func text(p *string) func([]string) error {
	return func(a []string) error { *p = a[len(a)-1]; return nil }
}

func number(p *int, low, high int) func([]string) error {
	return func(a []string) (err error) { *p, err = within(a[len(a)-1], low, high); return }
}

func within(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%s is not a number of %d to %d", s, low, high)
	}
	return n, nil
}

func word(p *string, table map[string]string) func([]string) error {
	return func(a []string) (err error) { *p, err = lookup(table, a[len(a)-1]); return }
}

func words(p *[]string, table map[string]string) func([]string) error {
	return func(a []string) error {
		*p = nil
		for _, w := range a {
			found, err := lookup(table, w)
			if err != nil {
				return err
			}
			*p = append(*p, found)
		}
		return nil
	}
}

func lookup(table map[string]string, w string) (string, error) {
	if found, ok := table[w]; ok {
		return found, nil
	}
	return "", fmt.Errorf("%s is not a word of the device", w)
}

func set[T any](p *T, v T) func([]string) error {
	return func([]string) error { *p = v; return nil }
}

func address(p *string) func([]string) error {
	return func(a []string) error {
		addr, err := netip.ParseAddr(a[len(a)-1])
		*p = addr.String()
		return err
	}
}

func secret(p *[]byte) func([]string) error {
	return func(a []string) error { *p = []byte(a[len(a)-1]); return nil }
}

func hexSecret(p *[]byte) func([]string) error {
	return func(a []string) (err error) {
		if *p, err = hex.DecodeString(a[len(a)-1]); err != nil {
			return fmt.Errorf("the key is not in hexadecimal")
		}
		return nil
	}
}

// objects are what the device knows by name.
type objects[T any] struct {
	kind  string
	all   map[string]*T
	order []string
	used  map[string]bool
}

// named is the object of a name, made from fresh if it is the first time.
func (o *objects[T]) named(name string, fresh T) *T {
	if o.all == nil {
		o.all, o.used = map[string]*T{}, map[string]bool{}
	}
	if o.all[name] == nil {
		o.all[name] = &fresh
		o.order = append(o.order, name)
	}
	return o.all[name]
}

func (o *objects[T]) exists(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("no %s is named", o.kind)
	case o.all[name] == nil:
		return fmt.Errorf("%s %s is not configured", o.kind, name)
	}
	return nil
}

// refer finds what a reference means.
func (o *objects[T]) refer(name string) (*T, error) {
	if err := o.exists(name); err != nil {
		return nil, err
	}
	o.used[name] = true
	return o.all[name], nil
}

// unused is an error if nothing refers to an object: its name or the reference
// is wrong.
func (o *objects[T]) unused() error {
	for _, name := range o.order {
		if !o.used[name] {
			return fmt.Errorf("%s %s is not used", o.kind, name)
		}
	}
	return nil
}

// first is the first error of the checks.
func first(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// at is the object of a number, made from fresh if it is the first time.
func at[T any](all map[int]*T, number string, fresh T) *T {
	n, _ := strconv.Atoi(number)
	if all[n] == nil {
		all[n] = &fresh
	}
	return all[n]
}

// numbered is a rule's check of the number of an object.
func numbered(low, high int) func([]string) error {
	return func(a []string) error { _, err := within(a[len(a)-1], low, high); return err }
}

// sorted lists the numbers of a map's entries.
func sorted[T any](all map[int]*T) []int {
	var numbers []int
	for n := range all {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers
}

// identity is an identity in strongSwan's words: @name is an FQDN, @#hex a
// KEY_ID, user@host and an address stand for themselves.
func identity(kind, value string) string {
	switch kind {
	case "fqdn":
		return "@" + value
	case "key-id":
		return "@#" + hex.EncodeToString([]byte(value))
	}
	return value
}

// accepted is what matches an address and its mask; all of a mask is one host.
func accepted(addr, mask string) (string, error) {
	p, err := prefix(addr, mask)
	if err == nil && !p.IsSingleIP() {
		return p.String(), nil
	}
	return addr, err
}

// port reads the name of an interface: letters, and the numbers of slots, port
// and unit.
func port(p *string) func([]string) error {
	return func(a []string) error {
		if *p = a[len(a)-1]; !regexp.MustCompile(`^[A-Za-z]+-?[0-9][0-9/.:]*$`).MatchString(*p) {
			return fmt.Errorf("%s is no interface", *p)
		}
		return nil
	}
}

// prefix is a network by its address and subnet mask.
func prefix(addr, mask string) (netip.Prefix, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.Prefix{}, err
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return netip.Prefix{}, fmt.Errorf("%s is not a mask", mask)
	}
	bits := 0
	for rest := m.AsSlice(); bits < 32 && rest[bits/8]<<(bits%8)&0x80 != 0; bits++ {
	}
	if p, _ := netip.MustParseAddr("255.255.255.255").Prefix(bits); p.Addr() != m {
		return netip.Prefix{}, fmt.Errorf("%s is not a mask", mask)
	}
	return a.Prefix(bits)
}

// name joins words to a name of letters, digits and hyphens.
func name(words ...string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '-'
	}, strings.Join(words, "-"))
}

// offers are proposals in their order, each once.
type offers []string

func (o *offers) add(parts ...string) {
	offer := strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "-")
	if !slices.Contains(*o, offer) {
		*o = append(*o, offer)
	}
}

func (o offers) String() string { return strings.Join(o, ",") }

// suite is a proposal's transforms. A PRF is of the integrity algorithm unless
// it is said otherwise.
type suite struct{ encryption, integrity, prf, groups []string }

func (s suite) complete() error {
	switch {
	case len(s.encryption) == 0:
		return fmt.Errorf("no encryption")
	case len(s.integrity) == 0:
		return fmt.Errorf("no integrity")
	case len(s.groups) == 0:
		return fmt.Errorf("no group")
	}
	return nil
}

func (s suite) parts() []string {
	parts := slices.Concat(s.encryption, s.integrity)
	if !slices.Equal(s.prf, s.integrity) {
		for _, p := range s.prf {
			parts = append(parts, "prf"+p)
		}
	}
	return append(parts, s.groups...)
}

// A transformSet is of one IPsec proposal.
type transformSet struct {
	encryption, integrity string
	transport             bool
}

// modp are the Diffie-Hellman groups by their number at IANA.
var modp = map[string]string{
	"1": "modp768", "2": "modp1024", "5": "modp1536", "14": "modp2048", "15": "modp3072", "16": "modp4096",
	"19": "ecp256", "20": "ecp384", "21": "ecp521", "24": "modp2048s256",
}

// group reads a group written groupN.
func group(p *string) func([]string) error {
	return func(a []string) (err error) {
		n, ok := strings.CutPrefix(a[len(a)-1], "group")
		if !ok {
			return fmt.Errorf("%s is not a group", a[len(a)-1])
		}
		*p, err = lookup(modp, n)
		return err
	}
}

// anywhere is what an interface that takes all traffic proposes.
func anywhere() []Selector {
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	return []Selector{{all, all}}
}
