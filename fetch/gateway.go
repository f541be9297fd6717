package fetch

import (
	"net/netip"

	"peerconf/vpn"
)

// gateways are the gateway replies of a run, by id.
type gateways struct {
	customer map[string]customerGateway
	cloud    map[string]cloudGateway
	ends     map[string]end // what the addresses are of
	problems vpn.Problems
}

// end tells what has an address. One account's VPN gateway can be another's
// customer gateway, and then both have it.
type end struct{ cloud, customer bool }

func (g *gateways) isCloud(ip string) bool    { return g.ends[ip] == end{cloud: true} }
func (g *gateways) isCustomer(ip string) bool { return g.ends[ip] == end{customer: true} }

type customerGateway struct {
	address string
	asn     text
	key     text // of BGP
}

type cloudGateway struct {
	addresses [2]string // of tunnel 1 and tunnel 2
}

func newGateways() *gateways {
	return &gateways{customer: map[string]customerGateway{}, cloud: map[string]cloudGateway{}, ends: map[string]end{}}
}

// visitor collects the gateway replies of one source.
func (g *gateways) visitor(source string) visitor {
	return visitor{
		customerGateway: func(w *wireCustomerGateway) {
			e := g.ends[string(w.IpAddress)]
			e.customer = true
			g.ends[string(w.IpAddress)] = e
			add(g, g.customer, source, string(w.CustomerGatewayId), customerGateway{string(w.IpAddress), w.Asn, w.AuthKey})
		},
		vpnGateway: func(w *wireVpnGateway) {
			for _, ip := range []text{w.InternetIp, w.DisasterRecoveryInternetIp} {
				if ip == "" {
					continue
				}
				e := g.ends[string(ip)]
				e.cloud = true
				g.ends[string(ip)] = e
			}
			add(g, g.cloud, source, string(w.VpnGatewayId),
				cloudGateway{[2]string{string(w.InternetIp), string(w.DisasterRecoveryInternetIp)}})
		},
	}
}

// add refuses a gateway that two replies describe differently: one is stale.
func add[T comparable](g *gateways, known map[string]T, source, id string, gw T) {
	if old, ok := known[id]; ok && old != gw {
		g.problems = append(g.problems, vpn.Problem{Source: source, Field: "gateway", Value: id,
			Reason: "two replies of this run describe it differently", Hint: "keep the newer reply of that gateway"})
	}
	known[id] = gw
}

// address is an end's address with the field that gave it.
type address struct {
	vpn.Address
	field   string
	settled bool // not read off an identity
	refused bool // a problem says why there is none
}

// candidate is a place an address may come from.
type candidate struct {
	field
	settled bool
	strict  bool // the field holds an address; anything else in it is a problem
}

// resolve takes the first candidate that holds an address, in the order given.
// A masked value is passed over while a later candidate is whole.
func (s *settler) resolve(word string, candidates ...candidate) address {
	var hidden candidate
	for _, c := range candidates {
		if c.value == "" {
			continue
		}
		if masked(c.value) {
			if hidden.value == "" {
				hidden = c
			}
			continue
		}
		ip, err := netip.ParseAddr(c.value)
		if err == nil && ip.Is4() {
			return address{Address: vpn.Address{IP: ip}, field: c.name, settled: c.settled}
		}
		if c.strict {
			s.problem(c.name, c.value, "not an IPv4 address", "give the address in dotted form")
			return address{refused: true}
		}
	}
	if hidden.value != "" {
		return address{Address: s.maskedAddress(hidden.field, word), field: hidden.name, settled: hidden.settled, refused: true}
	}
	return address{}
}
