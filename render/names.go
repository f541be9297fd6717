package render

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"peerconf/vpn"
)

// label is the connection in a comment: a name is free text and is quoted, so
// that it stays on its line.
func (n *normalizer) label() string {
	quote := strconv.Quote
	if n.target.ASCII {
		quote = strconv.QuoteToASCII
	}
	title := n.conn.Title()
	if sanitized(title) != title {
		title = quote(title)
	}
	if n.conn.Label == "" && n.conn.Name != "" {
		title += " (" + quote(n.conn.Name) + ")"
	}
	return title
}

// name is what the connection's objects are called on the device: what the
// caller chose, or refused; else the id, fitted. A device with one tunnel of two
// has that tunnel's name for all.
func (n *normalizer) name() string {
	if n.part > 0 {
		return n.chosen() + "-" + strconv.Itoa(n.part)
	}
	return n.chosen()
}

func (n *normalizer) chosen() string {
	room := n.target.MaxName
	if n.conn.Dual() || n.part > 0 {
		room -= len("-1")
	}
	title := n.conn.Title()
	name := sanitized(title)
	if n.conn.Label == "" {
		return fitted(name, title, room)
	}
	if name != title {
		n.refuse(vpn.Tunnel{}, "--name", title, "a name has letters, digits, - and _ and begins with a letter", "choose another --name")
	}
	if len(name) > room {
		n.refuse(vpn.Tunnel{}, "--name", name, fmt.Sprintf("longer than the %d characters the device takes with what is appended", n.target.MaxName), "choose a shorter one with --name")
	}
	return name
}

// fitted shortens a name to the room there is. The checksum is of the whole
// title, so that names that begin alike stay apart.
func fitted(name, title string, room int) string {
	if len(name) <= room {
		return name
	}
	sum := fmt.Sprintf("-%08x", checksum(title))
	return strings.TrimRight(name[:room-len(sum)], "-") + sum
}

// sanitized makes an object name of any text. What is lost is made up for by
// a checksum, so that two texts never become one name.
func sanitized(title string) string {
	var b strings.Builder
	for _, r := range title {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
			b.WriteRune(r)
		} else if s := b.String(); !strings.HasSuffix(s, "-") {
			b.WriteByte('-')
		}
	}
	name := b.String()
	if name == "" || !unicode.IsLetter(rune(name[0])) {
		name = "c-" + strings.TrimPrefix(name, "-")
	}
	if name != title {
		name = fmt.Sprintf("%s-%08x", strings.TrimSuffix(name, "-"), checksum(title))
	}
	return name
}
