// Package render says a connection in the words of a customer's device. A
// dialect's table holds the words, the normalizer looks them up, a template
// prints them. What a device cannot say is refused with a reason.
package render

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"peerconf/templates"
	"peerconf/vpn"
)

// Renderer renders connections for some targets. It is not safe for use by
// several goroutines: answers that count and names already taken are its state.
type Renderer struct {
	targets []prepared
	options Options
	run     run
}

// Options are what the operator says beside the targets. Answers are
// device-local values by name, or by name.1 and name.2 for one tunnel.
type Options struct {
	Set      map[string]vpn.Given                      // go before any other
	Defaults map[string]vpn.Given                      // give way to any other
	Own      func(vpn.Connection) map[string]vpn.Given // of one connection; may be nil
	Region   string                                    // the connections are in, where it is known
	Strict   bool                                      // warnings and values not answered are refused

	// Remove asks for what takes the configurations off the devices again. It
	// names what is made of the same connections and answers; as it holds no
	// key and no algorithm, nothing about those refuses it.
	Remove bool

	// Tunnel asks for one tunnel of connections with two, for the device that
	// has it; 0 is for both.
	Tunnel int

	// Hierarchical asks for the other form of a configuration that has two.
	Hierarchical bool
}

type prepared struct {
	Target
	files   []program
	text    []*bytes.Buffer // of each file, used again for every connection
	answers *answers

	// What is taken, as sums: a run may have any number of connections.
	names map[uint64]bool   // of objects: whether it has two tunnels
	keys  map[uint64]uint64 // by the two addresses a tunnel joins; the lowest bit tells of 0.0.0.0/0
	peers map[uint64]string // Peering, likewise
	ids   map[uint64]bool   // of the cloud's ends, where they have to be apart
}

// Output is one file of a connection's configuration.
type Output struct {
	Target string // the target's name, without a version
	Name   string // the file's name
	Text   []byte // until the next Render
}

// functionMap holds the functions templates may use, of sprig's.
var functionMap = template.FuncMap{"join": sprig.HermeticTxtFuncMap()["join"]}

// New prepares rendering for targets, each as ParseTarget reads it.
func New(targets []string, options Options) (*Renderer, error) {
	r := &Renderer{options: options}
	all, err := parseTargets(targets, options)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		p := prepared{Target: t, answers: newAnswers(options.Set, options.Defaults), names: map[uint64]bool{}, keys: map[uint64]uint64{}, peers: map[uint64]string{}, ids: map[uint64]bool{}}
		for _, f := range t.files() {
			p.files, p.text = append(p.files, compile(f.Template)), append(p.text, &bytes.Buffer{})
		}
		r.targets = append(r.targets, p)
	}
	if problems := append(checkAnswers(all, options.Set), checkAnswers(all, options.Defaults)...); problems != nil {
		return nil, problems
	}
	r.run = run{all, options.Region, options.Strict}
	return r, nil
}

// parseTargets reads a run's targets, or says all that is wrong with them.
func parseTargets(targets []string, options Options) ([]Target, error) {
	var all []Target
	var problems vpn.Problems
	refuse := func(field, value, reason, hint string) {
		problems = append(problems, vpn.Problem{Field: field, Value: value, Reason: reason, Hint: hint})
	}
	for _, s := range targets {
		t, err := ParseTarget(s)
		var problem vpn.Problem
		if errors.As(err, &problem) {
			problems = append(problems, problem)
			continue
		}
		if slices.ContainsFunc(all, func(other Target) bool { return other.Name == t.Name }) {
			refuse("--target", s, "named twice", "name each target once")
		}
		t.removes, t.hierarchical = options.Remove, options.Hierarchical
		switch {
		case t.hierarchical && t.Hierarchical == nil:
			refuse("--hierarchical", s, "its configuration has one form only", "leave --hierarchical out, or render "+s+" by itself without")
		case t.hierarchical && t.removes:
			refuse("--hierarchical", s, "a removal is delete commands, which have no other form", "leave --hierarchical out with --remove")
		}
		all = append(all, t)
	}
	return all, unique(problems).OrNil()
}

