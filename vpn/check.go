package vpn

import (
	"fmt"
	"slices"
)

// Check looks for what no configuration could make right: contradictions
// between the two ends, a missing key, a lifetime without meaning.
func Check(c Connection) Problems {
	var out Problems
	refuse := func(tunnel int, field, value, reason, hint string) {
		if !c.Dual() {
			tunnel = 0
		}
		out = append(out, Problem{Connection: c.Title(), Tunnel: tunnel, Field: field, Value: value, Reason: reason, Hint: hint})
	}
	for _, p := range c.PeerSubnets {
		for _, q := range c.CloudSubnets {
			if !c.RouteBased() && p == q {
				refuse(0, "LocalSubnet and RemoteSubnet", p.String(), "both ends claim the same subnet",
					"give each end its own subnets, or 0.0.0.0/0 on both sides and routes")
			}
		}
	}
	if h := c.HealthCheck; h != nil {
		if fields, reason := h.contradicts(c); reason != "" {
			refuse(0, fields, "", reason, "the API's Dip is an address behind the device and Sip one of the VPC: set the health check so in the console and save the reply again, or turn it off")
		}
	}
	for _, t := range c.Tunnels {
		if t.PSK.IsZero() {
			refuse(t.Number, "Psk", "", "the reply carries no pre-shared key", "save the reply of DescribeVpnConnection or DownloadVpnConnectionConfig, which carry it, or give it with --psk-file or --psk-env")
		}
		if t.CloudIdentity == t.PeerIdentity && t.PeerIdentity.Value != "" {
			refuse(t.Number, "LocalId and RemoteId", t.PeerIdentity.Value, "both ends have the same identity", "give each end its own identity in the connection's IKE settings")
		}
		if t.IKE.Lifetime == 0 {
			refuse(t.Number, "IkeLifetime", "0", lifetimeZero, "set IkeLifetime to 86400")
		}
		if t.ESP.Lifetime == 0 {
			refuse(t.Number, "IpsecLifetime", "0", lifetimeZero, "set IpsecLifetime to 86400")
		}
	}
	checkBGP(c, refuse)
	if c.Dual() && c.Tunnels[0].CloudAddress == c.Tunnels[1].CloudAddress && c.Tunnels[0].CloudAddress.Word == "" {
		refuse(0, "cloud address", c.Tunnels[0].CloudAddress.String(), "both tunnels end on the same cloud address",
			"add the DescribeVpnGateway reply, which has both, or --set cloud-address.1=… --set cloud-address.2=…")
	}
	return out
}

// checkBGP refuses sessions that could not come up, or not on one device.
func checkBGP(c Connection, refuse func(tunnel int, field, value, reason, hint string)) {
	first := c.Tunnels[0].BGP
	if first != nil && !c.RouteBased() && !c.masked() {
		refuse(0, "LocalSubnet and RemoteSubnet", "", "with BGP they have to be 0.0.0.0/0: the session's own packets, in "+first.Network.String()+", are outside of the connection's subnets",
			"set both to 0.0.0.0/0, or EnableBgp or EnableTunnelsBgp to false")
	}
	if !c.Dual() {
		return
	}
	switch second := c.Tunnels[1].BGP; {
	case (first == nil) != (second == nil):
		refuse(0, "TunnelBgpConfig", "", "one tunnel has BGP and the other has not", "set BGP of both tunnels, or EnableTunnelsBgp to false")
	case first == nil:
	case first.PeerASN != second.PeerASN:
		refuse(0, "PeerAsn", fmt.Sprintf("%d and %d", first.PeerASN, second.PeerASN), "one device has one AS number, and the tunnels name two", "give both customer gateways the device's AS number; where they are two devices, --tunnel 1 and --tunnel 2 write what each has")
	case first.Network == second.Network:
		refuse(0, "TunnelCidr", first.Network.String(), "both tunnels have it", "give each tunnel its own")
	}
}

const lifetimeZero = "the API accepts 0 seconds, but says nowhere what it means"

// contradicts says which fields of a health check no device can satisfy, and
// why: its ends are one, or stand on the other's side.
func (h HealthCheck) contradicts(c Connection) (fields, reason string) {
	if h.PeerAddress.Word != "" || h.CloudAddress.Word != "" {
		return "", ""
	}
	swapped := !c.RouteBased() && h.PeerAddress.In(c.CloudSubnets) && h.CloudAddress.In(c.PeerSubnets) &&
		!(h.PeerAddress.In(c.PeerSubnets) && h.CloudAddress.In(c.CloudSubnets))
	for _, t := range c.Tunnels {
		if b := t.BGP; b != nil {
			swapped = swapped || h.PeerAddress.IP == b.CloudAddress || h.CloudAddress.IP == b.PeerAddress
		}
	}
	switch {
	case h.PeerAddress == h.CloudAddress:
		return "VcoHealthCheck.Sip and Dip", fmt.Sprintf("the cloud would ping %s from the same address", h.PeerAddress)
	case swapped:
		return "VcoHealthCheck.Sip and Dip", fmt.Sprintf("swapped: Dip %s, which the peer's side has to answer for, is the cloud's, or Sip %s is the peer's", h.PeerAddress, h.CloudAddress)
	case slices.ContainsFunc(c.Tunnels, func(t Tunnel) bool { return t.CloudAddress == h.CloudAddress }):
		return "VcoHealthCheck.Sip", fmt.Sprintf("%s is the address the tunnel itself ends on: the answer would have to take the tunnel, and the tunnel cannot take itself", h.CloudAddress)
	}
	return "", ""
}
