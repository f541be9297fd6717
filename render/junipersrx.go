package render

import "peerconf/vpn"

const junosSince = Version("23.2R1")

// juniperSRX follows the YANG models of Junos (Juniper/yang,
// junos-es/conf/junos-es-conf-security), 17.4R1 to 24.4R1. IKE is admitted for
// the zone, not for the interface, as an interface's own list of services would
// replace the zone's and could shut the operator out. For
// traffic-selector preference Juniper's Feature Explorer has 22.2R1, but the
// models of 22.2R1 to 23.1R1 do not know the statement.
var juniperSRX = Dialect{
	Name:    "juniper-srx",
	Title:   "Junos on SRX",
	Comment: "#",
	ASCII:   true,
	Oldest:  "17.4R1",
	Older:   "no models of older ones are published",
	MaxName: 32, // of a policy, gateway or vpn
	Files: []File{{Suffix: ".set", Template: "juniper-srx.tmpl", Note: []string{
		"%[1]s: load set %[1]s in configuration mode, read what it prints (it loads on behind a bad line), then show | compare, commit check, commit confirmed",
	}}},
	Hierarchical: []File{{Suffix: ".conf", Template: "juniper-srx.tmpl", Form: hierarchical, Note: []string{
		"%[1]s: load merge %[1]s in configuration mode, then show | compare, commit check, commit confirmed",
	}}},
	Removal: []File{{Suffix: ".remove.set", Template: "juniper-srx.remove.tmpl", Note: []string{
		"%[1]s: load set %[1]s in configuration mode, read what it prints (it loads on behind a bad line), then show | compare, commit check, commit confirmed",
	}}},
	IKE: Phases{vpn.IKEv1: junosIKE, vpn.IKEv2: junosIKE},
	ESP: Phases{vpn.IKEv1: junosESP, vpn.IKEv2: junosESP},
	Identities: map[vpn.Version]map[vpn.IDKind]Identity{
		vpn.IKEv1: junosIdentities,
		vpn.IKEv2: junosIdentities,
	},
	// The models have fragmentation below a gateway for IKEv2, and in it a size
	// with a default and disable.
	Fragmentation: map[vpn.Version]Default{
		vpn.IKEv1: {Why: "Junos has it with IKEv2 only"},
		vpn.IKEv2: {On: true, Word: "fragmentation"},
	},
	Key:        keyJunos,
	KeyWord:    `ascii-text "%s"`,
	BGPKey:     keyJunosBGP,
	Interfaced: Rule{When: alwaysHolds, Reason: "on Junos every tunnel has its st0 unit, and the connection's subnets are its traffic selectors", Hint: "leave --mode out"},
	Answers: []Answer{
		{Name: "external-interface", Form: formWord, Uplink: true, Meaning: "the interface towards the Internet with its unit, such as ge-0/0/0.0"},
		{Name: "st0-unit", Form: formNumber, Number: &Range{Min: 0, Max: 15999}, Removal: alwaysHolds, Meaning: "a free unit of the tunnel interface st0"},
		{Name: "vpn-zone", Form: formWord, PerConnection: true, Removal: alwaysHolds, Meaning: "the security zone the tunnel interface joins"},
		{Name: "lan-zone", Form: formWord, PerConnection: true, Removal: alwaysHolds, Meaning: "the security zone of the peer's subnets: policies let their traffic to and from vpn-zone"},
		{Name: "external-zone", Form: formWord, PerConnection: true, Meaning: "the security zone of the external interface, which is to admit IKE"},
		mode, cloudRoutes,
		probeAddress, probeSource,
		pathMTU, announced, accepted,
	},
	Refusals: []Rule{{
		When: both(isDual, isActive, severalPairs), Until: junosSince, Field: "subnets",
		Reason: "two tunnels with the same traffic selectors need traffic-selector preference, which Junos's published models have from 23.2R1 on",
		Hint:   "use 0.0.0.0/0 on both sides and routes, or one subnet on each side",
	}, {
		// Juniper's page Traffic Selectors in Route-Based VPNs.
		When: both(severalPairs, allOfCloud, isActive), Field: "subnets",
		Reason: "several subnets need traffic selectors, and Junos has none with the remote address 0.0.0.0/0",
		Hint:   "use 0.0.0.0/0 on both sides and routes, or one subnet on the peer's side",
	}},
	Notices: []Rule{
		{When: alwaysHolds, Reason: "initiates: this device, at once"},
		{When: alwaysHolds, Reason: "host-inbound-traffic of the external interface itself, if it has any, stands in place of its zone's: add system-services ike there then"},
		{When: alwaysHolds, Reason: "security flow tcp-mss ipsec-vpn holds for all VPNs of the device: if it is lower already, leave that line out"},
		{When: alwaysHolds, Reason: "the two policies go behind those their zones have: if one of those denies the traffic, move them before it with insert"},
		{When: hasSubnets, Reason: "source NAT between lan-zone and vpn-zone would change what the tunnel's selectors let in: where a rule-set has those zones, add a rule with then source-nat off before it"},
		{When: hasSubnets, Reason: "Junos refuses address-book global beside address books inside security zones: where the device has those, add the addresses there"},
		{When: not(hasSubnets), Reason: "the two policies let every IPv4 address through that is routed: narrow them where you can"},
		{When: static, Unrouted: true, Reason: "route the VPC's networks to the st0 unit: --set cloud-routes=NETWORK,NETWORK writes the routes, or set routing-options static route VPC-NETWORK qualified-next-hop st0.N preference 5"},
		{When: both(isDual, static), Unrouted: true, Reason: "route them to the second tunnel's unit too, with preference 10"},
		{When: both(isDual, not(severalPairs), not(hasBGP)), Reason: "an st0 unit is down as long as its tunnel is, and routes into it with it: then the second tunnel's are used, and the first's again when it is back"},
		unprobed, probed,
		{When: backedUp, Probed: true, Reason: "while the first tunnel's st0 unit is up, all traffic to probe-address takes it, so that the pings test that tunnel: choose an address that nobody needs while it is dead"},
		{When: both(isDual, severalPairs), Until: junosSince, Warning: true, Hint: "name the version: --target juniper-srx@23.2R1, or a later one that runs", Reason: "traffic-selector preference needs Junos 23.2R1: without it the device mixes the tunnels"},
		{When: both(isDual, severalPairs), Warning: true, Hint: "use 0.0.0.0/0 on both sides and routes", Reason: "Juniper lists traffic-selector preference for vSRX, SRX1500 and larger ones, and for no SRX300 model (Feature Explorer, 7498): there use 0.0.0.0/0 on both sides"},
		{When: hasBGP, Reason: "BGP: st0 units below admit BGP by host-inbound-traffic of their own, which goes before that of their zone: add what the zone admits beside it, such as system-services ping"},
		{When: hasBGP, Reason: "BGP: the AS number is the group's (local-as), and autonomous-system and router-id of routing-options stay as they are; where autonomous-system is another, it stands in the AS path too"},
		{When: both(severalPairs, not(isIKEv1)), Warning: true, Hint: onePairs, Reason: "Junos makes an SA for each pair of subnets where the cloud wants one for all: if some pairs stay down, give each its own connection"},
	},
	Residue: []Rule{
		{When: both(static, not(hasSubnets)), Routed: true, Reason: ofEachRoute},
		{When: both(hasSubnets, not(severalPairs), not(allOfCloud)), Reason: ofEachRoute},
		{When: static, Unrouted: true, Reason: "the routes to the st0 unit, which were made by hand, stay: delete them too"},
		{When: alwaysHolds, Reason: "the security zones, host-inbound-traffic and security flow tcp-mss stay for others"},
	},
}

