package render

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"peerconf/vpn"
)

// sample is a connection that stands for what its name says.
type sample struct {
	name string
	conn vpn.Connection
	base vpn.Connection // the same without it
}

func lifetime(seconds int) vpn.Lifetime { return vpn.Lifetime(time.Duration(seconds) * time.Second) }

// plain is a connection that the dialect has words for in every version.
func plain(d *Dialect, version vpn.Version) vpn.Connection {
	ike, esp := d.IKE[version], d.ESP[version]
	c := plainWords(version)
	t := &c.Tunnels[0]
	t.IKE.Integrity = steady(ike.Integrity, vpn.SHA256, vpn.SHA1)
	t.ESP.Integrity = steady(esp.Integrity, vpn.SHA256, vpn.SHA1)
	t.IKE.Group = steady(ike.Group, vpn.MODP2048, vpn.MODP1536)
	t.ESP.PFS = steady(esp.Group, vpn.MODP2048, vpn.MODP1536)
	return c
}

// steady is the first of some values whose word no version lacks.
func steady[K comparable](table map[K]Word, values ...K) K {
	for _, v := range values {
		if w := table[v]; w.Text != "" && w.Since == "" && w.Until == "" {
			return v
		}
	}
	return values[0]
}

func plainWords(version vpn.Version) vpn.Connection {
	return vpn.Connection{
		ID: "NAME", PeerSubnets: subnets("192.168.10.0/24"), CloudSubnets: subnets("10.0.0.0/16"),
		Tunnels: []vpn.Tunnel{plainTunnel(1, version, "203.0.113.10")},
	}
}

func plainTunnel(number int, version vpn.Version, cloud string) vpn.Tunnel {
	const peer = "198.51.100.20"
	return vpn.Tunnel{
		Number: number, PSK: vpn.NewSecret("KEY"), DPD: true, NATT: true,
		PeerAddress: vpn.Address{IP: netip.MustParseAddr(peer)}, PeerIdentity: vpn.Identity{Kind: vpn.IDIPv4, Value: peer},
		CloudAddress: vpn.Address{IP: netip.MustParseAddr(cloud)}, CloudIdentity: vpn.Identity{Kind: vpn.IDIPv4, Value: cloud},
		IKE: vpn.IKE{Version: version, Mode: vpn.Main, Encryption: vpn.AES256, Integrity: vpn.SHA256, Group: vpn.MODP2048, Lifetime: lifetime(86400)},
		ESP: vpn.ESP{Encryption: vpn.AES256, Integrity: vpn.SHA256, PFS: vpn.MODP2048, Lifetime: lifetime(86400)},
	}
}

func subnets(prefixes ...string) []vpn.Subnet {
	var out []vpn.Subnet
	for _, p := range prefixes {
		out = append(out, vpn.Subnet{Prefix: netip.MustParsePrefix(p)})
	}
	return out
}

// A change makes another connection of one.
type change func(*vpn.Connection)

func with(c vpn.Connection, changes ...change) vpn.Connection {
	c.Tunnels = slices.Clone(c.Tunnels)
	for _, do := range changes {
		do(&c)
	}
	return c
}

// each changes every tunnel.
func each(do func(*vpn.Tunnel)) change {
	return func(c *vpn.Connection) {
		for i := range c.Tunnels {
			do(&c.Tunnels[i])
		}
	}
}

func everywhere(c *vpn.Connection) {
	c.PeerSubnets, c.CloudSubnets = subnets("0.0.0.0/0"), subnets("0.0.0.0/0")
}
func several(c *vpn.Connection) {
	c.PeerSubnets, c.CloudSubnets = subnets("192.168.10.0/24", "192.168.20.0/24"), subnets("10.0.0.0/16", "10.8.0.0/16")
}
func allPeer(c *vpn.Connection)  { c.PeerSubnets = subnets("0.0.0.0/0") }
func byRoutes(c *vpn.Connection) { c.Interfaces = true }
func allCloud(c *vpn.Connection) { c.CloudSubnets = subnets("0.0.0.0/0") }
func second(c *vpn.Connection) {
	t := plainTunnel(2, c.Tunnels[0].IKE.Version, "203.0.113.11")
	t.IKE, t.ESP = c.Tunnels[0].IKE, c.Tunnels[0].ESP
	c.Tunnels = append(c.Tunnels, t)
}

