package render

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A table of statements, testdata/TARGET.statements, lists what a device
// documents, so that a rendered line is held to the vendor and not to our own
// template. A statement stands under the one that opens its mode, indented by
// one blank more. Its words are
//
//	lifetime      itself
//	(a|b)         one of them, of one word or several
//	[a]           a or nothing
//	a...          one or several
//	<120-86400>   a number in that range
//	<name:31>     a word of that type, at most 31 characters; types are below
//	<name=acl>    a name that this statement gives to an acl
//	<name@acl>    the name of an acl that some statement gives
//
// A statement that begins with ~ is a documented alternative; one that does
// not has to be in some golden.
type statement struct {
	text        string
	alternative bool
	used        bool
	variants    [][]string // the words, options taken and left
	mode        []*statement
}

// fault is a line that the device does not document.
type fault struct {
	line int
	why  string
}

func (f fault) String() string { return fmt.Sprintf("line %d: %s", f.line, f.why) }

// TestStatements holds every golden of a Cisco or Juniper target to its table.
func TestStatements(t *testing.T) {
	for _, d := range dialects {
		if !hasStatements(d) {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			table := statements(t, d.Name)
			var goldens []string
			for _, dir := range []string{"../golden/", "../golden/removal/"} {
				found, err := filepath.Glob(dir + d.Name + "/*.golden")
				if err != nil || len(found) == 0 {
					t.Fatalf("%d goldens, %v", len(found), err)
				}
				goldens = append(goldens, found...)
			}
			for _, golden := range goldens {
				for _, f := range table.check(read(t, golden), d.Comment) {
					t.Errorf("%s: %s", golden, f)
				}
			}
			for _, unused := range table.dead("") {
				t.Errorf("no golden has %q: mark it with ~ if the device documents it", unused)
			}
			wrong(t, d, table)
		})
	}
}

// hasStatements: what no parser on a build machine can read.
func hasStatements(d *Dialect) bool {
	return strings.HasPrefix(d.Name, "cisco-") || strings.HasPrefix(d.Name, "juniper-")
}

// wrong proves that the check fails: each line of TARGET.wrong that follows a
// comment "wrong: WHY" is a fault for that reason, and no other line is.
func wrong(t *testing.T, d *Dialect, table *statement) {
	text := read(t, "testdata/"+d.Name+".wrong")
	want := map[int]string{}
	for i, line := range strings.Split(text, "\n") {
		if why, ok := strings.CutPrefix(line, d.Comment+" wrong: "); ok {
			want[i+2] = why
		}
	}
	if len(want) < 5 {
		t.Errorf("only %d wrong lines", len(want))
	}
	for _, f := range table.check(text, d.Comment) {
		if why, ok := want[f.line]; !ok || !strings.Contains(f.why, why) {
			t.Errorf("%s.wrong: %s; want %q", d.Name, f, why)
		}
		delete(want, f.line)
	}
	for line, why := range want {
		t.Errorf("%s.wrong: line %d passes, though %s", d.Name, line, why)
	}
}

