package vpn

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
	if c.Dual() && c.Tunnels[0].CloudAddress == c.Tunnels[1].CloudAddress && c.Tunnels[0].CloudAddress.Word == "" {
		refuse(0, "cloud address", c.Tunnels[0].CloudAddress.String(), "both tunnels end on the same cloud address",
			"add the DescribeVpnGateway reply, which has both, or --set cloud-address.1=… --set cloud-address.2=…")
	}
	return out
}

const lifetimeZero = "the API accepts 0 seconds, but says nowhere what it means"
