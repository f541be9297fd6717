package render

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"peerconf/vpn"
)

const matrixFile = "../docs/targets.md"

// TestDocs holds docs/targets.md to the dialects. make docs writes it anew.
func TestDocs(t *testing.T) {
	want := matrix()
	if os.Getenv("DOCS_UPDATE") != "" {
		if err := os.WriteFile(matrixFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if matrix() != want {
		t.Error("the matrix differs from one run to the next")
	}
	if got, _ := os.ReadFile(matrixFile); string(got) != want {
		t.Errorf("%s is not what the dialects say; make docs writes it anew", matrixFile)
	}
}

// page is a document being written, with the notes of its section.
type page struct {
	strings.Builder
	notes []string
}

func (p *page) linef(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// note numbers a reason.
func (p *page) note(text string) string {
	i := slices.Index(p.notes, text)
	if i < 0 {
		i, p.notes = len(p.notes), append(p.notes, text)
	}
	return fmt.Sprintf("[%d]", i+1)
}

// table writes rows with their columns aligned, the first row as the head.
func (p *page) table(rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "|", `\|`)
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(p, "| %s%s ", cell, strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)))
		}
		p.linef("|")
		if n == 0 {
			for _, w := range width {
				p.WriteString("|" + strings.Repeat("-", w+2))
			}
			p.linef("|")
		}
	}
	p.linef("")
}

// matrix is docs/targets.md.
func matrix() string {
	p := &page{}
	p.linef("# What each target can say\n")
	p.linef("`make docs` writes this page from the tables that rendering uses; a test fails when")
	p.linef("it is stale. A word is what the device's configuration says; – is a refusal. A number")
	p.linef("in brackets is a note below: the reason, what a feature adds to the configuration, or")
	p.linef("what the operator is told about it. A version stands where it makes a difference:")
	p.linef("`--target %s@%s`.\n", ciscoIOS.Name, iosUntil)
	for _, d := range dialects {
		p.linef("- [%s](#%s): %s", d.Name, d.Name, d.Title)
	}
	p.linef("\nWhat every target's operator is told:\n")
	p.rules(commonNotices)
	for _, d := range dialects {
		p.target(d)
	}
	return strings.TrimRight(p.String(), "\n") + "\n"
}

func (p *page) target(d *Dialect) {
	p.notes = nil
	p.linef("## %s\n", d.Name)
	p.linef("%s; files %s, with --remove %s; object names of at most %d characters.", d.Title, strings.Join(d.suffixes(), ", "), "NAME"+d.Removal[0].Suffix, d.MaxName)
	var versions []string
	for _, v := range d.boundaries() {
		versions = append(versions, string(v))
	}
	p.linef("Versions from %s on: %s. Those that make a difference: %s.\n", d.Oldest, d.Older, cmp.Or(strings.Join(versions, ", "), "none"))
	p.words(d)
	p.identities(d)
	p.features(d)
	p.keys(d)
	p.answers(d)
	for i, n := range p.notes {
		p.linef("%d. %s", i+1, n)
	}
	p.linef("\n### Refused by %s\n", d.Name)
	p.rules(slices.Concat(d.moded(), d.Refusals))
	p.linef("### Told for %s\n", d.Name)
	p.rules(d.Notices)
}

// rules lists every rule with its versions and its way out.
func (p *page) rules(rules []Rule) {
	for _, r := range rules {
		text := r.Reason
		if r.Field != "" {
			text = r.Field + ": " + text
		}
		if span := span(r.Since, r.Until); span != "" {
			text += " (" + span + ")"
		}
		if r.Hint != "" {
			text += ". Way out: " + r.Hint
		}
		p.linef("- %s", text)
	}
	if len(rules) == 0 {
		p.linef("- nothing")
	}
	p.linef("")
}

// moded are the refusals of a mode.
func (d *Dialect) moded() (out []Rule) {
	for said, r := range map[string]Rule{policyMode: d.Interfaced, routeMode: d.Policed} {
		if r.When != nil { // one of them
			r.Field = "--mode " + said
			out = append(out, r)
		}
	}
	return out
}

// span says from and until which version something is so.
func span(since, until Version) string {
	switch {
	case since == "" && until == "":
		return ""
	case since == "":
		return "before " + string(until)
	case until == "":
		return "from " + string(since)
	}
	return "from " + string(since) + ", before " + string(until)
}

