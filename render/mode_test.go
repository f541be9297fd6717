package render

import (
	"strings"
	"testing"

	"peerconf/vpn"
)

// TestModeOfARun: two connections of a device may have policies for one network
// of the cloud's, and an interface each is refused; another's mode is its own.
func TestModeOfARun(t *testing.T) {
	one := plain(&strongswan, vpn.IKEv2)
	two := with(one, called("OTHER"), each(func(t *vpn.Tunnel) {
		t.CloudAddress = plainTunnel(1, vpn.IKEv2, "203.0.113.30").CloudAddress
		t.CloudIdentity.Value = "203.0.113.30"
	}))
	two.PeerSubnets = subnets("192.168.99.0/24")
	said := func(mode string) map[string]vpn.Given { return map[string]vpn.Given{"mode": {Value: mode}} }
	ofTwo := func(mode string) func(vpn.Connection) map[string]vpn.Given {
		return func(c vpn.Connection) map[string]vpn.Given {
			if c.ID == "OTHER" {
				return said(mode)
			}
			return nil
		}
	}
	for _, c := range []struct {
		options    Options
		interfaces string // of which connection, 1 or 2
		refused    string
	}{
		{Options{}, "", ""},
		{Options{Set: said("policy")}, "", ""},
		{Options{Own: ofTwo("route")}, "2", ""},
		{Options{Defaults: said("route"), Own: ofTwo("policy")}, "1", ""},
		{Options{Set: said("route"), Own: ofTwo("policy")}, "1", `--mode route "10.0.0.0/16": strongswan: another connection of this run routes it`},
	} {
		r, err := New([]string{"strongswan"}, c.options)
		if err != nil {
			t.Fatal(err)
		}
		interfaces, refused := "", ""
		for i, conn := range []vpn.Connection{one, two} {
			out, _, err := r.Render(conn)
			if err != nil {
				refused += err.Error()
			}
			for _, o := range out {
				if strings.Contains(string(o.Text), "if_id_in") {
					interfaces += string(rune('1' + i))
				}
			}
		}
		if interfaces != c.interfaces || (refused == "") != (c.refused == "") || !strings.Contains(refused, c.refused) {
			t.Errorf("%+v: interfaces of %q, refused %q", c, interfaces, refused)
		}
	}
}
