package render

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"peerconf/templates"
	"peerconf/vpn"
)

// TestRulesComplete holds every rule to a reason, and what refuses to a field
// and a way out. The field is the connection's or the command line's.
func TestRulesComplete(t *testing.T) {
	check := func(name string, r Rule) {
		if r.When == nil || r.Reason == "" || strings.HasSuffix(r.Reason, ".") {
			t.Errorf("%s: rule without a condition or a reason: %+q", name, r.Reason)
		}
		if r.Warning && r.Hint == "" {
			t.Errorf("%s: nothing makes the warning go away: %q", name, r.Reason)
		}
		if r.Since != "" && r.Until != "" && !r.Since.before(r.Until) {
			t.Errorf("%s: %q holds from %s and before %s", name, r.Reason, r.Since, r.Until)
		}
	}
	for _, r := range slices.Concat(commonNotices, commonResidue) {
		check("every target", r)
	}
	for _, d := range dialects {
		for _, r := range slices.Concat(d.Notices, d.Residue) {
			check(d.Name, r)
		}
		for _, r := range d.Refusals {
			check(d.Name, r)
			if r.Field == "" || r.Hint == "" && r.Mend == nil {
				t.Errorf("%s: %q names no field or no way out", d.Name, r.Reason)
			}
		}
	}
}

// TestDefaultsComplete holds every target to a word or a reason for what it
// leaves to the device.
func TestDefaultsComplete(t *testing.T) {
	for _, d := range dialects {
		for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
			f, ok := d.Fragmentation[version]
			if !ok || f.Word == "" && f.Why == "" || !f.On && (f.Why == "" || f.Since != "") {
				t.Errorf("%s, %s: fragmentation has no word or no reason: %+v", d.Name, version, f)
			}
			for _, s := range samples(d, version) {
				text := renderOne(d.Name, s.conn).text
				if said := strings.Contains(text, "bytes"); text != "" && (said != (d.Unlimited != "") || !strings.Contains(text, d.Unlimited)) {
					t.Errorf("%s, %s, %s: a limit of bytes, or none against the device's own", d.Name, version, s.name)
				}
			}
		}
	}
}

// TestAnswersComplete holds every answer to a meaning, a form, and a default
// that is told or none, and the templates to the answers: what they print is
// asked for, and what is asked for is printed.
func TestAnswersComplete(t *testing.T) {
	printed := regexp.MustCompile(`(?:\.Set\.|range \$?v?\.)([a-z0-9]+|Announce|Accept)\b|\.Routes\b|"updown"`) // a nested template that prints them
	key := func(m [][]byte) string {
		if m[1] == nil {
			return cloudRoutes.key()
		}
		return strings.ToLower(string(m[1]))
	}
	for _, d := range dialects {
		uses := map[string]bool{}
		for _, f := range d.Files {
			text, err := templates.FS.ReadFile(f.Template)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range printed.FindAllSubmatch(text, -1) {
				uses[key(m)] = true
			}
		}
		removalUses := map[string]bool{}
		for _, f := range d.Removal {
			text, err := templates.FS.ReadFile(f.Template)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte(`{{template "frr.remove" .`)) {
				nested, err := templates.FS.ReadFile("frr.remove.tmpl")
				if err != nil {
					t.Fatal(err)
				}
				text = append(text, nested...)
			}
			for _, m := range printed.FindAllSubmatch(text, -1) {
				removalUses[key(m)] = true
			}
			if bytes.Contains(text, []byte("{{if .Announced")) {
				removalUses[announced.key()] = true
			}
			if strings.Contains(string(text), ".Key") {
				t.Errorf("%s: %s prints a key", d.Name, f.Template)
			}
		}
		if len(d.Removal) == 0 {
			t.Errorf("%s has no removal", d.Name)
		}
		for _, a := range d.Answers {
			if a.Meaning == "" || a.Form == nil || !formWord.MatchString(a.Name) {
				t.Errorf("%s: answer %q has no meaning, no form or no proper name", d.Name, a.Name)
			}
			if (a.Default == nil && a.Must == nil && !a.Optional) != (a.Fallback == "") {
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
			if removalUses[a.key()] != (a.Removal != nil) {
				t.Errorf("%s: the removal prints %s: %t; it asks for it: %t", d.Name, a.Name, removalUses[a.key()], a.Removal != nil)
			}
			settles := []string{pathMTU.Name, mode.Name, complianceShield.Name} // the MTU, what is printed, and words
			if uses[a.key()] == (a.Must != nil) && !slices.Contains(settles, a.Name) {
				t.Errorf("%s: no template prints the answer %s, or one that is but to check", d.Name, a.Name)
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
				for _, s := range append(samples(d, version), everyWord(d, version)...) {
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
