package vpn

import (
	"strconv"
	"strings"
	"unicode"
)

// Problem is a refusal: what stands in the way of a right configuration, and
// the way out. It never holds a key.
type Problem struct {
	Source     string // the file, when no connection is known yet
	Connection string
	Tunnel     int    // 0: the connection as a whole
	Field      string // as the reply or the command line spells it
	Value      string
	Target     string
	Reason     string
	Hint       string // what to do or type next; of several ways out each has a line
}

// Error is one line: where, what, why. The hint is kept apart.
func (p Problem) Error() string {
	var where []string
	if p.Source != "" {
		where = append(where, p.Source)
	}
	if p.Connection != "" {
		where = append(where, "connection "+p.Connection)
	}
	if p.Tunnel > 0 {
		where = append(where, "tunnel "+strconv.Itoa(p.Tunnel))
	}
	text := strings.Join(where, ", ")
	if p.Field != "" {
		text += ": " + p.Field
		if p.Value != "" {
			text += " " + strconv.Quote(p.Value)
		}
	}
	if p.Target != "" {
		text += ": " + p.Target
	}
	return Printable(strings.TrimPrefix(text+": "+p.Reason, ": "))
}

// Printable escapes what would leave a line or steer a terminal: ids and API
// messages are other people's text.
func Printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// Problems are all refusals of one connection.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// OrNil returns nil where there is no problem, so that the error is nil too.
func (p Problems) OrNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