var (
	dpdOff     = each(func(t *vpn.Tunnel) { t.DPD = false })
	nattOff    = each(func(t *vpn.Tunnel) { t.NATT = false })
	pfsOff     = each(func(t *vpn.Tunnel) { t.ESP.PFS = vpn.NoGroup })
	aggressive = each(func(t *vpn.Tunnel) { t.IKE.Mode = vpn.Aggressive })
	weakerIKE  = each(func(t *vpn.Tunnel) { t.IKE.Encryption = vpn.AES128 })
	natted     = each(func(t *vpn.Tunnel) { t.PeerIdentity.Value = "192.168.1.2" })
	bgp        = each(func(t *vpn.Tunnel) {
		b := inside(10 + t.Number)
		t.BGP = &b
	})
	bgpKey = each(func(t *vpn.Tunnel) { t.BGP.Key = vpn.NewSecret("KEY") })
)

func inside(n int) vpn.BGP {
	network := netip.MustParsePrefix(fmt.Sprintf("169.254.%d.0/30", n))
	cloud := network.Addr().Next()
	return vpn.BGP{PeerASN: 65001, CloudASN: 45104, PeerAddress: cloud.Next(), CloudAddress: cloud, Network: network}
}

func identities(peer, cloud vpn.IDKind) change {
	value := map[vpn.IDKind]string{vpn.IDFQDN: "%s.example", vpn.IDUserFQDN: "%s@example.com", vpn.IDKeyID: "%s/7", vpn.IDIPv6: "2001:db8::7%.0s"}
	return each(func(t *vpn.Tunnel) {
		if form := value[peer]; form != "" {
			t.PeerIdentity = vpn.Identity{Kind: peer, Value: fmt.Sprintf(form, "peer")}
		}
		if form := value[cloud]; form != "" {
			t.CloudIdentity = vpn.Identity{Kind: cloud, Value: fmt.Sprintf(form, "cloud")}
		}
	})
}

func healthCheck(c *vpn.Connection) {
	c.HealthCheck = &vpn.HealthCheck{PeerAddress: vpn.Address{IP: netip.MustParseAddr("192.168.10.1")},
		CloudAddress: vpn.Address{IP: netip.MustParseAddr("10.0.0.10")}, Interval: lifetime(3), Retries: 3}
}

func called(id string) change { return func(c *vpn.Connection) { c.ID = id } }

// samples show one feature each.
func samples(d *Dialect, version vpn.Version) []sample {
	p := plain(d, version)
	own := p.Tunnels[0].ESP.PFS
	others := slices.DeleteFunc([]vpn.Group{vpn.MODP1536, vpn.MODP2048, vpn.MODP1024}, func(g vpn.Group) bool { return g == own })
	pfsOther := each(func(t *vpn.Tunnel) { t.ESP.PFS = steady(d.ESP[version].Group, others...) })
	long, chinese := with(p, called("vco-"+strings.Repeat("x", 76))), with(p, called("到杭州的连接"))
	out := []sample{
		{"one tunnel, subnets", p, p},
		{"one tunnel, 0.0.0.0/0 on both sides", with(p, everywhere), p},
		{"two tunnels, subnets", with(p, second), p},
		{"two tunnels, 0.0.0.0/0 on both sides", with(p, everywhere, second), p},
		{"several subnets", with(p, several), p},
		{"several subnets, two tunnels", with(p, several, second), p},
		{"one tunnel, subnets, mode route", with(p, byRoutes), p},
		{"two tunnels, subnets, mode route", with(p, second, byRoutes), with(p, second)},
		{"0.0.0.0/0 on the cloud's side only", with(p, allCloud), p},
		{"0.0.0.0/0 on the peer's side only", with(p, allPeer), p},
		{"PFS", p, with(p, pfsOff)},
		{"PFS off", with(p, pfsOff), p},
		{"PFS group other than the IKE group", with(p, pfsOther), p},
		{"ESP's cipher stronger than IKE's", with(p, weakerIKE), p},
		{"DPD", p, with(p, dpdOff)},
		{"DPD off", with(p, dpdOff), p},
		{"NAT traversal off", with(p, nattOff), p},
		{"identity other than the address", with(p, natted), p},
		{"BGP", with(p, everywhere, bgp), with(p, everywhere)},
		{"BGP with an MD5 key", with(p, everywhere, bgp, bgpKey), with(p, everywhere, bgp)},
		{"BGP, two tunnels", with(p, everywhere, second, bgp), with(p, everywhere, second)},
		{"health check", with(p, healthCheck), p},
		{"health check, 0.0.0.0/0 on both sides", with(p, everywhere, healthCheck), with(p, everywhere)},
		{"name of 80 characters", long, long},
		{"name in Chinese", chinese, chinese},
	}
	if version == vpn.IKEv1 {
		out = append(out, sample{"aggressive mode", with(p, aggressive), p})
	}
	for _, kind := range vpn.IDKinds {
		if kind != vpn.IDIPv4 {
			out = append(out, sample{"peer's identity of kind " + kind.String(), with(p, identities(kind, 0)), p})
			out = append(out, sample{"cloud's identity of kind " + kind.String(), with(p, identities(0, kind)), p})
		}
	}
	if version == vpn.IKEv1 {
		out = append(out, sample{"aggressive mode, both identities of kind fqdn", with(p, aggressive, identities(vpn.IDFQDN, vpn.IDFQDN)), p})
	}
	return out
}

