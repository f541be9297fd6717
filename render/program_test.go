package render

import (
	"bytes"
	"path/filepath"
	"reflect"
	"testing"

	"peerconf/fetch"
	"peerconf/vpn"
)

// TestProgram holds compiled templates to the bytes of text/template for
// every story that renders.
func TestProgram(t *testing.T) {
	paths, err := filepath.Glob("../testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, path := range paths {
		if name := filepath.Base(path); name == "bad" || name == "script" || name == "api" {
			continue
		}
		sources, cleanup, err := fetch.Sources([]string{path}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer cleanup()
		for c, err := range fetch.Read(sources, fetch.Options{Placeholders: true}) {
			if err != nil {
				t.Fatal(path, err)
			}
			compared += compare(t, path, c)
		}
	}
	if compared < 300 {
		t.Errorf("only %d files compared", compared)
	}
}

func compare(t *testing.T, path string, c vpn.Connection) (compared int) {
	for i := range 2 * len(dialects) {
		target := Target{Dialect: dialects[i/2], removes: i%2 == 1}
		n := normalizer{target: target, answers: newAnswers(nil, nil), conn: c}
		view, problems := n.normalize()
		if problems != nil {
			continue
		}
		for _, f := range target.files() {
			if !f.of(c) {
				continue
			}
			view.Notes = f.notes(view.Name, view.Routed)
			var want, got bytes.Buffer
			if err := load(f.Template).Execute(&want, view); err != nil {
				t.Fatal(err)
			}
			compile(f.Template).run(&got, reflect.ValueOf(view))
			if got.String() != want.String() {
				t.Errorf("%s, %s: compiled:\n%s\ntext/template:\n%s", path, f.Template, got.String(), want.String())
			}
			compared++
		}
	}
	return compared
}

// TestProgramRefuses proves that a template which does not fit its view, or
// does more than print, does not compile.
func TestProgramRefuses(t *testing.T) {
	for _, text := range []string{`{{.Nmae}}`, `{{range .Tunnels}}{{.Label}}{{end}}`, `{{$x}}`, `{{len .Pairs}}`, `{{with .Name}}{{end}}`, `{{.Tunnels}}`} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s compiles", text)
				}
			}()
			tmpl := load("strongswan.tmpl")
			parsed, err := tmpl.New("x").Parse(text)
			if err != nil {
				panic(err)
			}
			compileFor(parsed, reflect.TypeFor[View]())
		}()
	}
}