// load reads a template with those it nests. That they parse is tested, so a
// failure is a bug.
func load(name string) *template.Template {
	return template.Must(template.New(name).Funcs(functionMap).Option("missingkey=error").ParseFS(templates.FS, name, "header.tmpl", "firewall.tmpl", "updown.tmpl", "frr.remove.tmpl"))
}

// compile loads a template and compiles it, once.
func compile(name string) program {
	if p, ok := compiled.Load(name); ok {
		return p.(program)
	}
	p := compileFor(load(name), reflect.TypeFor[View]())
	compiled.Store(name, p)
	return p
}

var compiled sync.Map // name to program

// Render returns the files of one connection for every target, and warnings of
// what the operator still has to fill in, each once a run. If any target refuses, the error is
// a vpn.Problems with all refusals and there are no files.
func (r *Renderer) Render(c vpn.Connection) ([]Output, []string, error) {
	var views []View
	var problems vpn.Problems
	var warnings []string
	part, others, err := partOf(&c, r.options.Tunnel)
	if err != nil {
		return nil, nil, err
	}
	var own map[string]vpn.Given
	if r.options.Own != nil {
		own = r.options.Own(c)
		if problems := checkAnswers(r.run.targets, own); problems != nil {
			return nil, nil, problems
		}
	}
	for _, p := range r.targets {
		n := normalizer{target: p.Target, run: r.run, answers: p.answers, own: own, conn: c, part: part, others: others}
		view, refused := n.normalize()
		problems = append(problems, append(refused, p.claim(view, c)...)...)
		warnings = append(warnings, n.warnings...)
		views = append(views, view)
	}
	if problems != nil {
		return nil, warnings, unique(problems)
	}
	var out []Output
	for i, p := range r.targets {
		out = append(out, p.print(views[i])...)
	}
	return out, warnings, nil
}

func (p prepared) print(v View) []Output {
	var out []Output
	for i, f := range p.Target.files() {
		if !f.of(v.conn) {
			continue
		}
		v.Notes = f.notes(v.Name, v.Routed)
		if i > 0 {
			v.Warnings, v.Notices = nil, nil // said in the first file
		}
		text := p.text[i]
		text.Reset()
		p.files[i].run(text, reflect.ValueOf(&v).Elem())
		written := text.Bytes()
		if f.Form != nil {
			written = f.Form(written)
		}
		out = append(out, Output{p.Target.Name, v.Name + f.Suffix, written})
	}
	return out
}

// claim takes the names and the address pairs of a connection: on one device no
// two connections may share a name, or join the same addresses with two keys,
// twice for all traffic, or as the device's object for a peer has it otherwise,
// and on some none may share an identity of the cloud's.
func (p prepared) claim(v View, c vpn.Connection) (out vpn.Problems) {
	refuse := func(field, value, reason, hint string) {
		out = append(out, vpn.Problem{Connection: c.Title(), Target: p.Target.String(), Field: field, Value: value, Reason: reason, Hint: hint})
	}
	const apart = "render them one by one, each with its own --name, or drop one reply"
	for i, t := range v.Tunnels {
		ends := t.PeerAddress + " and " + t.CloudAddress
		own, whole := sum(c.Tunnels[i].PSK.Reveal())&^1, uint64(0)
		if c.RouteBased() {
			whole = 1
		}
		other, taken := p.keys[sum(ends)]
		if taken && other&^1 != own && !p.removes {
			refuse("addresses", ends, "another connection of this run joins them with another key, and a device finds keys by address", apart)
		}
		if !p.removes && other&whole == 1 && c.Tunnels[i].PeerAddress.Word == "" && c.Tunnels[i].CloudAddress.Word == "" {
			refuse("addresses", ends, "another connection of this run joins them with 0.0.0.0/0 on both sides, and a device cannot tell the two apart",
				"drop one reply, or give the connections the subnets of both sides")
		}
		p.keys[sum(ends)] = own | whole | other&1
		if p.Peering == nil || p.removes {
			continue
		}
		says := p.Peering.Of(c.Tunnels[i])
		if other, taken := p.peers[sum(ends)]; taken && other != says {
			refuse("addresses", ends, p.Peering.Reason, "set both connections alike")
		}
		p.peers[sum(ends)] = says
	}
	if v.BGP && !p.removes {
		p.claimBGP(v, refuse)
	}
	if p.Apart != "" && !p.removes {
		out = append(out, p.claimIDs(v, c)...)
	}
	if !p.removes && v.RouteBased {
		p.claimRoutes(v, refuse)
	}
	if taken := p.claimName(strings.ToLower(v.Name), v.Dual); taken { // case is no difference to a nameif, or to some file systems
		refuse("name", v.Name, "another connection of this run has it, or this one is in two replies", apart)
	}
	return out
}

