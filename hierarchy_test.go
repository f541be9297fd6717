package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// braced are the stories whose text in braces is golden.
var braced = []string{"ikev1-subnets", "ikev2-policy", "hostile-key", "fqdn-aggressive", "placeholders", "dual-route", "dual-subnets", "bgp-single", "bgp-dual", "probe"}

// TestHierarchicalGolden pins the text in braces of a selection of stories.
func TestHierarchicalGolden(t *testing.T) {
	for _, s := range stories {
		if slices.Contains(braced, s.name) {
			t.Run(s.source, func(t *testing.T) {
				code, stdout, stderr := execute(s.answered("juniper-srx", "--hierarchical"))
				if code != exitDone {
					t.Fatal(stderr)
				}
				golden(t).Assert(t, "hierarchical/"+s.name, []byte(stdout))
			})
		}
	}
}

// TestHierarchical holds the text in braces of every story to its set
// commands: flattened, it is them.
func TestHierarchical(t *testing.T) {
	compared := 0
	for _, s := range stories {
		_, set, _ := execute(s.answered("juniper-srx"))
		code, text, _ := execute(s.answered("juniper-srx", "--hierarchical"))
		if code != exitDone {
			continue
		}
		var want []string
		for _, line := range strings.Split(set, "\n") {
			if strings.HasPrefix(line, "set ") {
				want = append(want, line)
			}
		}
		got := flattened(t, text)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: in braces it is\n%s", s.source, strings.Join(got, "\n"))
		}
		compared++
	}
	if compared < 30 {
		t.Errorf("%d stories compared", compared)
	}
}

// TestHierarchicalCheckFails proves that flattening tells texts apart.
func TestHierarchicalCheckFails(t *testing.T) {
	want := []string{"set a b c", `set a b "d;{ e"`, "set a f g", "set a f h", "set i"}
	if got := flattened(t, "## x\na {\n    b {\n        c;\n        \"d;{ e\";\n    }\n    f [ g h ];\n}\ni;\n"); !slices.Equal(got, want) {
		t.Error(got)
	}
}

var brace = regexp.MustCompile(`"[^"]*"|[{};]|[^\s{};]+`)

// flattened reads text in braces as the set commands that would say it.
func flattened(t *testing.T, text string) (out []string) {
	var open [][]string
	var words []string
	text = regexp.MustCompile(`(?m)^##.*\n`).ReplaceAllString(text, "")
	for _, token := range brace.FindAllString(text, -1) {
		path := strings.Join(slices.Concat(slices.Concat(open...), words), " ")
		switch token {
		case "{":
			open, words = append(open, words), nil
		case "}":
			if len(words) > 0 || len(open) == 0 {
				t.Fatalf("%q before }", words)
			}
			open = open[:len(open)-1]
		case ";":
			if head, values, several := strings.Cut(path, " [ "); several {
				for _, v := range strings.Fields(strings.TrimSuffix(values, " ]")) {
					out = append(out, "set "+head+" "+v)
				}
			} else {
				out = append(out, "set "+path)
			}
			words = nil
		default:
			words = append(words, token)
		}
	}
	if len(open) > 0 || len(words) > 0 {
		t.Fatal("a block does not end")
	}
	return out
}

// statementsInBraces are those that no block has to part further.
var statementsInBraces = regexp.MustCompile(`^\s*([a-z0-9-]+( ("[^"]*"|[^ ;"]+))?|(local|remote)-identity [a-z0-9-]+ ("[^"]*"|\S+)` +
	`|pre-shared-key (ascii-text "[^"]*"|hexadecimal [0-9a-f]+)|address \S+ \S+|target address \S+|(source|destination)-address \[ [^]]+ \]|st0\.\S+|route-filter \S+ (exact|orlonger));$`)

// TestHierarchicalBlocks holds every statement in braces to a word and its
// value: a longer one has a block that is not known as one.
func TestHierarchicalBlocks(t *testing.T) {
	for _, s := range stories {
		_, text, _ := execute(s.answered("juniper-srx", "--hierarchical"))
		for _, line := range strings.Split(text, "\n") {
			if strings.HasSuffix(line, ";") && line[0] != '#' && !statementsInBraces.MatchString(line) {
				t.Errorf("%s: %s", s.source, line)
			}
		}
	}
	for _, bad := range []string{"dead-peer-detection interval 10;", "unit 1 family inet mtu 1400;", "then permit log;", "st0.1 host-inbound-traffic protocols bgp;", "multihop ttl 10;"} {
		if statementsInBraces.MatchString(bad) {
			t.Errorf("%s passes", bad)
		}
	}
}
