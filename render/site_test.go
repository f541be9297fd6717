package render

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"peerconf/vpn"
)

// awkward are names that would leave a Mermaid label or a terminal's column.
var awkward = []string{
	"plain", "杭州 link #1", `say "no"`, "a]b[c", "a;b", "a\nend\nb", "end", "style a:#34;", "classDef x:#35;", "%%{init}%%", "#quot;",
	"`md`", "**b**", "1. x", "1) x", "- x", "www.evil.example", "a@b.example", "http://x", "<b>x</b>", "&amp;", "a|b", "$$x$$", "fa:fa-car",
	"ﬂ°°34¶ß", " lead", "tail ", "a  b", "e\u0301", "\u202eabc", "\x1b[2J", "\xff", "👩‍👩‍👧", strings.Repeat("杭", 50),
}

func awkwardSite(name string) vpn.Connection {
	c := with(plainWords(vpn.IKEv2), everywhere, second, bgp, healthCheck)
	c.ID, c.Name, c.VPNGatewayID, c.CustomerGatewayID = name, name, name, name
	for i := range c.Tunnels {
		c.Tunnels[i].CustomerGatewayID = name
		c.Tunnels[i].CloudIdentity = vpn.Identity{Kind: vpn.IDFQDN, Value: strings.Repeat("vpn.", 24) + "cloud"}
	}
	return c
}

func shownAs(t *testing.T, format string, c vpn.Connection) string {
	t.Helper()
	var b strings.Builder
	s := NewShow(&b, format, true)
	if err := s.Connection(c); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// FuzzDrawing holds drawings to straight boxes within 100 columns, whatever
// things are called.
func FuzzDrawing(f *testing.F) {
	for _, name := range awkward {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		lines := siteOf(awkwardSite(name)).drawing()
		first := slices.Index(lines, lines[len(lines)-1]) // the upper border is the lower
		for i, l := range lines {
			width := columns.StringWidth(l)
			if width > 100 || i >= first && width != columns.StringWidth(lines[first]) {
				t.Fatalf("%q: line %d of\n%s", name, i+1, strings.Join(lines, "\n"))
			}
		}
	})
}

var (
	label     = regexp.MustCompile(`"([^"]*)"`)
	entity    = regexp.MustCompile(`#(\d+);`)
	lineForm  = regexp.MustCompile(`^(flowchart LR| *end| *(subgraph )?c1[a-z0-9]*\[""\]| *c1peer\d (===|-\.-)\|""\| c1cloud\d)$`)
	labelForm = regexp.MustCompile(`^([\pL0-9 .,/()-]|#\d+;|<br>)*$`)
)

// FuzzMermaid holds a flowchart to the same statements whatever things are
// called, and its labels to what they are called.
func FuzzMermaid(f *testing.F) {
	for _, name := range awkward {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		text := shownAs(t, "mermaid", awkwardSite(name))
		for line := range strings.Lines(text) {
			bare := label.ReplaceAllString(strings.TrimSuffix(line, "\n"), `""`)
			if !lineForm.MatchString(bare) {
				t.Fatalf("%q breaks out: %q", name, line)
			}
		}
		found := 0
		for _, m := range label.FindAllStringSubmatch(text, -1) {
			if !labelForm.MatchString(m[1]) {
				t.Errorf("%q: label %q", name, m[1])
			}
			for _, part := range strings.Split(m[1], "<br>") {
				shown := entity.ReplaceAllStringFunc(part, func(e string) string {
					n, _ := strconv.Atoi(e[1 : len(e)-1])
					return string(rune(n))
				})
				if shown == string([]rune(vpn.Printable(name))) {
					found++
				}
			}
		}
		if name != "" && found < 4 { // name, both gateways, a tunnel's gateway
			t.Errorf("%q is shown %d times in\n%s", name, found, text)
		}
	})
}

// TestMermaidLabel keeps addresses legible and nothing that Mermaid reads.
func TestMermaidLabel(t *testing.T) {
	for text, want := range map[string]string{
		"198.51.100.0/24, AS 65001": `"198.51.100.0/24, AS 65001"`,
		"vco-bp1x":                  `"vco-bp1x"`,
		`a "b"; c]`:                 `"a #34;b#34;#59; c#93;"`,
		"1. x":                      `"1#46; x"`,
		"1) x":                      `"1#41; x"`,
		"www.x":                     `"www#46;x"`,
		"- x":                       `"#45; x"`,
		"杭州":                        `"杭州"`,
	} {
		if got := mermaidLabel(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestNoKeyDrawn: --show-secrets puts no key into a document.
func TestNoKeyDrawn(t *testing.T) {
	c := awkwardSite("x")
	c.Tunnels[0].PSK = vpn.NewSecret("hidden-key")
	if strings.Contains(shownAs(t, "mermaid", c), "hidden-key") || strings.Contains(strings.Join(siteOf(c).drawing(), ""), "hidden-key") {
		t.Error("a key in the drawing")
	}
}
