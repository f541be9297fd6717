package render

import (
	"fmt"
	"strings"
	"unicode"
)

// mermaidSite is a site as mermaid.tmpl prints it, every text a label.
type mermaidSite struct {
	Number int // of the connection, for ids
	Title  string
	Ends   []mermaidEnd
	Edges  []mermaidEdge
}

type mermaidEnd struct {
	ID    string
	Title string
	Nodes []mermaidNode
}

type mermaidNode struct {
	ID    string
	Label string
}

type mermaidEdge struct {
	From, To string
	Line     string
	Label    string
}

// mermaidLines are the links of a flowchart.
var mermaidLines = map[linkKind]string{activeLink: "===", standbyLink: "-.-", pingLink: "-.-"}

func (s site) mermaid(number int, title ...string) mermaidSite {
	m := mermaidSite{Number: number, Title: mermaidLabel(title...)}
	for end, side := range []string{"peer", "cloud"} {
		id := fmt.Sprintf("c%d%s", number, side)
		e := mermaidEnd{ID: id, Title: mermaidLabel(s.caption(end)...)}
		e.Nodes = append(e.Nodes, mermaidNode{id + "0", mermaidLabel(append([]string{"networks"}, s.networks[end]...)...)})
		for i, l := range s.links {
			e.Nodes = append(e.Nodes, mermaidNode{fmt.Sprint(id, i+1), mermaidLabel(l.ends[end]...)})
		}
		m.Ends = append(m.Ends, e)
	}
	for i, l := range s.links {
		m.Edges = append(m.Edges, mermaidEdge{m.Ends[0].Nodes[i+1].ID, m.Ends[1].Nodes[i+1].ID, mermaidLines[l.kind], mermaidLabel(append([]string{l.name}, l.over...)...)})
	}
	return m
}

// mermaidLabel writes lines of text as a quoted label that shows them as they
// are. All but letters, digits and blanks becomes an entity code, so that
// nothing ends the quotes, is Markdown to Mermaid 11, or forms the style…:…#…;
// that it takes a semicolon from (encodeEntities of mermaidAPI).
func mermaidLabel(lines ...string) string {
	var b strings.Builder
	b.WriteByte('"')
	for n, line := range lines {
		if n > 0 {
			b.WriteString("<br>")
		}
		runes := []rune(line)
		for i, r := range runes {
			if mermaidPlain(runes, i) {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "#%d;", r)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}

// mermaidPlain tells what no reader of a label makes something else of: what is
// neither blank at an end nor the mark of a list, a rule or a web address.
func mermaidPlain(text []rune, i int) bool {
	digit := func(at int) bool { return at >= 0 && at < len(text) && text[at] >= '0' && text[at] <= '9' }
	word := func(at int) bool {
		return digit(at) || at >= 0 && at < len(text) && unicode.IsLetter(text[at])
	}
	switch r := text[i]; r {
	case ' ':
		return i > 0 && i < len(text)-1 && text[i-1] != ' '
	case ',':
		return i > 0
	case '.', '/':
		return digit(i-1) && digit(i+1)
	case '(':
		return i > 0
	case ')':
		return word(i-1) && !digit(i-1)
	case '-':
		return word(i-1) && word(i+1)
	}
	return word(i)
}
