package render

import (
	"fmt"
	"net/netip"
	"strings"

	"peerconf/vpn"
)

// Session is a BGP session in a device's words. AS numbers are plain (RFC
// 5396), which every device here reads.
//
// What the standby announces has a longer AS path: of transit routers Alibaba
// documents that they compare its length before all else (Express Connect, Use
// MED to implement multi-path route selection between ECRs and TRs), and of VPN
// gateways no order was found, be it of that or of MED. Local preference is
// lowered for the standby and not raised for the other, which may have a leased
// line beside it. The cloud publishes no limits of timers, nor whether its
// speaker is the tunnel's end itself: 10 hops allow for one behind it, and where
// the device can say a source, that keeps the session in its tunnel.
type Session struct {
	PeerASN         string
	CloudASN        string
	PeerAddress     string
	CloudAddress    string
	Keyed           bool
	Key             string
	Keepalive       int // seconds
	Hold            int
	Connect         int // FRR tries a session again after, which is 120 unless told, as long as a cloud that waits would be without
	Hops            int
	Standby         bool
	LocalPreference int    // of the standby; the default is 100
	Prepend         string // AS path the standby puts in front
}

const (
	bgpKeepalive  = 10
	bgpHold       = 3 * bgpKeepalive
	bgpConnect    = bgpKeepalive
	bgpHops       = 10
	bgpPreference = 90
	bgpPrepends   = 2
)

// announced and accepted are answers of every dialect.
var (
	announced = Answer{Name: "announce", Form: formNetworks, PerConnection: true, When: hasBGP, Default: constant(noNetworks), Fallback: "none: the cloud learns nothing",
		Meaning: "the networks to announce to the cloud by BGP, such as 192.168.0.0/16,172.16.0.0/12"}
	accepted = Answer{Name: "accept", Form: formNetworks, PerConnection: true, When: hasBGP, Default: constant(anyNetworks), Fallback: "any: all but a default route",
		Meaning: "the networks to take from the cloud by BGP, with those inside of them, such as 10.0.0.0/8; 0.0.0.0/0 takes a default route too"}
)

// removing is an answer that a removal asks for too.
func removing(a Answer) Answer {
	a.Removal = alwaysHolds
	return a
}

const (
	noNetworks  = "none"
	anyNetworks = "any"
)

// session puts a tunnel's BGP session into words.
func (n *normalizer) session(t vpn.Tunnel) Session {
	b := t.BGP
	s := Session{
		PeerASN: fmt.Sprint(b.PeerASN), CloudASN: fmt.Sprint(b.CloudASN),
		PeerAddress: b.PeerAddress.String(), CloudAddress: b.CloudAddress.String(),
		Keepalive: bgpKeepalive, Hold: bgpHold, Connect: bgpConnect, Hops: bgpHops,
		Standby: (n.conn.Dual() || n.part > 0) && t.Number == 2, LocalPreference: bgpPreference,
		Keyed: !b.Key.IsZero(),
	}
	s.Prepend = strings.TrimSuffix(strings.Repeat(s.PeerASN+" ", bgpPrepends), " ")
	if key := b.Key.Reveal() + b.Key.Placeholder(); key != "" && !n.target.removes {
		var refused string
		if s.Key, refused = n.target.BGPKey(key); refused != "" {
			n.refuse(t, "AuthKey", "", refused, "give the customer gateway another BGP key (AuthKey)")
		}
	}
	return s
}

// routing puts what the sessions of a connection share into its view.
func (n *normalizer) routing(v *View) {
	first := n.conn.Tunnels[0]
	if v.BGP = hasBGP(n.conn, first); !v.BGP {
		return
	}
	v.PeerASN = v.Tunnels[0].Session.PeerASN
	announce, accept := v.Tunnels[0].Set["announce"], v.Tunnels[0].Set["accept"]
	v.Announce = n.networks(announced.Name, announce, noNetworks)
	v.Announced = len(v.Announce) > 0
	v.Accept = n.networks(accepted.Name, accept, anyNetworks)
	v.AcceptAny = accept == anyNetworks
	if n.target.removes {
		return
	}
	for _, a := range v.Announce {
		switch p := netip.MustParsePrefix(a.Prefix); {
		case p.Bits() == 0:
			n.refuse(vpn.Tunnel{}, "--set announce", a.Prefix, "a VPN gateway takes no default route", "announce the networks on this side")
		case p.Overlaps(cloudServices):
			n.refuse(vpn.Tunnel{}, "--set announce", a.Prefix, "it overlaps with "+cloudServices.String()+", which the cloud uses itself and wants announced neither in parts nor in a larger network", "announce networks beside it")
		}
	}
	if !v.Announced {
		n.silent(first)
	}
}