// words lists every algorithm and lifetime in every phase.
func (p *page) words(d *Dialect) {
	phases := []Words{d.IKE[vpn.IKEv1], d.IKE[vpn.IKEv2], d.ESP[vpn.IKEv1], d.ESP[vpn.IKEv2]}
	rows := [][]string{{"Alibaba", "IKEv1", "IKEv2", "ESP (IKEv1)", "ESP (IKEv2)"}}
	row := func(name fmt.Stringer, word func(Words) Word) {
		cells := []string{name.String()}
		for _, phase := range phases {
			cells = append(cells, p.word(d, word(phase)))
		}
		rows = append(rows, cells)
	}
	for _, e := range vpn.Encryptions {
		row(e, func(w Words) Word { return w.Encryption[e] })
	}
	for _, i := range vpn.Integrities {
		row(i, func(w Words) Word { return w.Integrity[i] })
	}
	for _, g := range vpn.Groups {
		row(g, func(w Words) Word { return w.Group[g] })
	}
	seconds := []string{"lifetime"}
	for _, phase := range phases {
		seconds = append(seconds, fmt.Sprintf("%d–%d s %s", phase.Lifetime.Min, phase.Lifetime.Max, p.note(phase.Lifetime.Unit)))
	}
	p.table(append(rows, seconds))
}

func (p *page) word(d *Dialect, w Word) string {
	if w.Text == "" {
		return "– " + p.note(w.Why)
	}
	cell := "`" + w.Text + "`"
	if span := span(w.Since, w.Until); span != "" {
		cell += " " + span + " " + p.note(versions(Target{Dialect: d}, w.Since, w.Until)+w.behind())
	}
	return cell
}

func (p *page) identities(d *Dialect) {
	rows := [][]string{{"identity", "peer, IKEv1", "cloud, IKEv1", "peer, IKEv2", "cloud, IKEv2"}}
	for _, kind := range vpn.IDKinds {
		row := []string{kind.String()}
		for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
			id := d.Identities[version][kind]
			if id.Why != "" {
				row = append(row, "– "+p.note(id.Why), "– "+p.note(id.Why))
				continue
			}
			row = append(row, fmt.Sprintf("`"+id.Peer+"`", "ID"), fmt.Sprintf("`"+id.Cloud+"`", "ID"))
		}
		rows = append(rows, row)
	}
	p.table(rows)
}

// features renders each sample and says what came of it.
func (p *page) features(d *Dialect) {
	v1, v2 := samples(d, vpn.IKEv1), samples(d, vpn.IKEv2)
	rows := [][]string{{"feature", "IKEv1", "IKEv2"}}
	for _, s := range v1 {
		row := []string{s.name, p.feature(d, s), "does not exist"}
		if i := slices.IndexFunc(v2, func(o sample) bool { return o.name == s.name }); i >= 0 {
			row[2] = p.feature(d, v2[i])
		}
		rows = append(rows, row)
	}
	volume := "none " + p.note("the default, which goes unsaid")
	if d.Unlimited != "" {
		volume = "none " + p.note("`"+d.Unlimited+"`")
	}
	rows = append(rows, []string{"limit of bytes for an SA", volume, volume})
	p.table(append(rows, []string{"IKE fragmentation", p.unsaid(d.Fragmentation[vpn.IKEv1]), p.unsaid(d.Fragmentation[vpn.IKEv2])}))
}

// unsaid is what a device does by itself.
func (p *page) unsaid(d Default) string {
	cell, note := "off", "left off: "+d.Why
	switch {
	case d.On && d.Word == "":
		cell, note = "on", "the default: "+d.Why
	case d.On:
		cell, note = "on", "`"+d.Word+"` is the default and goes unsaid"
	case d.Word != "":
		note = "`" + d.Word + "` is not said: " + d.Why + ", and IKE messages with keys fit into a packet each"
	}
	if d.Since != "" {
		cell += " from " + string(d.Since) + ", off before"
	}
	return cell + " " + p.note(note)
}

// feature is one cell: what all versions make of a sample, or what each does.
func (p *page) feature(d *Dialect, s sample) string {
	type outcome struct{ versions, cell string }
	var all []outcome
	targets := d.everyVersion()
	for i, target := range targets {
		span := "without a version"
		if i > 0 {
			span = "from " + string(d.boundaries()[i-1])
		}
		cell := p.outcome(d, target, s)
		if last := len(all) - 1; i == 0 || all[last].cell != cell {
			all = append(all, outcome{span, cell})
		}
	}
	if !slices.ContainsFunc(all, func(o outcome) bool { return o.cell != all[0].cell }) {
		return all[0].cell
	}
	var out []string
	for _, o := range all {
		out = append(out, o.versions+": "+o.cell)
	}
	return strings.Join(out, "; ")
}

