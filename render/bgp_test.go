package render

import (
	"strings"
	"testing"

	"peerconf/vpn"
)

// TestBGPOfARun refuses what two connections cannot have on one device.
func TestBGPOfARun(t *testing.T) {
	one := with(plain(&strongswan, vpn.IKEv2), everywhere, bgp)
	for want, change := range map[string]func(*vpn.Tunnel){
		"": func(t *vpn.Tunnel) { *t.BGP = inside(12) },
		"TunnelCidr \"169.254.11.2/30\": strongswan: another connection": func(*vpn.Tunnel) {},
		"PeerAsn \"65002\": strongswan: another connection":              func(t *vpn.Tunnel) { *t.BGP = inside(12); t.BGP.PeerASN = 65002 },
	} {
		two := with(one, bgp, each(func(t *vpn.Tunnel) {
			t.CloudAddress = plainTunnel(1, vpn.IKEv2, "203.0.113.30").CloudAddress
			change(t)
		}))
		two.ID = "OTHER"
		r, err := New([]string{"strongswan"}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = r.Render(one); err != nil {
			t.Fatal(err)
		}
		if _, _, err = r.Render(two); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// TestNothingAnnounced holds every target to a filter that lets nothing out
// where nothing is to be announced.
func TestNothingAnnounced(t *testing.T) {
	closed := map[string]string{
		"cisco-ios": "route-map NAME-1-out deny 10\n", "cisco-asa": "route-map NAME-1-out deny 10\n",
		"juniper-srx": "set policy-options policy-statement NAME-1-out term others then reject\n",
	}
	for _, d := range dialects {
		text := renderOne(d.Name, with(plain(d, vpn.IKEv2), everywhere, second, bgp)).text
		want := closed[d.Name]
		if want == "" {
			want = closed["cisco-ios"]
		}
		for _, w := range []string{want, strings.Replace(want, "NAME-1", "NAME-2", 1)} {
			if strings.Count(text, w) != 1 {
				t.Errorf("%s: no %q in\n%s", d.Name, w, text)
			}
		}
		for _, open := range []string{"-out permit", "-out term networks", "  network "} {
			if strings.Contains(text, open) {
				t.Errorf("%s: %q in\n%s", d.Name, open, text)
			}
		}
	}
}
