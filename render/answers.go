package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"peerconf/vpn"
)

// answers are the device-local values of a run, for one target. Numbers count
// on from connection to connection, so that no two tunnels share one.
type answers struct {
	given  map[string]string
	taken  map[string]int // how many of a counting answer are taken
	warned map[string]bool
	used   map[uint64]bool // sums of values that only one tunnel may have
}

func newAnswers(given map[string]string) *answers {
	return &answers{given, map[string]int{}, map[string]bool{}, map[uint64]bool{}}
}

// answered returns the tunnel's value for each of the dialect's answers that
// it needs. What is not answered becomes a REPLACE- word and a warning.
func (n *normalizer) answered(t vpn.Tunnel) map[string]string {
	set := map[string]string{}
	for _, a := range n.target.Answers {
		if a.When == nil || a.When(n.conn, t) {
			set[a.key()] = n.answer(a, t)
		}
	}
	return set
}

func (n *normalizer) answer(a Answer, t vpn.Tunnel) string {
	v, of := n.given(a, t), ""
	if v == "" && a.Default != nil {
		v, of = a.Default(n.conn, t), t.PeerAddress.String() // another peer is another device
	}
	if v == "" {
		return n.unanswered(a, t)
	}
	shared := a.PerConnection && t.Number != n.conn.Tunnels[0].Number // with the tunnel before
	if (a.Unique || a.Number != nil) && !shared {
		n.alone(a, t, v, of)
	}
	return v
}

// given is the operator's answer: the tunnel's own, or the one for all.
func (n *normalizer) given(a Answer, t vpn.Tunnel) string {
	if len(n.answers.given) == 0 {
		return ""
	}
	if v, ok := n.answers.given[a.Name+"."+strconv.Itoa(t.Number)]; ok {
		return v
	}
	v, ok := n.answers.given[a.Name]
	if ok && a.Number != nil {
		return n.next(a, t, v)
	}
	return v
}

// alone refuses a value that another tunnel of the run has on the same device.
func (n *normalizer) alone(a Answer, t vpn.Tunnel, v, device string) {
	key := sum(a.Name + "=" + v + "@" + device)
	if n.answers.used[key] {
		hint := "render the connections one by one"
		if n.conn.Dual() {
			hint = fmt.Sprintf("answer %s.1 and %s.2 apart, or %s", a.Name, a.Name, hint)
		}
		n.refuse(t, "--set "+a.Name, v, "another tunnel of this run has it", hint)
	}
	n.answers.used[key] = true
}

func (n *normalizer) unanswered(a Answer, t vpn.Tunnel) string {
	word := "REPLACE-" + a.Name
	if n.conn.Dual() && a.Number != nil && !a.PerConnection {
		word += "-" + strconv.Itoa(t.Number)
	}
	if !n.answers.warned[word] {
		n.answers.warned[word] = true
		n.warnings = append(n.warnings, fmt.Sprintf("%s needs %s: %s; --set %s=…", n.target.Name, word, a.Meaning, a.Name))
	}
	return word
}

// next counts up from the answer given.
func (n *normalizer) next(a Answer, t vpn.Tunnel, first string) string {
	base, _ := strconv.Atoi(first) // its form was checked
	value := base + n.answers.taken[a.Name]
	if last := n.conn.Tunnels[len(n.conn.Tunnels)-1]; !a.PerConnection || t.Number == last.Number {
		n.answers.taken[a.Name]++
	}
	if value > a.Number.Max {
		n.refuse(t, "--set "+a.Name, strconv.Itoa(value), fmt.Sprintf("counting up from %s passes the device's last, %d", first, a.Number.Max), "begin lower")
	}
	return strconv.Itoa(value)
}

// checkAnswers refuses answers no target takes and values of the wrong form.
func checkAnswers(targets []Target, given map[string]string) vpn.Problems {
	var out vpn.Problems
	for _, name := range sortedKeys(given) {
		base, number, numbered := strings.Cut(name, ".")
		var takes *Answer
		for _, t := range targets {
			if i := slices.IndexFunc(t.Answers, func(a Answer) bool { return a.Name == base }); i >= 0 {
				takes = &t.Answers[i]
			}
		}
		value := given[name]
		switch {
		case takes == nil || numbered && number != "1" && number != "2":
			out = append(out, vpn.Problem{Field: "--set", Value: name, Reason: "no target of this run takes it", Hint: "want one of " + strings.Join(answerNames(targets), ", ")})
		case !takes.Form.MatchString(value):
			out = append(out, vpn.Problem{Field: "--set " + name, Value: value, Reason: "not of the form wanted: " + takes.Meaning, Hint: "peerconf targets " + targets[0].Name + " tells more"})
		case takes.Number != nil:
			if v, err := strconv.Atoi(value); err != nil || v < takes.Number.Min || v > takes.Number.Max {
				out = append(out, vpn.Problem{Field: "--set " + name, Value: value, Reason: fmt.Sprintf("the device takes %d to %d", takes.Number.Min, takes.Number.Max), Hint: "choose a free number"})
			}
		}
	}
	return out
}

func answerNames(targets []Target) []string {
	var out []string
	for _, t := range targets {
		for _, a := range t.Answers {
			if !slices.Contains(out, a.Name) {
				out = append(out, a.Name)
			}
		}
	}
	return out
}
