package render

import (
	"net/netip"
	"slices"

	"peerconf/vpn"
)

// A probe pings an address of the cloud through the first tunnel: a path may be
// dead though DPD, between the two gateways, is answered. Its pings have a
// source of their own: an unnumbered tunnel interface would lend them the
// outside address, which the cloud does not route into the connection. The
// health check's Sip is no such address: what asks need not answer, and the
// check is documented for connections of one tunnel.
var (
	probeAddress = Answer{
		Name: "probe-address", Form: form(func(s string) bool { return s == noProbe || ipv4(s).IsValid() }), PerConnection: true, When: backedUp, Removal: backedUp,
		Default: constant(noProbe), Fallback: "none: the state of the tunnel interfaces alone decides",
		Meaning: "an address of the cloud's that answers ping: while it does not through the first tunnel, the second's cloud-routes are used",
	}
	probeSource = Answer{
		Name: "probe-source", Form: formAddress, PerConnection: true, Probe: true, When: backedUp,
		Meaning: "this device's address to ping probe-address from, of a network that the cloud routes into the connection, such as the inside interface's",
	}
)

const noProbe = "none"

// backedUp connections have two tunnels whose routes are the operator's.
func backedUp(c vpn.Connection, t vpn.Tunnel) bool { return c.Dual() && static(c, t) }

var (
	unprobed = Rule{When: backedUp, Routed: true, Unprobed: true,
		Reason: "a path that is dead while its tunnel is up is noticed only with --set probe-address=ADDRESS, an address of the cloud's that answers ping"}
	probed = Rule{When: backedUp, Probed: true,
		Reason: "the first tunnel's routes are used while probe-address answers pings through it: the cloud has to let them in (security group, network ACL) and to route probe-source into this connection; which tunnel it sends through itself is up to the cloud"}
)

// noProbes: where a daemon's script moves the routes.
var noProbes = map[string]string{
	probeAddress.Name: "routes follow the tunnels' SAs, which DPD watches, and nothing sends pings",
	probeSource.Name:  "routes follow the tunnels' SAs, which DPD watches, and nothing sends pings",
}

// probed tells whether a probe watches the first tunnel.
func (n *normalizer) probed() bool { return n.routed() && n.part == 0 && n.probing() != "" }

// probing is the address to ping, or nothing.
func (n *normalizer) probing() string {
	whole := n.whole()
	first := whole.Tunnels[0]
	takes := slices.ContainsFunc(n.target.Answers, func(a Answer) bool { return a.Name == probeAddress.Name })
	said := n.given(probeAddress, first)
	if !takes || !backedUp(whole, first) || said == noProbe {
		return ""
	}
	return said
}

// probe settles whether there is one, and whether it can tell anything.
func (n *normalizer) probe(v *View) {
	said := n.probing()
	v.Probed = n.probed()
	address, _ := netip.ParseAddr(said)
	refuse := func(answer, value, reason, hint string) { n.refuse(vpn.Tunnel{}, "--set "+answer, value, reason, hint) }
	const within = "choose an address within the networks of --set cloud-routes"
	switch {
	case said == "" || n.target.removes:
		return
	case n.part > 0:
		refuse(probeAddress.Name, said, "the routes of two tunnels hang on it, and --tunnel writes one", "--set probe-address=none, or leave it out")
		return
	case !v.Probed:
		refuse(probeAddress.Name, said, "there are no routes that could hang on it", "--set cloud-routes=NETWORK,NETWORK says what to route into the tunnels")
		return
	case v.has(netip.PrefixFrom(address, 32)):
		v.Probed = false // the route is claimed already
		refuse(probeAddress.Name, said, "is one of --set cloud-routes by itself, and its way through the first tunnel has to stay", within)
	case !v.reaches(address):
		refuse(probeAddress.Name, said, "is in none of the networks of --set cloud-routes", within)
	}
	source := v.First.Set[probeSource.key()]
	for _, t := range n.conn.Tunnels {
		if source == t.PeerAddress.String() {
			refuse(probeSource.Name, source, "is the address that the tunnel itself ends on, and the cloud's answer would not take the tunnel", "choose this device's address in a network that the cloud routes into the connection")
			return
		}
	}
	if source == said {
		refuse(probeSource.Name, source, "is probe-address itself", "choose an address of this device")
	}
}

// reaches tells whether an address is in a network that is routed.
func (v *View) reaches(a netip.Addr) bool {
	return slices.ContainsFunc(v.Routes, func(r Net) bool { return netip.MustParsePrefix(r.Prefix).Contains(a) })
}

// has tells whether a network is routed.
func (v *View) has(p netip.Prefix) bool {
	return slices.ContainsFunc(v.Routes, func(r Net) bool { return r.Prefix == p.String() })
}
