package render

import (
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
