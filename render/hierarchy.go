package render

import (
	"bytes"
	"regexp"
	"strings"
)

// blocks are the statements of Junos that hold others in braces, by their
// words; * is any word. What is in none of them is a statement of its own.
type blocks map[string]blocks

// junosBlocks has the blocks of what the template sets, as the device shows
// them: its containers and lists in Juniper/yang,
// junos-es/conf/junos-es-conf-root and what that names.
var junosBlocks = blocks{
	"interfaces": {"*": {"unit *": {"family inet": nil}}},
	"security": {
		"ike": {"proposal *": nil, "policy *": nil, "gateway *": {"dead-peer-detection": nil}},
		"ipsec": {
			"proposal *": nil, "policy *": {"perfect-forward-secrecy": nil},
			"vpn *": {"ike": {"proxy-identity": nil}, "traffic-selector *": nil},
		},
		"address-book": {"global": nil},
		"flow":         {"tcp-mss": {"ipsec-vpn": nil}},
		"policies":     {"from-zone * to-zone *": {"policy *": {"match": nil, "then": nil}}},
		"zones":        {"security-zone *": {"interfaces": {"*": {"host-inbound-traffic": {"protocols": nil}}}, "host-inbound-traffic": {"system-services": nil}}},
	},
	"policy-options":  {"policy-statement *": {"term *": {"from": nil, "then": nil}}},
	"protocols":       {"bgp": {"group *": {"neighbor *": {"multihop": nil}}}},
	"routing-options": {"static": {"route *": {"qualified-next-hop *": nil}}},
	"services": {
		"rpm":           {"probe *": {"test *": {"thresholds": nil}}},
		"ip-monitoring": {"policy *": {"match": nil, "then": {"preferred-route": {"route *": nil}}}},
	},
}

// junosLists take several values, which stand in brackets.
var junosLists = map[string]bool{"source-address": true, "destination-address": true}

// hierarchical writes set commands as the text in braces that Junos' load merge
// reads. Comments get a second #, as those of files that Junos saves (## Last
// commit): behind a single one, what stands before a statement is its
// annotation and would stay in the configuration.
func hierarchical(set []byte) []byte {
	var out bytes.Buffer
	root := &node{}
	for line := range strings.Lines(string(set)) {
		line = strings.TrimSuffix(line, "\n")
		if command, ok := strings.CutPrefix(line, "set "); ok {
			root.add(setWord.FindAllString(command, -1), junosBlocks)
		} else if line != "" {
			out.WriteString("#" + line + "\n")
		}
	}
	root.write(&out, "")
	return out.Bytes()
}

// setWord is a word of a set command: blanks part words outside of quotes.
var setWord = regexp.MustCompile(`"[^"]*"|[^ ]+`)

// node is a statement; one with others inside is a block.
type node struct {
	text   string
	inside []*node
}

// add puts a statement where it belongs, behind what is there.
func (n *node) add(words []string, known blocks) {
	for pattern, inner := range known {
		if k := opens(pattern, words); k > 0 && k < len(words) {
			n.block(strings.Join(words[:k], " ")).add(words[k:], inner)
			return
		}
	}
	if last := len(n.inside) - 1; last >= 0 && junosLists[words[0]] && n.inside[last].values() == words[0] {
		text := strings.TrimSuffix(strings.Replace(n.inside[last].text, "[ ", "", 1), " ]")
		n.inside[last].text = strings.Replace(text, " ", " [ ", 1) + " " + words[1] + " ]"
		return
	}
	n.inside = append(n.inside, &node{text: strings.Join(words, " ")})
}

// values is the first word of a statement.
func (n *node) values() string {
	word, _, _ := strings.Cut(n.text, " ")
	return word
}

// block is the one of that text, which is made where there is none.
func (n *node) block(text string) *node {
	for _, b := range n.inside {
		if b.text == text {
			return b
		}
	}
	b := &node{text: text}
	n.inside = append(n.inside, b)
	return b
}

// opens is how many words make the beginning of a block, 0 for none.
func opens(pattern string, words []string) int {
	want := strings.Fields(pattern)
	if len(words) < len(want) {
		return 0
	}
	for i, w := range want {
		if w != "*" && w != words[i] {
			return 0
		}
	}
	return len(want)
}

func (n *node) write(w *bytes.Buffer, indent string) {
	for _, s := range n.inside {
		w.WriteString(indent + s.text)
		if s.inside == nil {
			w.WriteString(";\n")
			continue
		}
		w.WriteString(" {\n")
		s.write(w, indent+"    ")
		w.WriteString(indent + "}\n")
	}
}
