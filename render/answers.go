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
	given  []map[string]vpn.Given // the command line's, the defaults
	taken  map[string]int         // how many of a counting answer are taken
	warned map[string]bool
	used   map[uint64]bool // sums of values that only one tunnel may have
}

func newAnswers(given ...map[string]vpn.Given) *answers {
	return &answers{given, map[string]int{}, map[string]bool{}, map[uint64]bool{}}
}

// answered returns the tunnel's value for each of the dialect's answers that
// it needs. What is not answered becomes a REPLACE- word and a warning.
func (n *normalizer) answered(t vpn.Tunnel) map[string]string {
	set := map[string]string{}
	for _, a := range n.target.Answers {
		switch {
		case !n.asks(a, n.conn, t):
		case a.Probe && !n.probed():
		case a.Unless != "" && set[Answer{Name: a.Unless}.key()] != "":
		case a.Optional:
			if v := n.given(a, t); v != "" && !n.barred(a, t, v) {
				n.alone(a, t, v, "")
				set[a.key()] = v
			}
		case a.Must != nil:
			n.must(a, t)
		default:
			set[a.key()] = n.answer(a, t)
		}
	}
	return set
}

// barred refuses an optional answer to whom it is no use.
func (n *normalizer) barred(a Answer, t vpn.Tunnel, v string) bool {
	for _, r := range a.Barred {
		if certain, _ := n.target.holds(r.Since, r.Until); certain && r.When(n.conn, t) {
			n.refuse(t, "--set "+a.Name, v, r.Reason, r.Hint)
			return true
		}
	}
	return false
}

