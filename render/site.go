package render

import (
	"fmt"

	"peerconf/vpn"
)

// site is a connection as a drawing shows it: the device's end on the left,
// Alibaba's on the right, and what joins them.
type site struct {
	ids      [2]string   // of the gateways; a Download reply has none
	networks [2][]string // of either side
	links    []link
}

// link is a tunnel, or the health check that takes one.
type link struct {
	kind linkKind
	ends [2][]string // what stands at either end of the line
	name string      // above the line
	over []string    // below it
}

type linkKind int

const (
	activeLink linkKind = iota
	standbyLink
	pingLink
)

// captions are what the two ends are called wherever peerconf speaks.
var captions = [2]string{"peer (device)", "cloud (Alibaba)"}

func siteOf(c vpn.Connection) site {
	s := site{
		ids:      [2]string{vpn.Printable(c.CustomerGatewayID), vpn.Printable(c.VPNGatewayID)},
		networks: [2][]string{texts(c.PeerSubnets), texts(c.CloudSubnets)},
	}
	for _, t := range c.Tunnels {
		s.links = append(s.links, tunnelLink(c, t))
	}
	if h := c.HealthCheck; h != nil {
		s.links = append(s.links, link{kind: pingLink, name: "health check",
			ends: [2][]string{{"answers " + h.PeerAddress.String()}, {"pings from " + h.CloudAddress.String()}}})
	}
	return s
}

func tunnelLink(c vpn.Connection, t vpn.Tunnel) link {
	l := link{name: fmt.Sprintf("tunnel %d", t.Number), over: []string{t.IKE.Version.String()}}
	switch {
	case t.Number == 2:
		l.kind, l.name = standbyLink, l.name+", standby"
	case c.Dual():
		l.name += ", active"
	}
	if t.IKE.Version == vpn.IKEv1 {
		l.over[0] += " " + t.IKE.Mode.String()
	}
	l.ends = [2][]string{
		{t.PeerAddress.String(), "as " + t.PeerIdentity.Value},
		{t.CloudAddress.String(), "as " + t.CloudIdentity.Value},
	}
	if t.CustomerGatewayID != "" {
		l.ends[0] = append(l.ends[0], vpn.Printable(t.CustomerGatewayID))
	}
	if b := t.BGP; b != nil {
		l.ends[0] = append(l.ends[0], fmt.Sprintf("BGP %s, AS %d", b.PeerAddress, b.PeerASN))
		l.ends[1] = append(l.ends[1], fmt.Sprintf("BGP %s, AS %d", b.CloudAddress, b.CloudASN))
		l.over = append(l.over, b.Network.String())
	}
	return l
}

func texts[T fmt.Stringer](values []T) (out []string) {
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}

// caption is what stands over an end.
func (s site) caption(end int) []string {
	if s.ids[end] == "" {
		return []string{captions[end]}
	}
	return []string{captions[end], s.ids[end]}
}
