package render

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"peerconf/vpn"
)

// partOf leaves of a connection with two tunnels the one that a device has, and
// returns its number and what is left out. A connection with one tunnel is the
// first device's. Names, numbers and keys are those that both together have.
func partOf(c *vpn.Connection, tunnel int) (part int, others []vpn.Tunnel, err error) {
	if tunnel == 0 {
		return 0, nil, nil
	}
	i := slices.IndexFunc(c.Tunnels, func(t vpn.Tunnel) bool { return t.Number == tunnel })
	if i < 0 {
		reason := "the connection has one tunnel"
		if c.Tunnels[0].Number == 2 {
			reason = "the reply lists the other tunnel only"
		}
		return 0, nil, vpn.Problems{{Connection: c.Title(), Field: "--tunnel", Value: strconv.Itoa(tunnel), Reason: reason,
			Hint: fmt.Sprintf("--tunnel %d, or leave it out", c.Tunnels[0].Number)}}
	}
	if c.Dual() || tunnel == 2 {
		part = tunnel
	}
	own := c.Tunnels[i]
	others = slices.Delete(slices.Clone(c.Tunnels), i, i+1)
	c.Tunnels = []vpn.Tunnel{own}
	return part, others, nil
}

// whole is the connection with the other device's tunnel.
func (n *normalizer) whole() vpn.Connection {
	c := n.conn
	c.Tunnels = slices.Concat(c.Tunnels, n.others)
	slices.SortFunc(c.Tunnels, func(a, b vpn.Tunnel) int { return cmp.Compare(a.Number, b.Number) })
	return c
}

// othersProblem tells whether a contradiction is the other device's, or would be
// one on one device only.
func (n *normalizer) othersProblem(p vpn.Problem) bool {
	return n.part > 0 && (p.Tunnel > 0 && p.Tunnel != n.part || p.Field == "PeerAsn")
}

// pass takes the numbers that the other device's tunnel has, before a tunnel's
// (-1) or behind (1).
func (n *normalizer) pass(t vpn.Tunnel, side int) {
	problems := len(n.problems)
	for _, u := range n.others {
		for _, a := range n.target.Answers {
			if a.Number != nil && !a.PerConnection && cmp.Compare(u.Number, t.Number) == side && n.asks(a, n.whole(), u) {
				n.given(a, u)
			}
		}
	}
	n.problems = n.problems[:problems]
}

// parted notices that the device has one tunnel of two.
func (n *normalizer) parted() {
	if n.part == 0 || n.target.removes {
		return
	}
	role, place := "preferred one", "another device"
	if n.part == 2 {
		role = "standby"
	}
	other := 3 - n.part
	for _, u := range n.others {
		if u.PeerAddress != n.conn.Tunnels[0].PeerAddress {
			place = "the device at " + u.PeerAddress.String()
		}
	}
	n.notices = append(n.notices, notice{text: fmt.Sprintf("tunnel %d of two, the %s: tunnel %d is for %s (--tunnel %d); the two devices have to tell each other of a tunnel that is down, as by iBGP or VRRP, and nothing here does", n.part, role, other, place, other)})
}

// uplinks warns where one interface is to have both addresses that the tunnels
// end on.
func (n *normalizer) uplinks(v View) {
	if n.target.removes || !twoPeers(n.conn, vpn.Tunnel{}) {
		return
	}
	for _, a := range n.target.Answers {
		if by := v.Tunnels[0].Set[a.key()]; a.Uplink && by == v.Tunnels[1].Set[a.key()] {
			n.notices = append(n.notices, notice{warning: true,
				text: fmt.Sprintf("the tunnels end on %s and %s, and both leave by %s: where this device has both, each needs its interface (--set %s.1 and %s.2), and its cloud address a route through it", v.Tunnels[0].PeerAddress, v.Tunnels[1].PeerAddress, by, a.Name, a.Name),
				hint: fmt.Sprintf("--set %s.1=… and --set %s.2=…, or --tunnel 1 and --tunnel 2 where they are two devices", a.Name, a.Name)})
		}
	}
}
