// Package render says a connection in the words of a customer's device. A
// dialect's table holds the words, the normalizer looks them up, a template
// prints them. What a device cannot say is refused with a reason.
package render

import (
	"bytes"
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
}

type prepared struct {
	Target
	files   []program
	text    []*bytes.Buffer // of each file, used again for every connection
	answers *answers

	// What is taken, as sums: a run may have any number of connections.
	names map[uint64]bool   // of objects
	keys  map[uint64]uint64 // by the two addresses a tunnel joins
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
	var all []Target
	for _, s := range targets {
		t, err := ParseTarget(s)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(other Target) bool { return other.Name == t.Name }) {
			return nil, vpn.Problem{Field: "--target", Value: s, Reason: "named twice", Hint: "name each target once"}
		}
		all = append(all, t)
		p := prepared{Target: t, answers: newAnswers(options.Set, options.Defaults), names: map[uint64]bool{}, keys: map[uint64]uint64{}}
		for _, f := range t.Files {
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

// load reads a template with those it nests. That they parse is tested, so a
// failure is a bug.
func load(name string) *template.Template {
	return template.Must(template.New(name).Funcs(functionMap).Option("missingkey=error").ParseFS(templates.FS, name, "header.tmpl"))
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
	var own map[string]vpn.Given
	if r.options.Own != nil {
		own = r.options.Own(c)
		if problems := checkAnswers(r.run.targets, own); problems != nil {
			return nil, nil, problems
		}
	}
	for _, p := range r.targets {
		n := normalizer{target: p.Target, run: r.run, answers: p.answers, own: own, conn: c}
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
		out = append(out, p.print(views[i], c)...)
	}
	return out, warnings, nil
}

func (p prepared) print(v View, c vpn.Connection) []Output {
	var out []Output
	for i, f := range p.Files {
		if !f.of(c) {
			continue
		}
		v.Notes = f.notes(v.Name)
		if i > 0 {
			v.Warnings, v.Notices = nil, nil // said in the first file
		}
		text := p.text[i]
		text.Reset()
		p.files[i].run(text, reflect.ValueOf(&v).Elem())
		out = append(out, Output{p.Target.Name, v.Name + f.Suffix, text.Bytes()})
	}
	return out
}

// claim takes the names and the address pairs of a connection: on one device no
// two connections may share a name, or join the same addresses with two keys.
func (p prepared) claim(v View, c vpn.Connection) (out vpn.Problems) {
	refuse := func(field, value, reason string) {
		out = append(out, vpn.Problem{Connection: c.Title(), Target: p.Target.String(), Field: field, Value: value, Reason: reason,
			Hint: "render them one by one, each with its own --name, or drop one reply"})
	}
	names := []string{v.Name}
	for i, t := range v.Tunnels {
		if t.Name != v.Name {
			names = append(names, t.Name)
		}
		ends := t.PeerAddress + " and " + t.CloudAddress
		own := sum(c.Tunnels[i].PSK.Reveal())
		if key, taken := p.keys[sum(ends)]; taken && key != own {
			refuse("addresses", ends, "another connection of this run joins them with another key, and a device finds keys by address")
		}
		p.keys[sum(ends)] = own
	}
	if v.BGP {
		p.claimBGP(v, refuse)
	}
	for _, name := range names {
		if p.names[sum(name)] {
			refuse("name", name, "another connection of this run has it, or this one is in two replies")
			break
		}
		p.names[sum(name)] = true
	}
	return out
}

// claimBGP takes a device's AS number and the networks inside its tunnels. Two
// tunnels of one connection are vpn.Check's.
func (p prepared) claimBGP(v View, refuse func(field, value, reason string)) {
	as := sum("router bgp@" + v.Tunnels[0].PeerAddress)
	if own, taken := p.keys[as]; taken && own != sum(v.PeerASN) {
		refuse("PeerAsn", v.PeerASN, "another connection of this run has another on the same device, which has one")
	}
	p.keys[as] = sum(v.PeerASN)
	var networks []uint64
	for _, t := range v.Tunnels {
		network := sum(t.InsidePrefix + "@" + t.PeerAddress)
		if p.names[network] {
			refuse("TunnelCidr", t.InsidePrefix, "another connection of this run has it on the same device")
		}
		networks = append(networks, network)
	}
	for _, n := range networks {
		p.names[n] = true
	}
}

func sum(s string) uint64 { return maphash.String(seed, s) }

var seed = maphash.MakeSeed()

// notes tell what to do with a file.
func (f File) notes(name string) []string {
	var out []string
	for _, note := range f.Note {
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
		for _, f := range t.Files {
			if f.When == nil {
				n++
			}
		}
	}
	return n
}
