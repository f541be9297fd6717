package render

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"peerconf/vpn"
)

// defines finds what a device has once: names, numbers and addresses in the
// lines that make an object. In "many" an object takes several lines.
var defines = map[string]struct{ once, many *regexp.Regexp }{
	"strongswan":       {once: regexp.MustCompile(`(?m)^\t+[A-Za-z][\w-]*-[\w-]* \{$|if_id_in = \d+`)},
	"strongswan-ipsec": {once: regexp.MustCompile(`(?m)^conn \S+|^\tmark=\S+|link add \S+`)},
	"libreswan":        {once: regexp.MustCompile(`(?m)^conn \S+|^\tmark=\S+|^\tvti-interface=\S+`)},
	"cisco-ios": {once: regexp.MustCompile(`(?m)^crypto (keyring|isakmp policy|isakmp profile|ikev2 proposal|ikev2 keyring|ikev2 profile|ipsec transform-set|ipsec profile) \S+` +
		`|^interface Tunnel\d+|^ip access-list extended \S+|^crypto map \S+ \d+ ipsec-isakmp|^ip sla \d+|^track \d+|^ip route .* permanent`)},
	"cisco-asa": {once: regexp.MustCompile(`(?m)^crypto (ikev[12] policy|ipsec ikev1 transform-set|ipsec ikev2 ipsec-proposal|ipsec profile) \S+|^group-policy \S+ internal|^tunnel-group \S+ type` +
		`|^interface Tunnel\d+|^ nameif \S+|^ ip address \S+|^object-group network \S+|^crypto map \S+ \d+ match address`),
		many: regexp.MustCompile(`(?m)^access-list \S+`)},
	"juniper-srx": {once: regexp.MustCompile(`(?m)^set security (ike proposal \S+ authentication-method|ike policy \S+ pre-shared-key|ike gateway \S+ ike-policy|ipsec proposal \S+ protocol|ipsec policy \S+ proposals|ipsec vpn \S+ bind-interface)` +
		`|^set interfaces st0 unit \d+ family inet mtu|^set security zones security-zone \S+ interfaces \S+$|^set services rpm probe \S+ test \S+ probe-type|^set services ip-monitoring policy \S+ match|^set routing-options .* next-hop st0\.\d+$`)},
}

// crowd is connections of every kind that one device has: one tunnel and two,
// subnets and 0.0.0.0/0, both IKE versions, long names and foreign ones.
func crowd(d *Dialect) []vpn.Connection {
	var out []vpn.Connection
	for i := range 60 {
		c := with(plain(d, vpn.Version(1+i%2)), called(fmt.Sprintf([]string{"vco-bp1%d", "vco-%d" + strings.Repeat("x", 90), "到杭州的连接 %d"}[i%3], i)))
		if i%4 > 1 {
			c = with(c, second)
		}
		if i%5 > 1 {
			c = with(c, everywhere)
		} else if i%10 < 5 {
			c = with(c, several)
		}
		if len(c.PeerSubnets) > 1 && c.Dual() {
			c = with(c, func(c *vpn.Connection) { c.CloudSubnets, c.PeerSubnets = c.CloudSubnets[:1], c.PeerSubnets[:1] })
		}
		for j := range c.Tunnels {
			address := netip.AddrFrom4([4]byte{203, 0, byte(i), byte(10 + j)})
			c.Tunnels[j].CloudAddress.IP, c.Tunnels[j].CloudIdentity.Value = address, address.String()
		}
		out = append(out, c)
	}
	return out
}

// ownBase is where a connection's own numbers begin, away from the run's.
func ownBase(i int) int { return 5000 + 10*i }

