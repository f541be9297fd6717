package fetch

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"peerconf/vpn"
)

// TestHealthCheck settles the health check in the shapes it comes in: Dip is
// the peer's, and what is left out is the documented default.
func TestHealthCheck(t *testing.T) {
	reply := file(t, "ikev2-policy.json")
	for said, want := range map[string]*vpn.HealthCheck{
		`null`: nil,
		`{}`:   nil,
		`{"Enable":"false","Dip":"","Sip":"","Interval":0,"Retry":0}`:                                                     nil,
		`{"Enable":false,"Dip":"junk"}`:                                                                                   nil,
		`{"Enable":"true","Dip":"192.168.10.1","Sip":"10.0.0.10"}`:                                                        {Interval: vpn.LifetimeOf(3), Retries: 3},
		`{"Enable":true,"Dip":"192.168.10.1","Sip":"10.0.0.10","Interval":"7","Retry":2,"Policy":"Reserve_Route"}`:        {Interval: vpn.LifetimeOf(7), Retries: 2, KeepsRoutes: true},
		`{"Enable":"True","dip":"192.168.10.1","sip":"10.0.0.10","interval":5,"retry":"4","Policy":"","Status":"failed"}`: {Interval: vpn.LifetimeOf(5), Retries: 4},
	} {
		got, err := readAll(Options{}, memory("reply", strings.Replace(reply, `"IkeConfig"`, `"VcoHealthCheck": `+said+`, "IkeConfig"`, 1)))
		if err != nil {
			t.Errorf("%s: %v", said, err)
			continue
		}
		if want != nil {
			want.PeerAddress, want.CloudAddress = vpn.Address{IP: netip.MustParseAddr("192.168.10.1")}, vpn.Address{IP: netip.MustParseAddr("10.0.0.10")}
		}
		if diff := cmp.Diff(want, got[0].HealthCheck, same...); diff != "" {
			t.Errorf("%s:\n%s", said, diff)
		}
	}
}