func read(t *testing.T, path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// statements reads a table. The root's mode is what may stand at the margin.
func statements(t *testing.T, target string) *statement {
	open := []*statement{{}}
	for i, line := range strings.Split(read(t, "testdata/"+target+".statements"), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		text := strings.TrimLeft(line, " ")
		depth := len(line) - len(text)
		if depth >= len(open) {
			t.Fatalf("%s.statements:%d stands under nothing", target, i+1)
		}
		s := &statement{alternative: text[0] == '~', text: strings.TrimPrefix(text, "~")}
		s.variants = variants(s.text)
		open[depth].mode = append(open[depth].mode, s)
		open = append(open[:depth+1], s)
	}
	return open[0]
}

// variants spells out the options of a statement, and its choices between
// several words; a choice between single words stays one.
func variants(text string) [][]string {
	start := strings.IndexFunc(text, func(r rune) bool { return r == '[' || r == '(' })
	if start < 0 {
		return [][]string{strings.Fields(text)}
	}
	end := closing(text, start)
	inside, rest := text[start+1:end], variants(text[end+1:])
	var middles []string
	switch {
	case text[start] == '[':
		middles = []string{"", inside}
	case strings.Contains(inside, " "):
		middles = strings.Split(inside, "|")
	default:
		before := strings.Fields(text[:start])
		var out [][]string
		for _, r := range rest {
			word := text[start : end+1]
			if strings.HasPrefix(text[end+1:], "...") {
				word, r = word+"...", r[1:]
			}
			out = append(out, slices.Concat(before, []string{word}, r))
		}
		return out
	}
	var out [][]string
	for _, middle := range middles {
		for _, m := range variants(middle) {
			for _, r := range rest {
				out = append(out, slices.Concat(strings.Fields(text[:start]), m, r))
			}
		}
	}
	return out
}

func closing(text string, start int) int {
	depth := 0
	for i := start; i < len(text); i++ {
		switch text[i] {
		case '[', '(':
			depth++
		case ']', ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	panic("no end of a bracket in " + text)
}

// check returns the lines of a configuration that the table does not have, and
// the names that none of its statements gives.
func (s *statement) check(config, comment string) []fault {
	var faults []fault
	given, taken := map[string]bool{}, map[string]int{}
	open := []*statement{s}
	for i, line := range strings.Split(config, "\n") {
		if line == "" || strings.HasPrefix(line, comment) {
			continue
		}
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if depth >= len(open) {
			depth = len(open) - 1
		}
		if open[depth] == nil {
			continue // the statement that opens the mode is a fault
		}
		found, names, why := open[depth].find(words(line))
		if why != "" {
			faults = append(faults, fault{i + 1, why})
		}
		for _, n := range names {
			if name, is := strings.CutPrefix(n, "="); is {
				given[name] = true
			} else if taken[n] == 0 {
				taken[n] = i + 1
			}
		}
		open = append(open[:depth+1], found)
	}
	for n, line := range taken {
		if !given[n[1:]] {
			kind, name, _ := strings.Cut(n[1:], " ")
			faults = append(faults, fault{line, fmt.Sprintf("no %s is called %s", kind, name)})
		}
	}
	slices.SortFunc(faults, func(a, b fault) int { return a.line - b.line })
	return faults
}

// words splits a line at blanks outside of double quotes.
func words(line string) []string {
	return wordOrQuoted.FindAllString(line, -1)
}

var wordOrQuoted = regexp.MustCompile(`"[^"]*"|[^ ]+`)

// find looks a line up among the statements of a mode, or says why it is not
// there. What takes a statement away again may end early.
func (s *statement) find(words []string) (found *statement, names []string, why string) {
	removal := removed(words)
	deepest, wanted := 0, []string{}
	for _, c := range s.mode {
		for _, v := range c.variants {
			depth, want, names := match(v, words)
			if want == "" {
				c.used = true
				return c, names, ""
			}
			if taken, _, _ := match(v, removal); len(removal) > 0 && taken == len(removal) {
				return c, nil, ""
			}
			if depth > deepest {
				deepest, wanted = depth, nil
			}
			if depth == deepest && !slices.Contains(wanted, want) {
				wanted = append(wanted, want)
			}
		}
	}
	want := strings.Join(wanted, " or ")
	switch {
	case deepest == 0 && s.text == "":
		return nil, nil, "no such statement"
	case deepest == 0:
		return nil, nil, "no such statement in " + s.text
	case deepest == len(words):
		return nil, nil, "nothing where " + want + " is wanted"
	case strings.Contains(want, "<key"):
		return nil, nil, "another word where " + want + " is wanted" // it may be a key
	}
	return nil, nil, fmt.Sprintf("%q where %s is wanted", words[deepest], want)
}

// removed is the statement that a line takes away, or nothing.
func removed(line []string) []string {
	switch line[0] {
	case "no":
		return line[1:]
	case "delete":
		return append([]string{"set"}, line[1:]...)
	}
	return nil
}

// match follows a statement's words along a line's. It returns how many of the
// line's fit, what is wanted next ("" for nothing: the line is the statement),
// and the names given (=kind name) and taken (@kind name).
func match(statement, line []string) (depth int, wanted string, names []string) {
	for _, want := range statement {
		want, several := strings.CutSuffix(want, "...")
		for first := true; first || several && depth < len(line); first = false {
			if want == "<text>" && depth < len(line) {
				return len(line), "", names
			}
			if depth == len(line) || !fits(want, line[depth]) {
				return depth, nameOf.ReplaceAllString(want, ">"), nil
			}
			if kind := nameOf.FindString(want); kind != "" {
				names = append(names, strings.TrimSuffix(kind, ">")+" "+line[depth])
			}
			depth++
		}
	}
	if depth < len(line) {
		return depth, "nothing more", nil
	}
	return depth, "", names
}

var nameOf = regexp.MustCompile(`[=@][a-z0-9-]+>`)

func fits(want, word string) bool {
	if inside, ok := strings.CutPrefix(want, "("); ok {
		return slices.ContainsFunc(strings.Split(strings.TrimSuffix(inside, ")"), "|"), func(w string) bool { return fits(w, word) })
	}
	before, kind, ok := strings.Cut(want, "<")
	if !ok {
		return want == word
	}
	word, ok = strings.CutPrefix(word, before)
	return ok && typed(strings.TrimSuffix(nameOf.ReplaceAllString(kind, ""), ">"), word)
}

// typed tells whether a word is of a type, which may hold a range or a length.
// A REPLACE- word stands for any.
func typed(kind, word string) bool {
	if strings.HasPrefix(strings.Trim(word, `"`), "REPLACE-") {
		return true
	}
	if low, high, ok := strings.Cut(kind, "-"); ok {
		min, _ := strconv.Atoi(low)
		max, _ := strconv.Atoi(high)
		n, err := strconv.Atoi(word)
		return err == nil && strconv.Itoa(n) == word && n >= min && n <= max
	}
	kind, longest, limited := strings.Cut(kind, ":")
	if n, _ := strconv.Atoi(longest); limited && len(strings.Trim(word, `"`)) > n {
		return false
	}
	is, ok := types[kind]
	if !ok {
		panic("no type <" + kind + ">")
	}
	return is(word)
}

var types = map[string]func(string) bool{
	"ip":  func(w string) bool { a, err := netip.ParseAddr(w); return err == nil && a.Is4() },
	"ip6": func(w string) bool { a, err := netip.ParseAddr(w); return err == nil && a.Is6() },
	"prefix6": func(w string) bool {
		p, err := netip.ParsePrefix(w)
		return err == nil && p == p.Masked() && p.Addr().Is6()
	},
	"cidr":      func(w string) bool { _, err := netip.ParsePrefix(w); return err == nil },
	"prefix":    func(w string) bool { p, err := netip.ParsePrefix(w); return err == nil && p == p.Masked() },
	"mask":      func(w string) bool { m, ok := dotted(w); return ok && contiguous(m) },
	"wildcard":  func(w string) bool { m, ok := dotted(w); return ok && contiguous(^m) },
	"name":      regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`).MatchString,
	"nameif":    regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`).MatchString,
	"nameifs":   regexp.MustCompile(`^\([A-Za-z][A-Za-z0-9_./-]*,[A-Za-z][A-Za-z0-9_./-]*\)$`).MatchString,
	"fqdn":      regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`).MatchString,
	"email":     regexp.MustCompile(`^[^@" ]+@[A-Za-z0-9.-]+$`).MatchString,
	"interface": regexp.MustCompile(`^[A-Z][A-Za-z-]*[0-9]+(/[0-9]+)*(\.[0-9]+)?$`).MatchString,
	"unit":      regexp.MustCompile(`^[a-z]+[0-9/-]*\.[0-9]+$`).MatchString,
	"key":       regexp.MustCompile(`^[!-~]+$`).MatchString,
	"keyhex":    regexp.MustCompile(`^([0-9a-f]{2})+$`).MatchString,
	"keytext":   regexp.MustCompile(`^"[^"]+"$`).MatchString,
	"quoted":    regexp.MustCompile(`^"[^"]+"$`).MatchString,
}

func dotted(w string) (uint32, bool) {
	a, err := netip.ParseAddr(w)
	if err != nil || !a.Is4() {
		return 0, false
	}
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), true
}

// contiguous: ones, then zeros.
func contiguous(mask uint32) bool { return ^mask&(^mask+1) == 0 }

// dead are the statements that nothing has used and that are no alternative.
func (s *statement) dead(under string) []string {
	var out []string
	for _, c := range s.mode {
		if !c.used && !c.alternative {
			out = append(out, under+c.text)
		}
		out = append(out, c.dead(under+c.text+" / ")...)
	}
	return out
}