// crowdAnswers answers all that a dialect asks: numbers for the run, other
// numbers for each seventh connection, and addresses for each.
func crowdAnswers(d *Dialect, base string) (run map[string]vpn.Given, own func(vpn.Connection) map[string]vpn.Given) {
	run = map[string]vpn.Given{}
	for _, a := range d.Answers {
		switch {
		case a.Must != nil || a.Unique || a.Optional:
		case a.Number != nil:
			run[a.Name] = vpn.Given{Value: inRange(a, base)}
		case a.Name == probeSource.Name:
			run[a.Name] = vpn.Given{Value: "192.168.10.1"}
		case a.Default == nil:
			run[a.Name] = vpn.Given{Value: "word"}
		}
	}
	return run, func(c vpn.Connection) map[string]vpn.Given {
		i := int(c.Tunnels[0].CloudAddress.IP.As4()[2])
		out := map[string]vpn.Given{}
		for _, a := range d.Answers {
			if a.Number != nil && !a.Optional && i%7 == 0 {
				out[a.Name] = vpn.Given{Value: inRange(a, strconv.Itoa(ownBase(i)))}
			}
			if a.Name == probeAddress.Name {
				out[cloudRoutes.Name] = vpn.Given{Value: fmt.Sprintf("10.%d.0.0/16", i)}
				out[a.Name] = vpn.Given{Value: fmt.Sprintf("10.%d.0.10", i)}
			}
			if a.Name == "tunnel-address" {
				out[a.Name+".1"] = vpn.Given{Value: fmt.Sprintf("169.254.%d.2", i)}
				out[a.Name+".2"] = vpn.Given{Value: fmt.Sprintf("169.254.%d.6", i)}
			}
		}
		return out
	}
}

// inRange is a number, or a tenth of it for what counts to 1000.
func inRange(a Answer, number string) string {
	if n, _ := strconv.Atoi(number); a.Number.Max <= 1000 {
		return strconv.Itoa(n / 10)
	}
	return number
}

// TestManyInOneDevice renders dozens of connections for one device: no two
// objects have one name, number or address, be the numbers the run's, their
// own, or both, and wherever they begin.
func TestManyInOneDevice(t *testing.T) {
	for _, d := range dialects {
		for _, base := range []string{"100", "2000"} {
			run, own := crowdAnswers(d, base)
			for name, options := range map[string]Options{
				"--set":             {Set: run},
				"defaults and own":  {Defaults: run, Own: own},
				"what is by itself": {Own: own},
			} {
				if name == "--set" {
					options.Own = own // for the addresses; --set goes before its numbers
				}
				if found := collisions(t, d, options); len(found) > 0 {
					t.Errorf("%s, %s from %s: %q", d.Name, name, base, found)
				}
			}
		}
	}
}

// collisions are objects that two tunnels or two connections of a crowd have.
func collisions(t *testing.T, d *Dialect, options Options) (out []string) {
	t.Helper()
	r, err := New([]string{d.Name}, options)
	if err != nil {
		t.Fatal(err)
	}
	owner := map[string]string{}
	objects := 0
	for _, c := range crowd(d) {
		outputs, _, err := r.Render(c)
		if err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		text := string(outputs[0].Text)
		for _, object := range defines[d.Name].once.FindAllString(text, -1) {
			objects++
			if _, taken := owner[object]; taken && !strings.Contains(object, "REPLACE-") {
				out = append(out, object)
			}
			owner[object] = c.ID
		}
		if many := defines[d.Name].many; many != nil {
			for _, object := range many.FindAllString(text, -1) {
				if other, taken := owner[object]; taken && other != c.ID {
					out = append(out, object)
				}
				owner[object] = c.ID
			}
		}
	}
	if objects < 100 {
		t.Errorf("%s: only %d objects found", d.Name, objects)
	}
	return out
}

// TestOwnNumberTaken refuses a connection's own number that the run has given
// away, as two with one number would be one on the device.
func TestOwnNumberTaken(t *testing.T) {
	options := Options{Defaults: map[string]vpn.Given{"st0-unit": {Value: "100"}}, Own: func(c vpn.Connection) map[string]vpn.Given {
		if c.ID == "third" {
			return map[string]vpn.Given{"st0-unit": {Value: "101"}}
		}
		return nil
	}}
	r, err := New([]string{"juniper-srx"}, options)
	if err != nil {
		t.Fatal(err)
	}
	all := crowd(&juniperSRX)
	for i, id := range []string{"first", "second", "third"} {
		_, _, err = r.Render(with(all[4*i], called(id)))
		if (err != nil) != (id == "third") {
			t.Fatalf("%s: %v", id, err)
		}
	}
	if p := err.(vpn.Problems)[0]; p.Field != "--set st0-unit" || p.Value != "101" || !strings.Contains(p.Hint, "--answers") {
		t.Errorf("%+v", p)
	}
}
