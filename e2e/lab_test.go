//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// lab is a small Internet:
//
//	idc ── dev ── inet ──┬── gw1 ── vpc1
//	                     └── gw2 ── vpc2
//
// dev is the customer's device, gw1 and gw2 the cloud's ends of the two
// tunnels, the rest are hosts. inet knows no private network, so what arrives
// there in plain is lost. Both vpc hosts have the same addresses: the device's
// choice of tunnel decides which is reached.
type lab struct {
	name    string // of its namespaces, as a prefix
	dir     string
	kernel  string // "host", whose ESP is charon's own; else a guest with ESP
	first   bool   // its daemons go before those of other labs
	plan    plan   // what stands
	gateway [2]*charon
	wire    *wire
}

// plan is what the network has to look like for a connection.
type plan string

func (s said) plan() plan {
	return plan(fmt.Sprint(s.Cloud, s.Peer, s.addresses(), s.Inside, s.bgpAddresses()))
}

func (s said) addresses() (out []netip.Addr) {
	for _, t := range s.Tunnels {
		out = append(out, t.CloudAddress, t.PeerAddress)
	}
	return out
}

func (l *lab) space(host string) space { return space{net: l.net(host)} }

func (l *lab) net(host string) string { return l.name + "-" + host }

// The private networks behind both ends where the connection says 0.0.0.0/0.
var (
	behindPeer  = prefixes("10.0.0.0/24,10.0.1.0/24")
	behindCloud = prefixes("10.1.0.0/24,10.1.1.0/24")
)

func (s said) networks() (peer, cloud []netip.Prefix) {
	if s.routeBased() {
		return behindPeer, behindCloud
	}
	return s.Peer, s.Cloud
}

func (s said) routeBased() bool { return s.Peer[0].Bits() == 0 && s.Cloud[0].Bits() == 0 }

// gatewayOf and host are a network's first two addresses.
func gatewayOf(p netip.Prefix) netip.Addr { return p.Masked().Addr().Next() }
func host(p netip.Prefix) netip.Addr      { return gatewayOf(p).Next() }

var hosts = []string{"inet", "dev", "idc", "gw1", "vpc1", "gw2", "vpc2"}

// wires join a host's interface to another's.
var wires = [][4]string{
	{"dev", "wan", "inet", "dev"}, {"gw1", "wan", "inet", "gw1"}, {"gw2", "wan", "inet", "gw2"},
	{"idc", "wan", "dev", "lan"}, {"vpc1", "wan", "gw1", "lan"}, {"vpc2", "wan", "gw2", "lan"},
}

// use builds the network of a connection, if it is not what stands.
func (l *lab) use(s said) error {
	if l.plan == s.plan() {
		return nil
	}
	l.close()
	var all []string
	for _, h := range hosts {
		all = append(all, "netns add "+l.net(h))
	}
	for _, w := range wires {
		all = append(all, fmt.Sprintf("link add %s netns %s type veth peer name %s netns %s", w[1], l.net(w[0]), w[3], l.net(w[2])))
	}
	if err := batch("", all...); err != nil {
		return err
	}
	peer, cloud := s.networks()
	inet := []string{"link set lo up"}
	for _, port := range []string{"dev", "gw1", "gw2"} {
		inet = append(inet, "link set dev "+port+" up", "addr add 192.0.2.1/32 dev "+port)
	}
	wan := func(h string, addresses []netip.Addr) error {
		lines := []string{"link set lo up", "link set wan up", "link set lan up"}
		for _, a := range unique(text(addresses)) {
			lines = append(lines, "addr add "+a+"/32 dev wan")
			inet = append(inet, "route add "+a+"/32 dev "+h)
		}
		lines = append(lines, "route add 192.0.2.1 dev wan", defaultRoute(addresses[0]))
		nets := cloud
		if h == "dev" {
			nets = peer
		}
		for _, p := range nets {
			lines = append(lines, fmt.Sprintf("addr add %s/%d dev lan", gatewayOf(p), p.Bits()))
		}
		return batch(l.net(h), lines...)
	}
	lan := func(h string, nets []netip.Prefix) error {
		lines := []string{"link set lo up", "link set wan up"}
		for _, p := range nets {
			lines = append(lines, fmt.Sprintf("addr add %s/%d dev wan", host(p), p.Bits()))
		}
		return batch(l.net(h), append(lines, fmt.Sprintf("route add default via %s dev wan", gatewayOf(nets[0])))...)
	}
	var peers []netip.Addr
	var clouds = []netip.Addr{netip.MustParseAddr("203.0.113.254"), netip.MustParseAddr("203.0.114.254")}
	for i, t := range s.Tunnels {
		peers, clouds[i] = append(peers, t.PeerAddress), t.CloudAddress
	}
	if s.Inside.IsValid() {
		if err := l.translate(s.Inside, peers[0]); err != nil {
			return err
		}
		peers = []netip.Addr{s.Inside}
	}
	for _, err := range []error{
		l.sysctl(), // before an interface copies its defaults
		wan("dev", peers), wan("gw1", clouds[:1]), wan("gw2", clouds[1:]),
		lan("idc", peer), lan("vpc1", cloud), lan("vpc2", cloud),
	} {
		if err != nil {
			return err
		}
	}
	if err := batch(l.net("inet"), inet...); err != nil {
		return err
	}
	for i := range l.gateway {
		if err := l.startGateway(i); err != nil {
			return err
		}
		if i < len(s.Tunnels) {
			if err := l.routed(s, i); err != nil {
				return err
			}
		}
	}
	var err error
	if l.wire, err = tap(l.space("inet"), "dev"); err != nil {
		return err
	}
	l.plan = s.plan()
	return nil
}