// asks tells whether an answer is needed for a tunnel.
func (n *normalizer) asks(a Answer, c vpn.Connection, t vpn.Tunnel) bool {
	return (a.When == nil || a.When(c, t)) && (!n.target.removes || a.Removal != nil && a.Removal(c, t))
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

// must holds an answer to the one value that works. Without an answer that is
// taken for granted only where the peer's address is the value.
func (n *normalizer) must(a Answer, t vpn.Tunnel) {
	v, must := n.given(a, t), a.Must(n.conn, t)
	switch {
	case v == must:
	case v != "":
		n.refuse(t, "--set "+a.Name, v, "the device sends it as its identity, and the peer's identity is "+must, "set RemoteId of the connection to "+v)
	case must != t.PeerAddress.String() && !strings.HasPrefix(must, "REPLACE-"):
		n.notices = append(n.notices, notice{t.Number, fmt.Sprintf("the outside interface must have the address %s, the peer's identity, which the device sends", must), true,
			fmt.Sprintf("--set %s=%s, if that is so; else set RemoteId of the connection to the interface's address", a.Name, must)})
	}
}

// given is the operator's answer: the command line's, else the connection's
// own, else the default; of each, the tunnel's own or the one for all.
func (n *normalizer) given(a Answer, t vpn.Tunnel) string {
	for i, said := range []map[string]vpn.Given{n.answers.given[0], n.own, n.answers.given[1]} {
		if v, ok := said[a.Name+"."+strconv.Itoa(t.Number)]; ok {
			return v.Value
		}
		v, ok := said[a.Name]
		switch {
		case !ok:
		case a.Number == nil:
			return v.Value
		case i == ownLayer:
			return n.count(a, v.Value, n.position(a, t))
		default:
			return n.next(a, t, v.Value)
		}
	}
	return ""
}

const ownLayer = 1

// position is how many tunnels of the connection have taken a counting answer
// before this one.
func (n *normalizer) position(a Answer, t vpn.Tunnel) int {
	if a.PerConnection {
		return 0
	}
	return t.Number - n.whole().Tunnels[0].Number
}

// alone refuses a value that another tunnel of the run has on the same device.
func (n *normalizer) alone(a Answer, t vpn.Tunnel, v, device string) {
	key := sum(a.Name + "=" + v + "@" + device)
	if n.answers.used[key] {
		hint := "give this connection another in the file of --answers, or render it by itself if it is for another device"
		if a.Number != nil {
			hint = "begin elsewhere, or " + hint
		}
		if n.conn.Dual() && !a.PerConnection {
			hint = fmt.Sprintf("answer %s.1 and %s.2 apart, or %s", a.Name, a.Name, hint)
		}
		n.refuse(t, "--set "+a.Name, v, "another tunnel of this run has it", hint)
	}
	n.answers.used[key] = true
}

func (n *normalizer) unanswered(a Answer, t vpn.Tunnel) string {
	word := "REPLACE-" + a.Name
	if (n.conn.Dual() || n.part > 0) && a.Number != nil && !a.PerConnection {
		word += "-" + strconv.Itoa(t.Number)
	}
	if n.run.strict {
		n.refuseUnanswered(a, t)
		return word
	}
	if !n.answers.warned[word] {
		n.answers.warned[word] = true
		n.warnings = append(n.warnings, fmt.Sprintf("%s needs %s: %s; --set %s=…", n.target.Name, word, a.Meaning, a.Name))
	}
	return word
}

// refuseUnanswered is what --strict does; what tunnels share is said once.
func (n *normalizer) refuseUnanswered(a Answer, t vpn.Tunnel) {
	own := a.Number != nil && !a.PerConnection
	said := slices.ContainsFunc(n.problems, func(p vpn.Problem) bool { return p.Field == "--strict" && p.Value == a.Name })
	if own || !said {
		n.refuse(t, "--strict", a.Name, "not answered: "+a.Meaning, fmt.Sprintf("--set %s=…, or a line in the file of --answers", a.Name))
	}
}

// next counts up from the answer given.
func (n *normalizer) next(a Answer, t vpn.Tunnel, first string) string {
	value := n.count(a, first, n.answers.taken[a.Name])
	if last := n.conn.Tunnels[len(n.conn.Tunnels)-1]; !a.PerConnection || t.Number == last.Number {
		n.answers.taken[a.Name]++
	}
	return value
}

// count is the answer so many places behind the first.
func (n *normalizer) count(a Answer, first string, places int) string {
	base, _ := strconv.Atoi(first) // its form was checked
	value := base + places
	last := a.Number.Max
	if certain, _ := n.target.holds("", a.Fewer); a.Fewer != "" && certain {
		last = a.FewerMax
	}
	if value > last {
		n.refuse(vpn.Tunnel{}, "--set "+a.Name, strconv.Itoa(value), fmt.Sprintf("counting up from %s passes the device's last, %d", first, last), "begin lower")
	}
	return strconv.Itoa(value)
}

// CheckAnswers refuses answers that no target at all takes, and values of a
// wrong form.
func CheckAnswers(given map[string]vpn.Given) vpn.Problems {
	var all []Target
	for _, d := range dialects {
		all = append(all, Target{Dialect: d})
	}
	problems := checkAnswers(all, given)
	for i := range problems {
		problems[i].Reason = strings.Replace(problems[i].Reason, " of this run", "", 1)
	}
	return problems
}

// checkAnswers refuses answers no target takes and values of the wrong form.
func checkAnswers(targets []Target, given map[string]vpn.Given) vpn.Problems {
	var out vpn.Problems
	refuse := func(name, value, reason, hint string) {
		p := vpn.Problem{Field: "--set " + name, Value: value, Reason: reason, Hint: hint}
		if given[name].Place != "" {
			p.Source, p.Field = given[name].Place, name
		}
		out = append(out, p)
	}
	for _, name := range sortedKeys(given) {
		base, number, numbered := strings.Cut(name, ".")
		var takes *Answer
		for _, t := range targets {
			if i := slices.IndexFunc(t.Answers, func(a Answer) bool { return a.Name == base }); i >= 0 {
				takes = &t.Answers[i]
			}
		}
		value := given[name].Value
		switch {
		case takes == nil && lacks(targets, base) != "":
			refuse(name, "", lacks(targets, base), "leave it out")
		case takes == nil || numbered && number != "1" && number != "2":
			refuse(name, "", "no target of this run takes it", "want one of "+strings.Join(answerNames(targets), ", "))
		case numbered && takes.PerConnection:
			refuse(name, value, "both tunnels of a connection share it", "say "+base+", for both")
		case !takes.Form.MatchString(value):
			refuse(name, value, "not of the form wanted: "+takes.Meaning, "peerconf targets "+targets[0].Name+" tells more")
		case takes.Number != nil:
			if v, err := strconv.Atoi(value); err != nil || v < takes.Number.Min || v > takes.Number.Max {
				refuse(name, value, fmt.Sprintf("the device takes %d to %d", takes.Number.Min, takes.Number.Max), "choose a free number")
			}
		}
	}
	return out
}

// lacks is why a target of the run can do nothing with an answer.
func lacks(targets []Target, name string) string {
	for _, t := range targets {
		if why := t.Lacks[name]; why != "" {
			return t.Title + ": " + why
		}
	}
	return ""
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
