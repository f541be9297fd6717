package render

import (
	"fmt"
	"os/exec"
	"reflect"
	"regexp"
	"strconv"
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
				if id := d.Identities[version][kind]; id.Peer == "" || id.Cloud == "" {
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

// TestRulesComplete holds every rule to a reason, and what refuses to a field
// and a way out. The field is the connection's or the command line's.
func TestRulesComplete(t *testing.T) {
	check := func(name string, r Rule) {
		if r.When == nil || r.Reason == "" || strings.HasSuffix(r.Reason, ".") {
			t.Errorf("%s: rule without a condition or a reason: %+q", name, r.Reason)
		}
		if r.Since != "" && r.Until != "" && !r.Since.before(r.Until) {
			t.Errorf("%s: %q holds from %s and before %s", name, r.Reason, r.Since, r.Until)
		}
	}
	for _, r := range commonNotices {
		check("every target", r)
	}
	for _, d := range dialects {
		for _, r := range d.Notices {
			check(d.Name, r)
		}
		for _, r := range d.Refusals {
			check(d.Name, r)
			if r.Field == "" || r.Hint == "" {
				t.Errorf("%s: %q names no field or no way out", d.Name, r.Reason)
			}
		}
	}
}

// TestAnswersComplete holds every answer to a meaning, a form, and a default
// that is told or none, and the templates to the answers: what they print is
// asked for, and what is asked for is printed.
func TestAnswersComplete(t *testing.T) {
	printed := regexp.MustCompile(`\.Set\.([a-z0-9]+)`)
	for _, d := range dialects {
		uses := map[string]bool{}
		for _, f := range d.Files {
			text, err := templates.FS.ReadFile(f.Template)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range printed.FindAllSubmatch(text, -1) {
				uses[string(m[1])] = true
			}
		}
		for _, a := range d.Answers {
			if a.Meaning == "" || a.Form == nil || !formWord.MatchString(a.Name) {
				t.Errorf("%s: answer %q has no meaning, no form or no proper name", d.Name, a.Name)
			}
			if (a.Default == nil) != (a.Fallback == "") {
				t.Errorf("%s: answer %s has a default and does not tell it, or tells one that it has not", d.Name, a.Name)
			}
			if n := a.Number; n != nil && (n.Min > n.Max || !a.Form.MatchString(strconv.Itoa(n.Min)) || !a.Form.MatchString(strconv.Itoa(n.Max))) {
				t.Errorf("%s: answer %s counts %d to %d, which its form does not take", d.Name, a.Name, n.Min, n.Max)
			}
			for _, bad := range []string{"", "a b", "x\ny", `a"b`, "#x", "!x", "a'b"} {
				if a.Form != nil && a.Form.MatchString(bad) {
					t.Errorf("%s: answer %s may be %q", d.Name, a.Name, bad)
				}
			}
			if !uses[a.key()] {
				t.Errorf("%s: no template prints the answer %s", d.Name, a.Name)
			}
			delete(uses, a.key())
		}
		for key := range uses {
			t.Errorf("%s: a template prints .Set.%s, which no answer gives", d.Name, key)
		}
	}
}

// TestEveryGapIsRefused renders every algorithm in every phase for every
// version that makes a difference: there is a text, or a refusal that names
// the field and a way out.
func TestEveryGapIsRefused(t *testing.T) {
	for _, d := range dialects {
		for _, target := range d.everyVersion() {
			for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
				for _, s := range append(samples(version), everyWord(d, version)...) {
					r := renderOne(target, s.conn)
					if (r.text == "") == (r.refusals == nil) {
						t.Errorf("%s, %s, %s: text and refusal, or neither", target, version, s.name)
					}
					for _, p := range r.refusals {
						if p.Field == "" || p.Reason == "" || p.Hint == "" {
							t.Errorf("%s, %s, %s: the refusal lacks field, reason or way out: %+v", target, version, s.name, p)
						}
					}
				}
			}
		}
	}
}

// TestWayOut holds the hint of every gap to its word.
func TestWayOut(t *testing.T) {
	for _, d := range dialects {
		for _, words := range []Words{d.IKE[vpn.IKEv1], d.IKE[vpn.IKEv2], d.ESP[vpn.IKEv1], d.ESP[vpn.IKEv2]} {
			for _, w := range []Word{words.Encryption[vpn.AES256], words.Integrity[vpn.SHA256], words.Group[vpn.MODP2048]} {
				if w.Text == "" || w.Since != "" || w.Until != "" {
					t.Errorf("%s: the hints promise a word that is %+v", d.Name, w)
				}
			}
		}
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
	for _, view := range []any{View{}, Tunnel{}, Group{}, shown{}, shownTunnel{}} {
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
