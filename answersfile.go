package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"peerconf/fetch"
	"peerconf/render"
	"peerconf/vpn"
)

// answersFile is what --answers names. The zero value is of a run without it.
type answersFile struct {
	path        string
	defaults    map[string]vpn.Given
	connections map[string]entry // by id or name
}

// entry is what a file says of one connection.
type entry struct {
	place     string
	device    map[string]vpn.Given
	addresses map[string]vpn.Given
	keys      map[string]vpn.Given // where they are, by psk-file[.N] and psk-env[.N]
}

// maxAnswers bounds the file: ten thousand connections need far less.
const maxAnswers = 8 << 20

// answersShape shows what a file of answers looks like.
const answersShape = "write defaults: and connections:, below connections: the id or name of each, below these NAME: VALUE"

func readAnswers(path string) (answersFile, error) {
	if path == "" {
		return answersFile{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return answersFile{}, err
	}
	defer f.Close()
	p := answersParser{file: answersFile{path: path, connections: map[string]entry{}}}
	text, err := io.ReadAll(io.LimitReader(f, maxAnswers+1))
	if err != nil {
		return answersFile{}, err
	}
	if len(text) > maxAnswers {
		p.refuse(0, "", "", fmt.Sprintf("larger than %d MiB", maxAnswers>>20))
		return answersFile{}, p.problems
	}
	p.parse(text)
	return p.file, p.problems.OrNil()
}

// answersParser walks the nodes of a YAML file. It decodes into no Go value, so
// on, 010 and 1e3 stay the words they are, and follows no alias.
type answersParser struct {
	file     answersFile
	problems vpn.Problems
}

func (p *answersParser) refuse(line int, field, value, reason string) {
	p.problems = append(p.problems, vpn.Problem{Source: p.place(line), Field: field, Value: value, Reason: reason, Hint: answersShape})
}

func (p *answersParser) place(line int) string {
	if line == 0 {
		return p.file.path
	}
	return p.file.path + ":" + strconv.Itoa(line)
}

var lineNumber = regexp.MustCompile(`line ([0-9]+)`)

func (p *answersParser) parse(text []byte) {
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return
	} else if err != nil {
		line := 0
		if found := lineNumber.FindStringSubmatch(err.Error()); found != nil {
			line, _ = strconv.Atoi(found[1])
		}
		p.refuse(line, "", "", "malformed YAML") // the library's words might repeat the text
		return
	}
	if !errors.Is(dec.Decode(&more), io.EOF) {
		p.refuse(more.Line, "", "", "a second document")
		return
	}
	p.members(doc.Content[0], func(key, value *yaml.Node) {
		switch key.Value {
		case "defaults":
			all := p.answers(value)
			p.file.defaults = all.device
			for _, said := range []map[string]vpn.Given{all.addresses, all.keys} {
				for _, name := range slices.Sorted(maps.Keys(said)) {
					p.problems = append(p.problems, vpn.Problem{Source: said[name].Place, Field: name,
						Reason: "speaks of one connection, and defaults are for all", Hint: "write it below connections:"})
				}
			}
		case "connections":
			p.members(value, func(key, value *yaml.Node) {
				e := p.answers(value)
				e.place = p.place(key.Line)
				p.file.connections[key.Value] = e
				p.problems = append(p.problems, known(e.device)...)
			})
		default:
			p.refuse(key.Line, key.Value, "", "unknown key")
		}
	})
}

// known refuses what no target takes. The value of an unknown answer is never
// repeated: it may be a key.
func known(device map[string]vpn.Given) vpn.Problems {
	problems := render.CheckAnswers(device)
	for i, p := range problems {
		if strings.HasPrefix(p.Hint, "want one of ") {
			problems[i].Hint += ", " + strings.Join(ofOne, ", ")
		}
	}
	return problems
}

// ofOne are the answers that no two connections share.
var ofOne = slices.Concat(fetch.Answers, keyAnswers)

// members calls f with each pair of a mapping.
func (p *answersParser) members(n *yaml.Node, f func(key, value *yaml.Node)) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value == "" {
		return // nothing below it
	}
	if n.Kind != yaml.MappingNode || n.Anchor != "" {
		p.refuse(n.Line, "", "", "not a mapping of names to values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !plain(key) || key.Value == "<<":
			p.refuse(key.Line, "", "", "a key that is no plain word")
		case seen[key.Value]:
			p.refuse(key.Line, key.Value, "", "stands there twice")
		default:
			seen[key.Value] = true
			f(key, value)
		}
	}
}

// plain tells whether a node is a word without alias, anchor or tag.
func plain(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 && n.Value != ""
}

func (p *answersParser) answers(n *yaml.Node) entry {
	e := entry{device: map[string]vpn.Given{}, addresses: map[string]vpn.Given{}, keys: map[string]vpn.Given{}}
	p.members(n, func(key, value *yaml.Node) {
		name, tunnel, numbered := strings.Cut(key.Value, ".")
		switch {
		case !plain(value):
			p.refuse(value.Line, key.Value, "", "not one plain value")
			return
		case numbered && tunnel != "1" && tunnel != "2":
			p.refuse(key.Line, key.Value, "", "no such tunnel: NAME.1 and NAME.2 are for one, NAME for both")
			return
		}
		into := e.device
		switch {
		case slices.Contains(fetch.Answers, name):
			into = e.addresses
		case slices.Contains(keyAnswers, name):
			into = e.keys
		}
		into[key.Value] = vpn.Given{Value: value.Value, Place: p.place(key.Line)}
	})
	return e
}

// of is the entry for a connection, by its id, its name, or what --name calls
// it. It is refused where two entries are for one connection.
func (f answersFile) of(c vpn.Connection) (e entry, found bool, err error) {
	for _, key := range []string{c.ID, c.Name, c.Label} {
		next, ok := f.connections[key]
		if !ok || key == "" || found && next.place == e.place {
			continue
		}
		if found {
			return entry{}, true, vpn.Problem{Source: next.place, Field: "connections", Value: key,
				Reason: "the same connection has an entry at " + e.place, Hint: "keep one of them, by id or by name"}
		}
		e, found = next, true
	}
	return e, found, nil
}

// device are the answers for a connection's device.
func (f answersFile) device(c vpn.Connection) map[string]vpn.Given {
	e, _, _ := f.of(c) // its error was reported by own
	return e.device
}

// own is what the file says to those who read the replies. A connection that
// it does not name, though it names others, is worth a warning: a name may be
// misspelt.
func (f answersFile) own(c vpn.Connection, strict bool, warn func(string)) (fetch.Own, error) {
	e, found, err := f.of(c)
	if err != nil {
		return fetch.Own{}, err
	}
	if !found && len(f.connections) > 0 {
		p := vpn.Problem{Connection: cmp.Or(c.Label, c.ID, c.Name), Field: "--answers", Value: f.path, Reason: "has no entry for it, by id or by name",
			Hint: "{} as its entry says that the defaults will do"}
		if strict {
			return fetch.Own{}, p
		}
		warn(p.Error() + "; " + p.Hint)
	}
	keys, err := loadKeys(e.keys, filepath.Dir(f.path), warn)
	return fetch.Own{Answers: e.addresses, Keys: keys}, err
}