const ofEachRoute = "of each static route only the next hop through st0 is deleted, as it may have others: one that has none is left empty, and the lines at the end delete it whole"

var junosIKE = Words{ // set security ike proposal
	Encryption: map[vpn.Encryption]Word{
		vpn.AES128:    {Text: "aes-128-cbc"},
		vpn.AES192:    {Text: "aes-192-cbc"},
		vpn.AES256:    {Text: "aes-256-cbc"},
		vpn.DES:       {Text: "des-cbc"},
		vpn.TripleDES: {Text: "3des-cbc"},
		vpn.SM4:       guomi,
	},
	Integrity: map[vpn.Integrity]Word{
		vpn.MD5:    {Text: "md5"},
		vpn.SHA1:   {Text: "sha1"},
		vpn.SHA256: {Text: "sha-256"},
		vpn.SHA384: {Text: "sha-384"},
		vpn.SHA512: {Text: "sha-512", Since: junosSince},
		vpn.SM3:    guomi,
	},
	Group:    junosGroups,
	Lifetime: Range{180, 86400, "lifetime-seconds of the IKE proposal"},
}

var junosESP = Words{ // set security ipsec proposal, perfect-forward-secrecy keys
	Encryption: junosIKE.Encryption,
	Integrity: map[vpn.Integrity]Word{
		vpn.MD5:    {Text: "hmac-md5-96"},
		vpn.SHA1:   {Text: "hmac-sha1-96"},
		vpn.SHA256: {Text: "hmac-sha-256-128"},
		vpn.SHA384: {Text: "hmac-sha-384", Since: junosSince},
		vpn.SHA512: {Text: "hmac-sha-512", Since: junosSince},
		vpn.SM3:    guomi,
	},
	Group:    junosGroups,
	Lifetime: Range{180, 86400, "lifetime-seconds of the IPsec proposal"},
}

var junosGroups = map[vpn.Group]Word{
	vpn.MODP768:     {Text: "group1"},
	vpn.MODP1024:    {Text: "group2"},
	vpn.MODP1536:    {Text: "group5"},
	vpn.MODP2048:    {Text: "group14"},
	vpn.MODP2048256: {Text: "group24"},
}

var junosIdentities = map[vpn.IDKind]Identity{
	vpn.IDIPv4:     {Peer: "inet %s", Cloud: "inet %s"},
	vpn.IDFQDN:     {Peer: "hostname %s", Cloud: "hostname %s"},
	vpn.IDUserFQDN: {Peer: `user-at-hostname "%s"`, Cloud: `user-at-hostname "%s"`},
	vpn.IDIPv6:     {Peer: "inet6 %s", Cloud: "inet6 %s"},
	vpn.IDKeyID:    {Peer: `key-id "%s"`, Cloud: `key-id "%s"`},
}
