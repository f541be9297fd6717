package render

import (
	"fmt"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"text/template"
	"text/template/parse"

	"peerconf/templates"
	"peerconf/vpn"
)

// TestComplete holds every table to this: each algorithm a reply can name has
// a word in each phase of each IKE version, or the reason why it has none.
func TestComplete(t *testing.T) {
	for _, d := range dialects {
		for phase, words := range map[string]Words{
			"IKEv1": d.IKE[vpn.IKEv1], "IKEv2": d.IKE[vpn.IKEv2],
			"ESP under IKEv1": d.ESP[vpn.IKEv1], "ESP under IKEv2": d.ESP[vpn.IKEv2],
		} {
			for _, v := range vpn.Encryptions {
				complete(t, d, phase, v, words.Encryption[v])
			}
			for _, v := range vpn.Integrities {
				complete(t, d, phase, v, words.Integrity[v])
			}
			for _, v := range vpn.Groups {
				complete(t, d, phase, v, words.Group[v])
			}
			if l := words.Lifetime; l.Min < 1 || l.Max < 86400 || l.Unit == "" {
				t.Errorf("%s, %s: lifetime %+v", d.Name, phase, l)
			}
		}
		for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
			for _, kind := range vpn.IDKinds {
				if id := d.Identities[version][kind]; (id.Peer == "" || id.Cloud == "") == (id.Why == "") || id.Why != "" && id.Peer+id.Cloud != "" {
					t.Errorf("%s, %s: no form for an identity of kind %s", d.Name, version, kind)
				}
			}
		}
	}
}

func complete(t *testing.T, d *Dialect, phase string, v fmt.Stringer, w Word) {
	t.Helper()
	if w.Text == "" && w.Why == "" {
		t.Errorf("%s, %s: neither a word for %s nor a reason", d.Name, phase, v)
	}
	if w.Text != "" && w.Why != "" && w.Since == "" && w.Until == "" {
		t.Errorf("%s, %s: %s has a word and a reason why not", d.Name, phase, v)
	}
}

// TestTemplatesOnlyPrint walks the parse trees: an if looks at a bool of the
// view, and nothing is called but the functions chosen.
func TestTemplatesOnlyPrint(t *testing.T) {
	entries, err := templates.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if bad := decisions(load(e.Name())); len(bad) > 0 {
			t.Errorf("%s decides: %v", e.Name(), bad)
		}
	}
	for _, text := range []string{`{{if eq .Name "x"}}{{end}}`, `{{if .Name}}{{end}}`, `{{.Name | printf "%q"}}`, `{{len .Pairs}}`, `{{with .Name}}{{end}}`, `{{if not .Dual}}{{end}}`} {
		if len(decisions(template.Must(template.New("").Parse(text)))) == 0 {
			t.Errorf("%s would pass", text)
		}
	}
}

func decisions(tmpl *template.Template) []string {
	var bad []string
	for _, t := range tmpl.Templates() {
		if t.Tree != nil {
			walk(t.Root, &bad)
		}
	}
	return bad
}

func walk(n parse.Node, bad *[]string) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, c := range n.Nodes {
				walk(c, bad)
			}
		}
	case *parse.ActionNode:
		walk(n.Pipe, bad)
	case *parse.TemplateNode:
		walk(n.Pipe, bad)
	case *parse.RangeNode:
		branch(&n.BranchNode, bad)
	case *parse.IfNode:
		if !isBool(n.Pipe) {
			*bad = append(*bad, n.Pipe.String())
		}
		branch(&n.BranchNode, bad)
	case *parse.WithNode:
		*bad = append(*bad, n.String())
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			for _, a := range c.Args {
				walk(a, bad)
			}
		}
	case *parse.IdentifierNode:
		if functionMap[n.Ident] == nil {
			*bad = append(*bad, n.Ident)
		}
	}
}

func branch(b *parse.BranchNode, bad *[]string) {
	walk(b.Pipe, bad)
	walk(b.List, bad)
	walk(b.ElseList, bad)
}

// isBool tells whether a pipeline is one field of the views, a bool.
func isBool(p *parse.PipeNode) bool {
	text := p.String()
	name := text[strings.LastIndexByte(text, '.')+1:]
	for _, view := range []any{View{}, Tunnel{}, Session{}, Group{}, Net{}, shown{}, shownTunnel{}} {
		if f, ok := reflect.TypeOf(view).FieldByName(name); ok && f.Type.Kind() == reflect.Bool {
			return !strings.ContainsAny(text, " |(")
		}
	}
	return false
}

// TestNoSDK keeps rendering apart from where connections come from.
func TestNoSDK(t *testing.T) {
	deps, err := exec.Command("go", "list", "-deps", "peerconf/render").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(deps)) {
		if strings.Contains(dep, "aliyun") || dep == "peerconf/fetch" || dep == "net/http" {
			t.Errorf("render depends on %s", dep)
		}
	}
	if !strings.Contains(string(deps), "peerconf/vpn") {
		t.Error("go list did not see the dependencies")
	}
}