// rendered is what a target makes of a connection: text, or a refusal.
type rendered struct {
	text     string
	notices  []string
	refusals vpn.Problems
}

func renderOne(target string, c vpn.Connection) rendered {
	var options Options
	if c.Interfaces { // what the answer makes of a connection
		options.Set = map[string]vpn.Given{mode.Name: {Value: routeMode}}
	}
	r, err := New([]string{target}, options)
	if err != nil {
		panic(err)
	}
	outputs, _, err := r.Render(c)
	var out rendered
	if err != nil && !errors.As(err, &out.refusals) {
		panic(err)
	}
	for _, o := range outputs {
		out.text += string(o.Text)
	}
	for _, m := range remark.FindAllStringSubmatch(out.text, -1) {
		out.notices = append(out.notices, m[1])
	}
	return out
}

var remark = regexp.MustCompile(`(?m)^[#!] (?:notice|warning): (.*)$`)

// stated are the lines that configure, without indentation.
func (r rendered) stated(comment string) []string {
	var out []string
	for _, line := range strings.Split(r.text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, comment) {
			out = append(out, line)
		}
	}
	return out
}

// boundaries are the versions from which on something is otherwise, in order.
func (d *Dialect) boundaries() []Version {
	found := map[Version]bool{}
	collect(reflect.ValueOf(*d), found)
	delete(found, "")
	var out []Version
	for v := range found {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b Version) int { return slices.Compare(a.numbers(), b.numbers()) })
	return out
}

func collect(v reflect.Value, found map[Version]bool) {
	if v.Type() == reflect.TypeFor[Version]() {
		found[Version(v.String())] = true
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[regexp.Regexp]() {
			return
		}
		for i := range v.NumField() {
			collect(v.Field(i), found)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), found)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			collect(v.MapIndex(k), found)
		}
	}
}

// TestStatementsOfEveryWord holds to the tables what no golden shows: each
// word of each phase, the lifetimes at both ends of their ranges, and every
// sample, for every version that makes a difference.
func TestStatementsOfEveryWord(t *testing.T) {
	for _, d := range dialects {
		if !hasStatements(d) {
			continue
		}
		table := statements(t, d.Name)
		checked := 0
		for _, target := range d.everyVersion() {
			for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
				for _, s := range append(samples(d, version), everyWord(d, version)...) {
					text := renderOne(target, s.conn).text
					if text == "" {
						continue // refused
					}
					checked++
					for _, f := range table.check(text, d.Comment) {
						t.Errorf("%s, %s, %s: %s in\n%s", target, version, s.name, f, text)
					}
				}
			}
		}
		if checked < 60 {
			t.Errorf("%s: only %d configurations checked", d.Name, checked)
		}
	}
}

// everyVersion is the dialect as a target: without a version, and of each that
// makes a difference, the oldest one first.
func (d *Dialect) everyVersion() []string {
	out := []string{d.Name}
	for _, v := range d.boundaries() {
		out = append(out, d.Name+"@"+string(v))
	}
	return out
}

func everyWord(d *Dialect, version vpn.Version) []sample {
	p := plain(d, version)
	var out []sample
	add := func(name string, do func(*vpn.Tunnel)) { out = append(out, sample{name, with(p, each(do)), p}) }
	for _, e := range vpn.Encryptions {
		add("IKE "+e.String(), func(t *vpn.Tunnel) { t.IKE.Encryption = e })
		add("ESP "+e.String(), func(t *vpn.Tunnel) { t.ESP.Encryption = e })
	}
	for _, i := range vpn.Integrities {
		add("IKE "+i.String(), func(t *vpn.Tunnel) { t.IKE.Integrity = i })
		add("ESP "+i.String(), func(t *vpn.Tunnel) { t.ESP.Integrity = i })
	}
	for _, g := range vpn.Groups {
		add("IKE "+g.String(), func(t *vpn.Tunnel) { t.IKE.Group = g })
		add("ESP "+g.String(), func(t *vpn.Tunnel) { t.ESP.PFS = g })
	}
	for _, l := range []Range{d.IKE[version].Lifetime, d.ESP[version].Lifetime} {
		for _, s := range []int{l.Min, l.Max} {
			add(fmt.Sprintf("IKE lifetime %d", s), func(t *vpn.Tunnel) { t.IKE.Lifetime = lifetime(s) })
			add(fmt.Sprintf("ESP lifetime %d", s), func(t *vpn.Tunnel) { t.ESP.Lifetime = lifetime(s) })
		}
	}
	return out
}
