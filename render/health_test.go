package render

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"peerconf/vpn"
)

// TestHealthContradictions holds what is refused of a health check to what no
// device can mend, and what is warned of to what is in doubt.
func TestHealthContradictions(t *testing.T) {
	route := with(plainWords(vpn.IKEv2), everywhere, bgp)
	for _, c := range []struct {
		conn      vpn.Connection
		dip, sip  string
		want      string // of the refusal
		wantsWarn bool
	}{
		{plainWords(vpn.IKEv2), "192.168.10.9", "10.0.0.9", "", false},
		{plainWords(vpn.IKEv2), "10.0.0.9", "192.168.10.9", "swapped", true},
		{plainWords(vpn.IKEv2), "10.0.0.9", "10.0.0.10", "", true},
		{plainWords(vpn.IKEv2), "192.168.10.9", "192.168.10.9", "same address", true},
		{route, "192.168.10.9", "10.0.0.9", "", false},
		{route, "169.254.11.2", "169.254.11.1", "", false},
		{route, "169.254.11.1", "169.254.11.2", "swapped", false},
		{route, "192.168.10.9", "203.0.113.10", "cannot take itself", false},
		{with(route, second, bgp), "192.168.10.9", "10.0.0.9", "", true},
	} {
		c.conn.HealthCheck = &vpn.HealthCheck{PeerAddress: vpn.Address{IP: netip.MustParseAddr(c.dip)}, CloudAddress: vpn.Address{IP: netip.MustParseAddr(c.sip)}, Interval: lifetime(3), Retries: 3}
		problems := vpn.Check(c.conn)
		if (problems != nil) != (c.want != "") || !strings.Contains(fmt.Sprint(problems), c.want) {
			t.Errorf("%s from %s: %v, want %q", c.dip, c.sip, problems, c.want)
		}
		n := normalizer{target: Target{Dialect: &strongswan}, answers: newAnswers(nil, nil), conn: c.conn}
		view, _ := n.normalize()
		warned := strings.Contains(strings.Join(view.Warnings, "\n"), "health check")
		if warned != c.wantsWarn || !strings.Contains(strings.Join(view.Notices, "\n"), "pings "+c.dip+" from "+c.sip) {
			t.Errorf("%s from %s: warnings %q, notices %q", c.dip, c.sip, view.Warnings, view.Notices)
		}
	}
}
