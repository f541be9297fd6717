package render

import (
	"strings"
	"testing"

	"peerconf/vpn"
)

// TestRoutesOfARun refuses the same network through two tunnels of a device,
// and lets it be on two devices.
func TestRoutesOfARun(t *testing.T) {
	one := with(plain(&ciscoIOS, vpn.IKEv2), everywhere)
	elsewhere := func(peer string) vpn.Connection {
		return with(one, called("OTHER"), each(func(t *vpn.Tunnel) {
			t.CloudAddress = plainTunnel(1, vpn.IKEv2, "203.0.113.30").CloudAddress
			t.CloudIdentity.Value = "203.0.113.30"
			if peer != "" {
				t.PeerAddress = plainTunnel(1, vpn.IKEv2, peer).CloudAddress
			}
		}))
	}
	for _, c := range []struct {
		two  vpn.Connection
		want string
	}{
		{elsewhere(""), `--set cloud-routes "10.0.0.0/8": cisco-ios: another connection of this run routes it`},
		{elsewhere("198.51.100.30"), ""},
		{with(elsewhere(""), several), ""},
	} {
		r, err := New([]string{"cisco-ios"}, Options{Set: map[string]vpn.Given{"cloud-routes": {Value: "10.0.0.0/8"}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = r.Render(one); err != nil {
			t.Fatal(err)
		}
		if _, _, err = r.Render(c.two); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("want %q: %v", c.want, err)
		}
	}
}

// TestBGPHasNoStaticRoutes: the answer is for others of the run.
func TestBGPHasNoStaticRoutes(t *testing.T) {
	for _, d := range dialects {
		r, err := New([]string{d.Name}, Options{Set: map[string]vpn.Given{"cloud-routes": {Value: "10.0.0.0/8"}}})
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := r.Render(with(plain(d, vpn.IKEv2), everywhere, bgp))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			if strings.Contains(string(o.Text), "10.0.0.0") {
				t.Errorf("%s: %s routes what BGP is to", d.Name, o.Name)
			}
		}
	}
}

// TestLooped refuses a tunnel interface that its own packets would be routed
// into, and nothing where no route is written.
func TestLooped(t *testing.T) {
	around := with(plain(&strongswan, vpn.IKEv2), func(c *vpn.Connection) { c.CloudSubnets = subnets("203.0.113.0/24") })
	for _, c := range []struct {
		target, mode string
		refused      bool
	}{
		{"strongswan", autoMode, false}, {"strongswan", routeMode, true}, {"libreswan", routeMode, true},
		{"cisco-ios", autoMode, false}, {"cisco-ios", routeMode, true}, {"juniper-srx", autoMode, true},
	} {
		r, err := New([]string{c.target}, Options{Set: map[string]vpn.Given{"mode": {Value: c.mode}}})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = r.Render(around)
		if refused := err != nil && strings.Contains(err.Error(), "own packets would go into it"); refused != c.refused {
			t.Errorf("%s, mode %s: %v", c.target, c.mode, err)
		}
	}
}
