package fetch

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"peerconf/vpn"
)

// alibabaASN is the cloud's unless the reply says otherwise, and reserved: no
// customer gateway can have it (CreateCustomerGateway).
const alibabaASN = 45104

// bgp settles a BGP session. Half a session, or one whose sides are in doubt,
// is refused.
func (s *settler) bgp(said tunnelStatement) *vpn.BGP {
	b := said.bgp
	switch {
	case b == nil || b.off:
		return nil
	case b.unset():
		if b.on {
			s.problem(b.name, "", "BGP is on, and the reply has no session", "save the reply again")
		}
		return nil
	case s.Placeholders && slices.ContainsFunc([]text{b.network, b.nearIP, b.farIP}, func(t text) bool { return masked(string(t)) }):
		s.notice("BGP: its addresses are masked, and it is left out")
		return nil
	}
	gateway := s.customerGateway(said)
	before := len(s.problems)
	sides := s.sides(b, gateway)
	if len(s.problems) > before {
		return nil
	}
	out := &vpn.BGP{PeerASN: sides.farASN, CloudASN: sides.nearASN, Network: s.tunnelNetwork(string(b.network))}
	out.CloudAddress = s.insideAddress(sides.nearName, sides.nearIP, out.Network)
	out.PeerAddress = s.insideAddress(sides.farName, sides.farIP, out.Network)
	switch {
	case len(s.problems) > before:
		return nil
	case !out.PeerAddress.IsValid():
		out.PeerAddress = other(out.Network, out.CloudAddress)
	case !out.CloudAddress.IsValid():
		out.CloudAddress = other(out.Network, out.PeerAddress)
	case out.PeerAddress == out.CloudAddress:
		s.problem("PeerBgpIp", out.PeerAddress.String(), "both ends have it", "save the reply again")
	}
	out.Key = s.bgpKey(b, gateway)
	return out
}

// sides are a session's, near being the cloud's.
type sides struct {
	nearASN, farASN   uint32
	nearIP, farIP     text
	nearName, farName string // of the addresses' fields
}

// sides settles whose side the reply calls local. Of a Download reply's
// BgpConfigs nothing documents it, so it goes by evidence: the cloud's own AS
// number, and the customer gateway's.
func (s *settler) sides(b *bgpStatement, gateway customerGateway) sides {
	out := sides{s.asn("LocalAsn", b.nearASN), s.asn("PeerAsn", b.farASN), b.nearIP, b.farIP, "LocalBgpIp", "PeerBgpIp"}
	peer := s.asn("Asn", gateway.asn)
	if !b.nearIsCloud {
		isNear := out.nearASN == alibabaASN || peer != 0 && out.farASN == peer
		isFar := out.farASN == alibabaASN || peer != 0 && out.nearASN == peer
		if isNear == isFar {
			s.problem("BgpConfigs", fmt.Sprintf("AS %d and AS %d", out.nearASN, out.farASN), "whose side they speak for is documented nowhere, and the AS numbers do not tell",
				"save the reply of DescribeVpnConnection, or add that of DescribeCustomerGateway"+ofID(string(s.said.customerGateway)))
			return out
		}
		if isFar {
			out = sides{out.farASN, out.nearASN, out.farIP, out.nearIP, out.farName, out.nearName}
		}
	}
	if out.nearASN == 0 {
		out.nearASN = alibabaASN
	}
	switch {
	case out.farASN != 0 && peer != 0 && out.farASN != peer:
		s.problem("PeerAsn", strconv.Itoa(int(out.farASN)), fmt.Sprintf("the customer gateway has AS %d", peer), "save both replies again, at one time")
	case out.farASN == 0 && peer == 0:
		s.problem("PeerAsn", "", "no reply gives the device's AS number", "add the DescribeCustomerGateway reply; if that has no Asn, make a customer gateway with one")
	}
	out.farASN = cmp.Or(out.farASN, peer)
	switch {
	case out.farASN == alibabaASN:
		s.problem("PeerAsn", strconv.Itoa(alibabaASN), "it is Alibaba's, and no customer gateway can have it", "compare with the connection in the console, and save the reply again")
	case out.farASN == out.nearASN:
		s.problem("PeerAsn", strconv.Itoa(int(out.farASN)), "both ends have it, and a session with the cloud joins two", "make a customer gateway with an AS number of its own")
	}
	return out
}

