// Package fetch is where connections come from. It alone knows Alibaba's
// replies: their shapes, words and defaults, and for whose side each speaks.
//
// A DownloadVpnConnectionConfig reply speaks from the customer's side, every
// Describe reply from Alibaba's. Both become the same vpn.Connection.
package fetch

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"peerconf/vpn"
)

// Options are what the operator says beside the replies.
type Options struct {
	Name         string            // calls the one connection of the run this
	Placeholders bool              // masked values become REPLACE- words
	Unmasked     bool              // stars and x's in keys are meant
	Answers      map[string]string // those of [Answers], with .N behind the name for one tunnel
	Keys         Keys              // instead of the reply's
	// Own is what the operator says of one connection, of which id, name and
	// label are known. It is called once for each and may be nil.
	Own  func(vpn.Connection) (Own, error)
	Warn func(text string) // told what the operator should know of the replies as a whole; may be nil
}

// Own is what the operator says of one connection.
type Own struct {
	Answers map[string]vpn.Given // as in Options
	Keys    Keys
}

// Keys are pre-shared keys by tunnel, 1 or 2; that of 0 is for both.
type Keys map[int]vpn.Secret

func (k Keys) of(tunnel int) (vpn.Secret, bool) {
	if key, ok := k[max(tunnel, 1)]; ok {
		return key, true
	}
	key, ok := k[0]
	return key, ok
}

// Answers are what an operator can supply where no reply has it: the ends'
// addresses, and what type their identities are of.
var Answers = []string{"cloud-address", "peer-address", cloudIDType, peerIDType}

const cloudIDType, peerIDType = "cloud-identity-type", "peer-identity-type"

// Read yields the connections of all sources in order, one at a time. Gateway
// replies are read first, from every source, and joined by id. A connection
// that is refused is yielded with vpn.Problems; reading then goes on.
func Read(sources []Source, options Options) iter.Seq2[vpn.Connection, error] {
	return func(yield func(vpn.Connection, error) bool) {
		known := newGateways()
		w := newWalker()
		var readable []Source
		for _, src := range sources {
			if err := visit(w, src, known.visitor(src.Name)); err == nil {
				readable = append(readable, src)
			} else if !yield(vpn.Connection{}, err) {
				return
			}
		}
		if known.problems != nil && !yield(vpn.Connection{}, known.problems) {
			return
		}
		settled := settle(w, readable, known, options)
		if w.connections > alone {
			settled = ahead(settled)
		}
		settled(yield)
	}
}

// settle yields the connections of sources whose gateways are known.
func settle(w *walker, sources []Source, known *gateways, options Options) iter.Seq2[vpn.Connection, error] {
	return func(yield func(vpn.Connection, error) bool) {
		r := reader{options: options, gateways: known, yield: yield}
		for _, src := range sources {
			if err := visit(w, src, r.visitor(src.Name)); err != nil && !yield(vpn.Connection{}, err) || r.stopped {
				return
			}
		}
		if r.listed < r.total && options.Warn != nil {
			options.Warn(fmt.Sprintf("the lists hold %d of %d connections: save the other pages too", r.listed, r.total))
		}
	}
}

type reader struct {
	options  Options
	gateways *gateways
	yield    func(vpn.Connection, error) bool
	count    int
	stopped  bool

	listed, total int // connections in lists, and how many there are in all
}

func (r *reader) visitor(source string) visitor {
	return visitor{
		download:   func(w *wireDownload) bool { return r.settle(w.statement(source)) },
		connection: func(w *wireConnection) bool { return r.settle(w.statement(source)) },
		page:       func(listed, total int) { r.listed, r.total = r.listed+listed, max(r.total, total) },
		record: func(c *wireConnection, d *wireDownload) bool {
			return r.settle(agreed(c.statement(source), d.statement(source)))
		},
	}
}

func (r *reader) settle(said statement) bool {
	r.count++
	s := settler{Options: &r.options, gateways: r.gateways, said: said}
	c, problems := s.settle()
	if r.count == 2 && (r.options.Name != "" || len(r.options.Answers) > 0 || len(r.options.Keys) > 0) {
		problems = append(problems, vpn.Problem{Source: said.source, Connection: s.title, Field: "--name, --psk-file, --psk-env, --set cloud-address, peer-address",
			Reason: "they speak of one connection, and this is the second of the run", Hint: "render the connections one by one, or answer for each in a file: --answers"})
	}
	var err error
	if problems != nil {
		err = problems
	}
	r.stopped = !r.yield(c, err)
	return !r.stopped
}

// visit walks one source and says where in it an error stands.
func visit(w *walker, src Source, v visitor) error {
	in, err := src.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	return located(src, w.walk(in, v))
}

// place is where a JSON pointer points, in brief.
func place(p jsontext.Pointer) string {
	if len(p) > 200 {
		return string(p[:200]) + "…"
	}
	return string(p)
}

// located turns a decoding error into a problem that names the place, and
// nothing of what stands there: it might be a key.
func located(src Source, err error) error {
	if err == nil {
		return nil
	}
	problem := vpn.Problem{Source: src.Name, Hint: "save the reply again, as the API gave it"}
	var known vpn.Problem
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	var xmlSyntax *xml.SyntaxError
	switch {
	case errors.As(err, &known):
		problem = known
		problem.Source = src.Name
	case errors.As(err, &xmlSyntax):
		problem.Reason = fmt.Sprintf("line %d: malformed XML", xmlSyntax.Line)
	case errors.As(err, &semantic):
		problem.Field = place(semantic.JSONPointer)
		problem.Reason = "not the kind of value the API sends there"
	case errors.Is(err, io.ErrUnexpectedEOF):
		problem.Reason = "ends in the middle of a reply"
	case errors.As(err, &syntactic):
		problem.Field = place(syntactic.JSONPointer)
		problem.Reason = fmt.Sprintf("malformed JSON at byte %d", syntactic.ByteOffset)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			problem.Reason = "stands there twice"
		}
	default:
		return fmt.Errorf("%s: %w", src.Name, err)
	}
	return problem
}
