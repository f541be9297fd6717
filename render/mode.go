package render

import (
	"regexp"

	"peerconf/vpn"
)

// The two ways to give a tunnel its traffic, and the choice by the subnets.
const (
	autoMode   = "auto"
	routeMode  = "route"
	policyMode = "policy"
)

// mode is an answer that every device takes.
var mode = Answer{
	Name: "mode", Form: regexp.MustCompile(`^(` + autoMode + `|` + routeMode + `|` + policyMode + `)$`), PerConnection: true,
	Default: constant(autoMode), Fallback: "auto: route where both sides are 0.0.0.0/0 or the device has no other way",
	Meaning: "policy, or route: an interface for each tunnel and routes into it; subnets stay what is negotiated; --mode says the same",
}

// mode settles whether tunnels have interfaces where the subnets leave a choice.
func (n *normalizer) mode() {
	first, d := n.conn.Tunnels[0], n.target
	said := n.given(mode, first)
	must := func(r Rule) bool { return r.When != nil && hasSubnets(n.conn, first) && r.When(n.conn, first) }
	n.conn.Interfaces = said == routeMode
	refuse := func(reason, hint string) { n.refuse(vpn.Tunnel{}, "--mode", said, reason, hint) }
	switch {
	case said == routeMode && must(d.Policed):
		refuse(d.Policed.Reason, d.Policed.Hint)
	case said == policyMode && must(d.Interfaced):
		refuse(d.Interfaced.Reason, d.Interfaced.Hint)
	case said == policyMode && n.conn.RouteBased():
		refuse("both sides are 0.0.0.0/0: a policy would send all traffic of this device into the tunnel", "leave --mode out, or give the connection the subnets of both sides")
	}
}