// outcome is what a target makes of a sample: the refusal, or what it states
// more than without the feature if that is short, and what it tells more.
func (p *page) outcome(d *Dialect, target string, s sample) string {
	is, was := renderOne(target, s.conn), renderOne(target, s.base)
	if is.refusals != nil {
		cell := "–"
		for _, r := range is.refusals {
			if note := p.note(r.Field + ": " + r.Reason); !strings.Contains(cell, note) { // both tunnels'
				cell += " " + note
			}
		}
		return cell
	}
	cell := "yes"
	if more := beyond(was.stated(d.Comment), is.stated(d.Comment)); len(more) > 0 && len(more) <= 3 {
		cell += " " + p.note("`"+strings.Join(more, "`, `")+"`")
	}
	for _, n := range beyond(was.notices, is.notices) {
		if !strings.HasPrefix(n, "weak: ") { // of the connection, not of the device
			cell += " " + p.note(n)
		}
	}
	return cell
}

// beyond is what is in more and not in less.
func beyond(less, more []string) []string {
	var out []string
	for _, m := range more {
		if !slices.Contains(less, m) && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

// keys says how each printable ASCII character goes into a key.
func (p *page) keys(d *Dialect) {
	psk := func(version vpn.Version) func(string) (string, string) {
		return func(key string) (string, string) { return d.Key(key, version) }
	}
	p1, p2 := keyForms(p, psk(vpn.IKEv1)), keyForms(p, psk(vpn.IKEv2))
	rows := [][]string{{"pre-shared key", "IKEv1", "IKEv2"}}
	var forms []string
	for _, form := range slices.Concat(p1.order, p2.order) {
		if !slices.Contains(forms, form) {
			forms = append(forms, form)
			rows = append(rows, []string{form, cmp.Or(p1.chars[form], "none"), cmp.Or(p2.chars[form], "none")})
		}
	}
	p.table(rows)
	bgp := keyForms(p, d.BGPKey)
	rows = [][]string{{"MD5 key of BGP", "characters"}}
	for _, form := range bgp.order {
		rows = append(rows, []string{form, bgp.chars[form]})
	}
	p.table(rows)
}

type keyForm struct {
	order []string          // of the forms
	chars map[string]string // that make a key take it
}

// keyForms sorts characters by the form a key with them takes.
func keyForms(p *page, write func(key string) (text, refused string)) keyForm {
	out := keyForm{chars: map[string]string{}}
	plain := ""
	add := func(key, what string) {
		form := formOf(p, write, key)
		if plain == "" {
			plain = form
		} else if form == plain {
			return
		}
		if !slices.Contains(out.order, form) {
			out.order = append(out.order, form)
		}
		out.chars[form] = strings.TrimSpace(out.chars[form] + " " + what)
	}
	add("Key", "all but those below")
	for c := byte('!'); c <= '~'; c++ {
		add("K"+string(c)+"y", code(string(c)))
	}
	for c := byte('!'); c <= '~'; c++ {
		if formOf(p, write, "K"+string(c)+"y") == plain {
			add(string(c)+"Key", "first "+code(string(c)))
		}
	}
	for _, first := range []string{"0x", "0s"} {
		add(first+"4b6579", "first "+code(first))
	}
	return out
}

func code(s string) string {
	if s == "`" {
		return "`` ` ``"
	}
	return "`" + s + "`"
}

// formOf is the form with the key's place named, or the refusal.
func formOf(p *page, write func(key string) (text, refused string), key string) string {
	text, refused := write(key)
	if refused != "" {
		return "– " + p.note(refused)
	}
	for _, encoded := range []struct{ text, name string }{
		{hex.EncodeToString([]byte(key)), "HEX"}, {base64.StdEncoding.EncodeToString([]byte(key)), "BASE64"}, {key, "KEY"},
	} {
		if strings.Contains(text, encoded.text) {
			return "`" + strings.Replace(text, encoded.text, encoded.name, 1) + "`"
		}
	}
	return "quoted"
}

func (p *page) answers(d *Dialect) {
	rows := [][]string{{"answer (--set)", "default", "meaning"}}
	for _, a := range d.Answers {
		meaning := a.Meaning
		if a.Number != nil {
			meaning += fmt.Sprintf(" (%d–%d)", a.Number.Min, a.Number.Max)
		}
		rows = append(rows, []string{a.Name, cmp.Or(a.Fallback, "`REPLACE-"+a.Name+"`"), meaning})
	}
	p.table(rows)
}
