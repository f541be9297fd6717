package render

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"peerconf/vpn"
)

// Targets lists what --target takes.
func Targets(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "TARGET\tDEVICE\tFILES\tANSWERS (--set)")
	for _, d := range dialects {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", d.Name, d.Title, strings.Join(d.suffixes(), " "), strings.Join(answerNames([]Target{{Dialect: d}}), " "))
	}
	return tw.Flush()
}

func (d *Dialect) suffixes() []string {
	var out []string
	for _, f := range d.Files {
		name := "NAME" + f.Suffix
		if f.When != nil {
			name = "[" + name + "]"
		}
		out = append(out, name)
	}
	return out
}

// Describe prints a target's words, limits and answers.
func (t Target) Describe(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	assumed := ""
	if t.Version == "" && t.Newest != "" {
		assumed = fmt.Sprintf("; without a version %s is assumed", t.Newest)
	}
	fmt.Fprintf(tw, "%s: %s%s\n\nALIBABA\tIKEv1\tIKEv2\tESP (IKEv1)\tESP (IKEv2)\n", t, t.Title, assumed)
	phases := []Words{t.IKE[vpn.IKEv1], t.IKE[vpn.IKEv2], t.ESP[vpn.IKEv1], t.ESP[vpn.IKEv2]}
	gaps := &gaps{target: t}
	for _, e := range vpn.Encryptions {
		gaps.row(tw, e, phases, func(p Words) Word { return p.Encryption[e] })
	}
	for _, i := range vpn.Integrities {
		gaps.row(tw, i, phases, func(p Words) Word { return p.Integrity[i] })
	}
	for _, g := range vpn.Groups {
		gaps.row(tw, g, phases, func(p Words) Word { return p.Group[g] })
	}
	fmt.Fprint(tw, "lifetime")
	for _, p := range phases {
		fmt.Fprintf(tw, "\t%d–%d s", p.Lifetime.Min, p.Lifetime.Max)
	}
	fmt.Fprintln(tw)
	if err := tw.Flush(); err != nil {
		return err
	}
	for i, why := range gaps.whys {
		fmt.Fprintf(w, "[%d] %s\n", i+1, why)
	}
	fmt.Fprintf(w, "\nAnswers (--set NAME=VALUE, NAME.1 or NAME.2 for one tunnel):\n")
	for _, a := range t.Answers {
		fmt.Fprintf(tw, "  %s\t%s\tdefault: %s\n", a.Name, a.Meaning, cmp.Or(a.Fallback, "none, REPLACE-"+a.Name))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	heading := "\nRefused:\n"
	for _, r := range t.Refusals {
		if _, possible := t.holds(r.Since, r.Until); possible {
			fmt.Fprintf(w, "%s  %s\n", heading, r.Reason)
			heading = ""
		}
	}
	return nil
}

// gaps collects the reasons why words are missing or tied to versions.
type gaps struct {
	target Target
	whys   []string
}

func (g *gaps) row(w io.Writer, name fmt.Stringer, phases []Words, word func(Words) Word) {
	fmt.Fprint(w, name)
	for _, p := range phases {
		fmt.Fprint(w, "\t", g.cell(word(p)))
	}
	fmt.Fprintln(w)
}

func (g *gaps) cell(word Word) string {
	if word.Text == "" {
		return "–" + g.mark(word.Why)
	}
	switch certain, possible := g.target.holds(word.Since, word.Until); {
	case certain:
		return word.Text
	case !possible:
		return "–" + g.mark(versions(g.target, word.Since, word.Until)+word.behind())
	}
	return word.Text + g.mark(versions(g.target, word.Since, word.Until)+word.behind())
}

func (g *gaps) mark(why string) string {
	for i, known := range g.whys {
		if known == why {
			return fmt.Sprintf(" [%d]", i+1)
		}
	}
	g.whys = append(g.whys, why)
	return fmt.Sprintf(" [%d]", len(g.whys))
}
