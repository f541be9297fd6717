package render

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// widest is the most columns an end's text takes; what is longer goes on in
// the next row. The whole then keeps within 100 columns.
const widest = 35

// columns counts them as every terminal does, whatever the locale of this one.
// The drawing itself is ASCII: East Asian terminals give a box character one
// column or two.
var columns = runewidth.Condition{}

// row is one row of a drawing: both ends' text, and between them text or line.
type row struct {
	ends    [2]string
	between string
	line    linkKind
	isLine  bool
}

// drawing draws a site, a line each.
func (s site) drawing() []string {
	rows := s.rows()
	captions := [2][]string{wrapped(s.caption(0)), wrapped(s.caption(1))}
	var width [2]int
	gap := 0
	for _, r := range rows {
		gap = max(gap, columns.StringWidth(r.between)+2)
	}
	for end := range width {
		for _, c := range captions[end] {
			width[end] = max(width[end], columns.StringWidth(c))
		}
		for _, r := range rows {
			width[end] = max(width[end], columns.StringWidth(r.ends[end]))
		}
	}
	var out []string
	add := func(parts ...string) { out = append(out, strings.TrimRight("  "+strings.Join(parts, ""), " ")) }
	border := func(end int) string { return "+" + strings.Repeat("-", width[end]+2) + "+" }
	box := func(end int, text string) string { return "| " + columns.FillRight(text, width[end]) + " |" }
	for i := range max(len(captions[0]), len(captions[1])) {
		add(columns.FillRight(at(captions[0], i), width[0]+4+gap), at(captions[1], i))
	}
	add(border(0), strings.Repeat(" ", gap), border(1))
	for _, r := range rows {
		between := strings.Repeat(" ", (gap-columns.StringWidth(r.between))/2) + r.between
		if r.isLine {
			between = r.line.drawn(gap)
		}
		add(box(0, r.ends[0]), columns.FillRight(between, gap), box(1, r.ends[1]))
	}
	add(border(0), strings.Repeat(" ", gap), border(1))
	return out
}

// rows lists the networks, and each link: its name, then the line between the
// first that stands at its ends.
func (s site) rows() []row {
	var out []row
	for i := range max(len(s.networks[0]), len(s.networks[1])) {
		out = append(out, row{ends: [2]string{at(s.networks[0], i), at(s.networks[1], i)}})
	}
	out[0].between = "networks"
	for _, l := range s.links {
		ends := [2][]string{wrapped(l.ends[0]), wrapped(l.ends[1])}
		out = append(out, row{between: l.name}, row{ends: [2]string{at(ends[0], 0), at(ends[1], 0)}, line: l.kind, isLine: true})
		for i := 1; i < max(len(ends[0]), len(ends[1]), len(l.over)+1); i++ {
			out = append(out, row{ends: [2]string{at(ends[0], i), at(ends[1], i)}, between: at(l.over, i-1)})
		}
	}
	return out
}

// drawn is the line of a link, so many columns long.
func (k linkKind) drawn(length int) string {
	switch k {
	case standbyLink:
		return strings.Repeat("- ", length)[:length]
	case pingLink:
		return "<" + strings.Repeat("-", length-1)
	}
	return strings.Repeat("=", length)
}

func at(texts []string, i int) string {
	if i < len(texts) {
		return texts[i]
	}
	return ""
}

func wrapped(texts []string) (out []string) {
	for _, t := range texts {
		out = append(out, strings.Split(columns.Wrap(t, widest), "\n")...)
	}
	return out
}
