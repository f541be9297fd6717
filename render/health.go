package render

import (
	"fmt"

	"peerconf/vpn"
)

// healthCheck tells what the device has to do for the cloud's health check.
func (n *normalizer) healthCheck(t vpn.Tunnel) {
	h := n.conn.HealthCheck
	if h == nil {
		return
	}
	warn := func(hint, format string, args ...any) {
		n.notices = append(n.notices, notice{tunnel: t.Number, text: "health check: " + fmt.Sprintf(format, args...), warning: true, hint: hint})
	}
	if n.conn.Dual() {
		warn("turn the health check off: the cloud tests the tunnels of such a connection by itself", "the API documents it for connections of one tunnel, and not which of two it is for")
	}
	const inside = "set both addresses of the health check within the connection's subnets, or turn it off"
	if !h.PeerAddress.In(n.conn.PeerSubnets) {
		warn(inside, "%s, which is to answer, is in none of the peer's subnets: the ping cannot take the tunnel, and the cloud resets it", h.PeerAddress)
	}
	if !h.CloudAddress.In(n.conn.CloudSubnets) {
		warn(inside, "%s, which asks, is in none of the cloud's subnets: the answer cannot take the tunnel, and the cloud resets it", h.CloudAddress)
	}
	n.notices = append(n.notices, notice{tunnel: t.Number, text: n.healthNotice(*h)})
}

// healthNotice is what has to be so whatever the device. That a failure resets
// the tunnel is in Alibaba's guide to IPsec connections in single-tunnel mode.
func (n *normalizer) healthNotice(h vpn.HealthCheck) string {
	way, routes := "", "withdraws its routes"
	if routeBased(n.conn, vpn.Tunnel{}) && allOfCloud(n.conn, vpn.Tunnel{}) {
		way = fmt.Sprintf("; route %s/32 into the tunnel", h.CloudAddress)
	}
	if h.KeepsRoutes {
		routes = "keeps its routes"
	}
	return fmt.Sprintf("health check: the cloud pings %s from %s through the tunnel: this device, or a host behind it, has to have that address and answer%s; unanswered with %d retries %d s apart, the cloud resets the tunnel and %s",
		h.PeerAddress, h.CloudAddress, way, h.Retries, h.Interval.Seconds(), routes)
}
