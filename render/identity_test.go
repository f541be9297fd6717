package render

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"peerconf/vpn"
)

// TestOutsideAddress holds an identity that a device cannot choose to what the
// operator says of its interface.
func TestOutsideAddress(t *testing.T) {
	given := func(address string) Options {
		if address == "" {
			return Options{}
		}
		return Options{Set: map[string]vpn.Given{"outside-address": {Value: address}}}
	}
	v1, v2 := plain(&ciscoASA, vpn.IKEv1), plain(&ciscoASA, vpn.IKEv2)
	for _, c := range []struct {
		name, target    string
		conn            vpn.Connection
		address         string
		warned, refused bool
	}{
		{"the peer's address", "cisco-ios", v1, "", false, false},
		{"behind NAT, the cloud expects another", "cisco-ios", v1, "192.168.1.2", false, true},
		{"behind NAT, in doubt", "cisco-ios", with(v1, natted), "", true, false},
		{"behind NAT, certain", "cisco-ios", with(v1, natted), "192.168.1.2", false, false},
		{"behind NAT, another", "cisco-ios", with(v1, natted), "192.168.1.3", false, true},
		{"IKEv2 says it", "cisco-ios", with(v2, natted), "", false, false},
		{"a name is said", "cisco-ios", with(v1, identities(vpn.IDFQDN, 0)), "192.168.1.3", false, false},
		{"in doubt with IKEv2", "cisco-asa", with(v2, natted), "", true, false},
		{"certain with IKEv2", "cisco-asa", with(v2, natted), "192.168.1.2", false, false},
		{"another with IKEv2", "cisco-asa", v2, "192.168.1.2", false, true},
	} {
		r, err := New([]string{c.target}, given(c.address))
		if err != nil {
			t.Fatal(err)
		}
		outputs, _, err := r.Render(c.conn)
		if (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "sends it as its identity") {
			t.Errorf("%s, %s: %v", c.target, c.name, err)
		}
		if err == nil && strings.Contains(string(outputs[0].Text), "warning: the outside interface must have the address 192.168.1.2") != c.warned {
			t.Errorf("%s, %s: warned: %t\n%s", c.target, c.name, !c.warned, outputs[0].Text)
		}
	}
}

// anyToAny is how each device says all traffic, whichever the ends.
var anyToAny = map[string]*regexp.Regexp{
	"strongswan":       regexp.MustCompile(`local_ts = 0\.0\.0\.0/0\s+remote_ts = 0\.0\.0\.0/0|if_id_`),
	"strongswan-ipsec": regexp.MustCompile(`leftsubnet=0\.0\.0\.0/0\s+rightsubnet=0\.0\.0\.0/0`),
	"libreswan":        regexp.MustCompile(`leftsubnet=0\.0\.0\.0/0\s+rightsubnet=0\.0\.0\.0/0`),
	"cisco-ios":        regexp.MustCompile(`permit ip (any|0\.0\.0\.0 255\.255\.255\.255) (any|0\.0\.0\.0 255\.255\.255\.255)|interface Tunnel`),
	"cisco-asa":        regexp.MustCompile(`permit ip (any4?|0\.0\.0\.0 0\.0\.0\.0) (any4?|0\.0\.0\.0 0\.0\.0\.0)|interface Tunnel`),
	"juniper-srx":      regexp.MustCompile(`proxy-identity local 0\.0\.0\.0/0\n.*proxy-identity remote 0\.0\.0\.0/0|local-ip 0\.0\.0\.0/0\n.*remote-ip 0\.0\.0\.0/0`),
}

// TestHalfRoute holds a 0.0.0.0/0 on one side to that side: no device is told
// of all traffic unless both sides say so.
func TestHalfRoute(t *testing.T) {
	for _, d := range dialects {
		for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
			p := plain(d, version)
			if text := renderOne(d.Name, with(p, everywhere)).text; !anyToAny[d.Name].MatchString(text) {
				t.Errorf("%s: all traffic is not recognised in\n%s", d.Name, text)
			}
			for name, changes := range map[string][]change{
				"the cloud's side": {allCloud}, "the peer's side": {allPeer},
				"the cloud's side, several of the peer's": {several, allCloud}, "the peer's side, several of the cloud's": {several, allPeer},
				"the cloud's side, two tunnels": {allCloud, second}, "the peer's side, two tunnels": {allPeer, second},
			} {
				r := renderOne(d.Name, with(p, changes...))
				if found := anyToAny[d.Name].FindString(r.text); found != "" {
					t.Errorf("%s, %s, %s: %q", d.Name, version, name, found)
				}
				told := slices.ContainsFunc(r.notices, func(n string) bool { return strings.Contains(n, "subnet is 0.0.0.0/0: ") })
				if r.text != "" && !told {
					t.Errorf("%s, %s, %s: nothing is told of it", d.Name, version, name)
				}
			}
		}
	}
	several := with(plain(&juniperSRX, vpn.IKEv2), several, allCloud)
	if r := renderOne("juniper-srx", several); r.refusals == nil || !strings.Contains(r.refusals.Error(), "Junos has none with the remote address 0.0.0.0/0") {
		t.Errorf("juniper-srx: %v", r.refusals)
	}
}

// TestReadsAsDomain refuses a name that IOS would take for a keyword.
func TestReadsAsDomain(t *testing.T) {
	for name, refused := range map[string]bool{"domain": true, "Dom": true, "d": true, "domain.example": false, "domains": false, "cloud": false} {
		c := with(plain(&ciscoIOS, vpn.IKEv2), each(func(t *vpn.Tunnel) { t.CloudIdentity = vpn.Identity{Kind: vpn.IDFQDN, Value: name} }))
		if r := renderOne("cisco-ios", c); (r.refusals != nil) != refused {
			t.Errorf("%s: %v", name, r.refusals)
		}
	}
}
