package fetch

import (
	"net/netip"
	"strconv"

	"peerconf/vpn"
)

// Defaults of HealthCheckConfig (CreateVpnConnection).
const (
	healthInterval = 3 // seconds
	healthRetries  = 3
)

// routePolicies are what Policy can say of the routes when a check fails: true
// is that they stay.
var routePolicies = map[string]bool{"revoke_route": false, "reserve_route": true}

// healthCheck settles the health check: nil where it is off, which a reply may
// say with the other fields empty.
func (s *settler) healthCheck(said *healthStatement) *vpn.HealthCheck {
	if said == nil || !s.boolean("VcoHealthCheck.Enable", said.enable, false) {
		return nil
	}
	return &vpn.HealthCheck{
		PeerAddress:  s.pinged(said.peer, "health-check-peer"),
		CloudAddress: s.pinged(said.cloud, "health-check-cloud"),
		Interval:     vpn.LifetimeOf(s.count("VcoHealthCheck.Interval", said.interval, healthInterval)),
		Retries:      s.count("VcoHealthCheck.Retry", said.retry, healthRetries),
		KeepsRoutes:  lookup(s, "VcoHealthCheck.Policy", said.policy, routePolicies, false),
	}
}

// pinged settles an end of the health check.
func (s *settler) pinged(f field, word string) vpn.Address {
	f.name = "VcoHealthCheck." + f.name
	if masked(f.value) {
		return s.maskedAddress(f, word)
	}
	ip, err := netip.ParseAddr(f.value)
	switch {
	case f.value == "":
		s.problem(f.name, "", "the health check is on, and the reply has no address for it", "set both addresses of the health check in the console, or turn it off, and save the reply again")
	case err != nil || !ip.Is4():
		s.problem(f.name, f.value, "not an IPv4 address", "correct the health check in the console and save the reply again")
	}
	return vpn.Address{IP: ip}
}

func (s *settler) count(name string, said text, absent int) int {
	if said == "" {
		return absent
	}
	n, err := strconv.Atoi(string(said))
	if err != nil || n < 1 {
		s.problem(name, string(said), "want a whole number from 1 on", "save the reply again")
	}
	return n
}
