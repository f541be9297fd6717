package fetch

import (
	"net/netip"
	"strconv"
	"strings"

	"peerconf/vpn"
)

// alibabaASN is reserved: no customer gateway can have it.
const alibabaASN = 45104

// bgp settles a BGP session. Nothing documents whose side a Download reply's
// BgpConfigs speak for, so it goes by evidence, and without any is left out.
func (s *settler) bgp(said tunnelStatement) *vpn.BGP {
	b := said.bgp
	if b == nil {
		return nil
	}
	near, far := s.asn("LocalAsn", b.nearASN), s.asn("PeerAsn", b.farASN)
	if near == 0 && far == 0 && b.nearIP == "" {
		return nil // not set: the API sends empty strings
	}
	customer := string(said.customerGateway)
	if customer == "" {
		customer = string(s.said.customerGateway)
	}
	if customer == "" {
		customer = said.peerEnd.value
	}
	peerASN := s.asn("Asn", s.gateways.customer[customer].asn)
	nearIsCloud := b.nearIsCloud
	if !nearIsCloud {
		switch {
		case near == far:
			s.notice("BGP: whose side BgpConfigs speak for cannot be told from ASN %d on both", near)
			return nil
		case near == alibabaASN, far == peerASN && far != 0:
			nearIsCloud = true
		case far == alibabaASN, near == peerASN && near != 0:
		default:
			s.notice("BGP: whose side BgpConfigs speak for is documented nowhere and ASN %d and %d do not tell; the DescribeVpnConnection reply does", near, far)
			return nil
		}
	}
	out := &vpn.BGP{PeerASN: near, CloudASN: far, PeerAddress: s.inside("LocalBgpIp", b.nearIP), CloudAddress: s.inside("PeerBgpIp", b.farIP)}
	if nearIsCloud {
		out = &vpn.BGP{PeerASN: far, CloudASN: near, PeerAddress: s.inside("PeerBgpIp", b.farIP), CloudAddress: s.inside("LocalBgpIp", b.nearIP)}
	}
	if out.PeerASN == 0 {
		out.PeerASN = peerASN
	}
	if b.network != "" {
		if masked(string(b.network)) && s.Placeholders {
			return nil
		}
		network, err := netip.ParsePrefix(string(b.network))
		if err != nil || network.Bits() != 30 {
			s.problem("TunnelCidr", string(b.network), "not a /30 network", "save the reply again")
			return nil
		}
		out.Network = network.Masked()
		out.PeerAddress = other(out.Network, out.PeerAddress, out.CloudAddress)
		for _, ip := range []netip.Addr{out.PeerAddress, out.CloudAddress} {
			if ip.IsValid() && !out.Network.Contains(ip) {
				s.problem("TunnelCidr", string(b.network), "the BGP address "+ip.String()+" is not in it", "save the reply again")
			}
		}
	}
	return out
}

// other fills in the peer's address: the host of the /30 the cloud leaves.
func other(network netip.Prefix, peer, cloud netip.Addr) netip.Addr {
	if peer.IsValid() || !cloud.IsValid() {
		return peer
	}
	first := network.Addr().Next()
	if first == cloud {
		return first.Next()
	}
	return first
}

func (s *settler) inside(name string, said text) netip.Addr {
	if said == "" || masked(string(said)) && s.Placeholders {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(string(said))
	if err != nil {
		s.problem(name, string(said), "not an address", "save the reply again")
	}
	return ip
}

// asn reads an AS number, plain or asdot: 123.456 is 123·65536+456 (RFC 5396).
func (s *settler) asn(name string, said text) uint32 {
	if said == "" {
		return 0
	}
	high, low, dotted := strings.Cut(string(said), ".")
	if !dotted {
		n, err := strconv.ParseUint(high, 10, 32)
		if err != nil {
			s.problem(name, string(said), "not an AS number", "save the reply again")
		}
		return uint32(n)
	}
	h, errHigh := strconv.ParseUint(high, 10, 16)
	l, errLow := strconv.ParseUint(low, 10, 16)
	if errHigh != nil || errLow != nil {
		s.problem(name, string(said), "not an AS number", "save the reply again")
	}
	return uint32(h)<<16 | uint32(l)
}
