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
