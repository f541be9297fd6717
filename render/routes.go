package render

import (
	"fmt"
	"net/netip"
	"strings"

	"peerconf/vpn"
)

// cloudRoutes is an answer that every device takes: where both sides are
// 0.0.0.0/0, no reply says what to route into the tunnel.
var cloudRoutes = Answer{
	Name: "cloud-routes", Form: formNetworks, PerConnection: true, When: static, Removal: static,
	Default: constant(noRoutes), Fallback: "none: a notice says what to route",
	Meaning: "the cloud's networks to route into the tunnel, such as 10.0.0.0/8,172.16.0.0/12; with two tunnels the second is their standby",
}

// unremoved is an answer that no removal needs.
func unremoved(a Answer) Answer {
	a.Removal = nil
	return a
}

const noRoutes = "none"

const routedByScript = "it makes the routes into them too; first run it by hand, sh %[1]s, so that what it routes does not leave in plain while no tunnel is up"

// routed tells whether there are networks to route into the tunnels: those that
// the operator says, or the cloud's subnets.
func (n *normalizer) routed() bool {
	first := n.conn.Tunnels[0]
	if allOfCloud(n.conn, first) {
		said := n.given(cloudRoutes, first)
		return static(n.conn, first) && said != "" && said != noRoutes
	}
	return true
}

// routes settles what goes into the tunnels.
func (n *normalizer) routes(v *View) {
	switch {
	case !n.routed():
	case allOfCloud(n.conn, n.conn.Tunnels[0]):
		v.Routes = n.cloudRoutes(n.given(cloudRoutes, n.conn.Tunnels[0]))
	default:
		v.Routes = v.CloudNets
		n.looped()
	}
	v.Routed = len(v.Routes) > 0
}

// looped refuses subnets whose route into a tunnel interface would take the
// tunnel's own packets with it.
func (n *normalizer) looped() {
	first, must := n.conn.Tunnels[0], n.target.Interfaced.When
	if n.target.removes || !routeBased(n.conn, first) && (must == nil || !must(n.conn, first)) {
		return
	}
	for _, s := range n.conn.CloudSubnets {
		if end := n.within(s.Prefix); end != "" {
			n.refuse(vpn.Tunnel{}, "LocalSubnet", s.String(), "holds "+end+", the cloud's end of the tunnel, whose own packets would go into it",
				"leave --mode route out where it was given; else set LocalSubnet of the connection to the VPC's networks alone")
		}
	}
}

func (n *normalizer) cloudRoutes(list string) []Net {
	return n.listed(cloudRoutes.Name, list, noRoutes, func(p netip.Prefix) (reason, hint string) {
		if end := n.within(p); end != "" {
			return "holds " + end + ", the cloud's end of the tunnel, whose own packets would go into it",
				"list the VPC's networks; for more, first route " + end + "/32 past the tunnel, and then the rest, by hand"
		}
		return "", ""
	})
}

// listed reads an answer's networks; word is what it may say in their place,
// and objects why one may not be among them.
func (n *normalizer) listed(answer, list, word string, objects func(netip.Prefix) (reason, hint string)) []Net {
	var out []vpn.Subnet
	seen := map[netip.Prefix]bool{}
	for _, s := range strings.Split(list, ",") {
		p, err := netip.ParsePrefix(s)
		refuse := func(reason, hint string) { n.refuse(vpn.Tunnel{}, "--set "+answer, s, reason, hint) }
		reason, hint := objects(p)
		switch {
		case err != nil || !p.Addr().Is4():
			refuse("not an IPv4 network such as 10.0.0.0/8, nor "+word, "peerconf targets "+n.target.Name+" tells more")
		case p != p.Masked():
			refuse("has bits set behind its length", "write "+p.Masked().String())
		case seen[p]:
			refuse("listed twice", "list it once")
		case reason != "":
			refuse(reason, hint)
		default:
			out = append(out, vpn.Subnet{Prefix: p})
		}
		seen[p] = true
	}
	return nets(out)
}

// within is the end of a tunnel that a network holds.
func (n *normalizer) within(p netip.Prefix) string {
	for _, t := range n.conn.Tunnels {
		if p.IsValid() && p.Contains(t.CloudAddress.IP) {
			return t.CloudAddress.String()
		}
	}
	return ""
}

// claimRoutes takes what a device routes into its tunnels: a second route to the
// same network would take its place, or half of its traffic.
func (p prepared) claimRoutes(v View, refuse func(field, value, reason, hint string)) {
	const ofOne = "say in the file of --answers which connection it is for"
	field, hint := "--set "+cloudRoutes.Name, ofOne
	if !allOfCloud(v.conn, vpn.Tunnel{}) {
		field, hint = "--mode route", "leave it out for one of them in the file of --answers, or put all subnets of the cloud's into one connection"
	}
	claim := func(field, prefix, hint string) {
		route := sum(fmt.Sprintf("route %s@%s", prefix, v.First.PeerAddress))
		if p.names[route] {
			refuse(field, prefix, "another connection of this run routes it into its tunnel on the same device", hint)
		}
		p.names[route] = true
	}
	for _, r := range v.Routes {
		claim(field, r.Prefix, hint)
	}
	if v.Probed {
		claim("--set "+probeAddress.Name, v.First.Set[probeAddress.key()]+"/32", ofOne)
	}
}

// otherEnd is the address beside a tunnel's own in a network of 4 addresses.
func otherEnd(address string) string {
	ip := ipv4(address)
	if !ip.IsValid() {
		return address + "-other-end" // a word to replace
	}
	b := ip.As4()
	b[3] ^= 3
	return netip.AddrFrom4(b).String()
}