// silent warns of a session that announces nothing, unless that was asked for.
func (n *normalizer) silent(t vpn.Tunnel) {
	x := notice{text: "BGP: nothing is announced, so the cloud learns no way to this side"}
	if n.given(announced, t) != noNetworks {
		x = notice{text: x.text + ": --set announce says what", warning: true, hint: "--set announce=NETWORK,NETWORK, or --set announce=none"}
		if !n.run.strict && !n.answers.warned[announced.Name] {
			n.answers.warned[announced.Name] = true
			n.warnings = append(n.warnings, fmt.Sprintf("%s announces nothing by BGP; --set announce=…, or none", n.target.Name))
		}
	}
	n.notices = append(n.notices, x)
}

// cloudServices may not be announced (Configure BGP dynamic routing, Limits).
var cloudServices = netip.MustParsePrefix("100.64.0.0/10")

// networks reads a list of networks; word stands for another list, and what a
// removal does not ask for is none.
func (n *normalizer) networks(answer, list, word string) []Net {
	if list == word || list == "" {
		return nil
	}
	return n.listed(answer, list, word, func(netip.Prefix) (reason, hint string) { return "", "" })
}

// keyCiscoBGP writes a BGP key for IOS and ASA, which have no quotes and keep it
// in 52 digits when encrypted, two for each character and two more
// (Cisco-IOS-XE-bgp.yang, neighbor-password-grouping; ASA command reference,
// neighbor password: 25 characters, the first no digit).
func keyCiscoBGP(key string) (text, refused string) {
	switch i := strings.IndexAny(key, `"\`); {
	case len(key) > 25:
		return "", "has more than 25 characters, which is all a BGP key can have there"
	case key[0] >= '0' && key[0] <= '9':
		return "", "begins with a digit, which a BGP key cannot do there"
	case i >= 0:
		return "", "holds " + key[i:i+1] + ", which the command line may act on, and a BGP key has no other form there"
	case key[0] == '!':
		return "", "begins with !, which the command line may act on, and a BGP key has no other form there"
	}
	return key, ""
}

// keyJunosBGP writes a BGP key for Junos, where it has no form but quoted text.
func keyJunosBGP(key string) (text, refused string) {
	switch i := strings.IndexAny(key, `"\`); {
	case i >= 0:
		return "", "holds " + key[i:i+1] + ", which Junos acts on, and a BGP key has no other form there"
	case key[0] == '$':
		return "", "begins with $, which Junos takes for a key of its own encryption, and a BGP key has no other form there"
	}
	return `"` + key + `"`, ""
}

// oneRouterBGP: a router has one.
var oneRouterBGP = Rule{When: hasBGP, Reason: "BGP: there is one router bgp on a device: where it has another AS number than the one below, these lines are refused, and the customer gateway needs that number; its router ID is left to it"}

// heldDown: a session that came up between its lines would announce all there is.
var heldDown = Rule{When: hasBGP, Reason: "BGP: the sessions are shut down while their lines go in and no longer behind them, so doing it again interrupts them"}

// routerStays is what a removal leaves of BGP on a device with a router bgp.
var routerStays = Rule{When: hasBGP, Reason: "BGP: router bgp and its network statements stay for other neighbors; where it has none left, remove it whole: no router bgp, and its number"}

// frrKept: what a removal takes from what runs is in FRR's file yet.
var frrKept = Rule{When: hasBGP, Reason: "BGP: vtysh -c 'write memory' makes FRR keep it so"}

// frr is the file of BGP for daemons that have none. What it says FRR 7.5 and
// later read, and TestFRR has vtysh read it. The daemons include *.conf of the
// directories that their own files go to, and must not come upon this one.
var frr = File{Suffix: ".frr", Template: "frr.tmpl", When: hasBGP, Note: []string{
	"%[1]s: for FRR, with bgpd=yes in /etc/frr/daemons: vtysh -C -f %[1]s tries it, vtysh -f %[1]s adds it to what runs, vtysh -c 'write memory' keeps it",
	"bgpd answers TCP port 179 on the tunnel's interface: the firewall has to let it",
	"FRR has one AS number: where it runs as another than the one below, these lines are refused. Its router ID is left to it",
}}

// keyFRR writes a BGP key for FRR, where it goes to the end of its line.
func keyFRR(key string) (text, refused string) { return key, "" }