// customerGateway is the reply's that the tunnel ends on: by id, else the only
// one with the address.
func (s *settler) customerGateway(said tunnelStatement) customerGateway {
	id := cmp.Or(said.customerGateway, s.said.customerGateway, text(said.peerEnd.value))
	if g, ok := s.gateways.customer[string(id)]; ok {
		return g
	}
	var found []customerGateway
	for _, g := range s.gateways.customer {
		if said.peerEnd.value != "" && g.address == said.peerEnd.value {
			found = append(found, g)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return customerGateway{}
}

// linkLocal is where the networks inside of tunnels are, but for those that the
// cloud keeps for itself (CreateVpnConnection, TunnelCidr).
var (
	linkLocal = netip.MustParsePrefix("169.254.0.0/16")
	reserved  = []string{"169.254.0.0/30", "169.254.1.0/30", "169.254.2.0/30", "169.254.3.0/30", "169.254.4.0/30", "169.254.5.0/30", "169.254.6.0/30", "169.254.169.252/30"}
)

func (s *settler) tunnelNetwork(said string) netip.Prefix {
	network, err := netip.ParsePrefix(said)
	switch network = network.Masked(); {
	case masked(said):
		s.problem("TunnelCidr", said, maskedReason, maskedHint)
	case err != nil || network.Bits() != 30 || !linkLocal.Contains(network.Addr()):
		s.problem("TunnelCidr", said, "not a /30 network in "+linkLocal.String(), "save the reply again")
	case slices.Contains(reserved, network.String()):
		s.problem("TunnelCidr", said, "the cloud keeps it for itself", "save the reply again")
	default:
		return network
	}
	return netip.Prefix{}
}

// insideAddress reads an address that a host can have in the tunnel's network.
func (s *settler) insideAddress(name string, said text, network netip.Prefix) netip.Addr {
	if said == "" || !network.IsValid() {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(string(said))
	first := network.Addr().Next()
	switch {
	case masked(string(said)):
		s.problem(name, string(said), maskedReason, maskedHint)
	case err != nil:
		s.problem(name, string(said), "not an address", "save the reply again")
	case ip != first && ip != first.Next():
		s.problem(name, string(said), "not a host's address in TunnelCidr "+network.String(), "save the reply again")
	}
	return ip
}

// other is the host of a /30 that one leaves.
func other(network netip.Prefix, one netip.Addr) netip.Addr {
	first := network.Addr().Next()
	if first == one {
		return first.Next()
	}
	return first
}

// bgpKey settles the session's MD5 key (RFC 2385), which belongs to the
// customer gateway. Its value never enters a problem.
func (s *settler) bgpKey(b *bgpStatement, gateway customerGateway) vpn.Secret {
	const name = "AuthKey"
	if b.key != "" && gateway.key != "" && b.key != gateway.key {
		s.problem(name, "", "the connection's reply and the customer gateway's give different keys", "save both again, at one time")
	}
	key := string(cmp.Or(b.key, gateway.key))
	switch {
	case key == "" && !b.keyTold && gateway == customerGateway{}:
		if !slices.Contains(s.warnings, vpn.BGPKeyUntold) {
			s.warn(vpn.BGPKeyUntold)
		}
		return vpn.Secret{}
	case key == "":
		return vpn.Secret{}
	case maskedKey(key) && !s.Unmasked && s.Placeholders:
		return vpn.PlaceholderSecret(s.word("bgp-key"))
	case maskedKey(key) && !s.Unmasked:
		s.problem(name, "", maskedReason, maskedHint+"; if the key really is so, --unmasked takes it as it is")
	case len(key) > 64 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '?' }):
		s.problem(name, "", "not 1 to 64 ASCII characters without blank and ?, as Alibaba wants a BGP key", "save the reply again")
	}
	return vpn.NewSecret(key)
}

// asn reads an AS number, plain or asdot: 123.456 is 123·65536+456 (RFC 5396).
func (s *settler) asn(name string, said text) uint32 {
	n, ok := parseASN(said)
	if !ok {
		s.problem(name, string(said), "not an AS number", "save the reply again")
	}
	return n
}

func parseASN(said text) (n uint32, ok bool) {
	if said == "" {
		return 0, true
	}
	high, low, dotted := strings.Cut(string(said), ".")
	if !dotted {
		n, err := strconv.ParseUint(high, 10, 32)
		return uint32(n), err == nil
	}
	h, errHigh := strconv.ParseUint(high, 10, 16)
	l, errLow := strconv.ParseUint(low, 10, 16)
	return uint32(h)<<16 | uint32(l), errHigh == nil && errLow == nil
}

// unset tells whether there is no session: the API then sends empty strings.
func (b *bgpStatement) unset() bool { return b.network == "" && b.nearIP == "" && b.farIP == "" }

// agrees tells whether two statements can be of one session.
func (b *bgpStatement) agrees(o *bgpStatement) bool {
	as := func(a, b text) bool {
		m, _ := parseASN(a)
		n, _ := parseASN(b)
		return m == n || m == 0 || n == 0
	}
	ip := func(a, b text) bool { return a == b || a == "" || b == "" }
	return as(b.nearASN, o.nearASN) && as(b.farASN, o.farASN) && ip(b.nearIP, o.nearIP) && ip(b.farIP, o.farIP) && ip(b.network, o.network)
}

func (b *bgpStatement) mirrored() *bgpStatement {
	m := *b
	m.nearASN, m.farASN, m.nearIP, m.farIP = b.farASN, b.nearASN, b.farIP, b.nearIP
	return &m
}

func (b *bgpStatement) String() string {
	return fmt.Sprintf("AS %s at %s and AS %s at %s in %s", b.nearASN, b.nearIP, b.farASN, b.farIP, b.network)
}