func (l *lab) startGateway(n int) (err error) {
	settings := "max_ikev1_exchanges = 20\ni_dont_care_about_security_and_use_aggressive_mode_psk = yes\n"
	if l.kernel != "host" {
		settings += "install_routes = no\n"
	}
	l.gateway[n], err = l.charon(fmt.Sprintf("gw%d", n+1), settings)
	return err
}

// translate makes inet a NAT that has the public address.
func (l *lab) translate(inside, public netip.Addr) error {
	if err := batch(l.net("inet"), "link set lo up", "addr add "+public.String()+"/32 dev lo"); err != nil {
		return err
	}
	_, err := l.space("inet").run("nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; }; "+
		fmt.Sprintf("add rule ip nat out ip saddr %s snat to %s", inside, public))
	return err
}

// defaultRoute leads to the transit network.
func defaultRoute(source netip.Addr) string {
	return fmt.Sprintf("route add default via 192.0.2.1 dev wan src %s", source)
}

// cut takes a gateway off the network, mend brings it back without any SA.
func (l *lab) cut(n int) error { return batch(l.net(fmt.Sprintf("gw%d", n+1)), "link set wan down") }

func (l *lab) mend(s said, n int) error {
	gateway := l.gateway[n]
	for _, sa := range gateway.sas() {
		gateway.do("terminate", section{"ike-id": sa.ID, "force": "yes", "timeout": "-1"}) // it may be gone
	}
	return batch(l.net(fmt.Sprintf("gw%d", n+1)), "link set wan up", "route add 192.0.2.1 dev wan", defaultRoute(s.Tunnels[n].CloudAddress))
}

// sysctl makes every host a router that asks nothing about return paths.
func (l *lab) sysctl() error {
	for _, h := range hosts {
		err := l.space(h).in(func() error {
			for path, v := range map[string]string{"ip_forward": "1", "conf/all/rp_filter": "0", "conf/default/rp_filter": "0", "conf/all/accept_redirects": "0", "conf/all/send_redirects": "0", "conf/default/send_redirects": "0"} {
				if err := os.WriteFile("/proc/sys/net/ipv4/"+path, []byte(v), 0); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// close takes the network down.
func (l *lab) close() {
	for i, c := range l.gateway {
		c.stop()
		l.gateway[i] = nil
	}
	if l.wire != nil {
		l.wire.close()
	}
	names, _ := filepath.Glob("/run/netns/" + l.name + "-*")
	var lines []string
	for _, n := range names {
		lines = append(lines, "netns del "+filepath.Base(n))
	}
	if lines != nil {
		batch("", lines...)
	}
	l.plan = ""
}

// pings crosses every pair of networks both ways, the cloud's first host
// answering and asking unless another is named.
func (l *lab) pings(s said, vpc string) error {
	peer, cloud := s.networks()
	for _, p := range peer {
		for _, c := range cloud {
			if err := l.ping("idc", host(p), host(c)); err != nil {
				return err
			}
			if err := l.ping(vpc, host(c), host(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

func text[T fmt.Stringer](list []T) (out []string) {
	for _, v := range list {
		out = append(out, v.String())
	}
	return out
}

func joined[T fmt.Stringer](list []T) string {
	out := text(list)
	slices.Sort(out)
	return strings.Join(out, ",")
}