// claimName takes a connection's name, and with two tunnels theirs, which are
// that with -1 and -2, without an entry each.
func (p prepared) claimName(name string, dual bool) (taken bool) {
	_, taken = p.names[sum(name)]
	base, number := name[:max(0, len(name)-2)], name[max(0, len(name)-2):]
	if number == "-1" || number == "-2" {
		taken = taken || p.names[sum(base)]
	}
	if dual {
		_, first := p.names[sum(name+"-1")]
		_, second := p.names[sum(name+"-2")]
		taken = taken || first || second
	}
	p.names[sum(name)] = dual
	return taken
}

// claimBGP takes a device's AS number and the networks inside its tunnels. Two
// tunnels of one connection are vpn.Check's.
func (p prepared) claimBGP(v View, refuse func(field, value, reason, hint string)) {
	as := sum("router bgp@" + v.Tunnels[0].PeerAddress)
	if own, taken := p.keys[as]; taken && own != sum(v.PeerASN) {
		refuse("PeerAsn", v.PeerASN, "another connection of this run has another on the same device, which has one", "give both customer gateways the device's AS number")
	}
	p.keys[as] = sum(v.PeerASN)
	var networks []uint64
	for _, t := range v.Tunnels {
		network := sum(t.InsidePrefix + "@" + t.PeerAddress)
		if p.names[network] {
			refuse("TunnelCidr", t.InsidePrefix, "another connection of this run has it on the same device", "give one of them another TunnelCidr")
		}
		networks = append(networks, network)
	}
	for _, n := range networks {
		p.names[n] = true
	}
}

// claimIDs takes the cloud's identities. Another peer is another device.
func (p prepared) claimIDs(v View, c vpn.Connection) (out vpn.Problems) {
	var own []uint64
	for _, g := range v.Groups {
		for _, id := range g.CloudIdentities {
			key := sum(fmt.Sprint(g.First.PeerAddress, g.First.IKEv1, id))
			if p.ids[key] && !strings.Contains(id, "REPLACE-") {
				out = append(out, vpn.Problem{Connection: c.Title(), Target: p.Target.String(), Field: "the cloud's identity", Value: id,
					Reason: "another connection of this run expects it too, and " + p.Apart, Hint: "set LocalId of each connection to a name of its own"})
			}
			own = append(own, key)
		}
	}
	for _, key := range own {
		p.ids[key] = true
	}
	return out
}

func sum(s string) uint64 { return maphash.String(seed, s) }

var seed = maphash.MakeSeed()

// notes tell what to do with a file.
func (f File) notes(name string, routed bool) []string {
	said := f.Note
	if routed && f.Routed != "" {
		said = append(slices.Clip(said), f.Routed)
	}
	var out []string
	for _, note := range said {
		out = append(out, strings.ReplaceAll(note, "%[1]s", name+f.Suffix))
	}
	return out
}

// unique drops refusals that every target has alike.
func unique(problems vpn.Problems) vpn.Problems {
	var out vpn.Problems
	for _, p := range problems {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func checksum(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Several tells whether there is more than one target.
func (r *Renderer) Several() bool { return len(r.targets) > 1 }

// FilesPerConnection is how many files every connection becomes. Some become
// more.
func (r *Renderer) FilesPerConnection() (n int) {
	for _, t := range r.targets {
		for _, f := range t.Target.files() {
			if f.When == nil {
				n++
			}
		}
	}
	return n
}
