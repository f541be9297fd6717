package render

import (
	"regexp"
	"strings"

	"peerconf/vpn"
)

// fn72510 is Cisco's field notice on IOS-XE without weak algorithms; the first
// release without them is 17.11.1 on routers, later on other platforms. It
// lists des, 3des, md5 and the groups 1, 2 and 5, and 24 with IKEv2.
const fn72510 = "field notice FN72510: later releases want crypto engine compliance shield disable and a reload for it"

// shielded is a word that IOS-XE has while its shield is off.
func shielded(text string) Word {
	return Word{Text: text, Until: iosUntil, Why: fn72510, Unless: complianceShield.Name + "=off"}
}

var complianceShield = Answer{
	Name: "compliance-shield", Form: regexp.MustCompile(`^(on|off)$`), PerConnection: true, Default: constant("on"), Fallback: "on",
	Meaning: "off where the router runs with crypto engine compliance shield disable, and takes weak algorithms from 17.11 on too",
}

const iosApart = "IOS chooses a profile by it and takes none where several match"

const iosWholeRouter = "it would be for all peers of the router"

const iosUntil = Version("17.11")

// iosSelects is the first release whose model has policy below tunnel
// protection; Cisco's document 214728, on Multi-SA VTI, has it too.
const (
	iosSelects = Version("16.12")
	iosMultiSA = "a tunnel interface that negotiates subnets, by tunnel protection ipsec policy, is in IOS-XE from 16.12 on"
)

// ciscoIOS follows the IOS-XE YANG models (YangModels/yang,
// vendor/cisco/xe/*/Cisco-IOS-XE-crypto.yang), whose leaf names are the words
// of the command line.
var ciscoIOS = Dialect{
	Name:    "cisco-ios",
	Title:   "Cisco IOS",
	Comment: "!",
	ASCII:   true,
	Oldest:  "15",
	Older:   "IOS 12 has no IKEv2 and no SHA-2; IOS-XE 3 goes by the IOS release it holds, such as 15.5",
	MaxName: 31, // our own: the models set no limit, and 31 is short enough for every release
	Files: []File{{Suffix: ".cfg", Template: "cisco-ios.tmpl", Note: []string{
		"%[1]s: paste in configuration mode, or copy to running-config",
	}}},
	Removal: []File{{Suffix: ".remove.cfg", Template: "cisco-ios.remove.tmpl", Note: []string{
		"%[1]s: paste in configuration mode, or copy to running-config",
	}}},
	IKE: Phases{
		vpn.IKEv1: { // crypto isakmp policy
			Encryption: map[vpn.Encryption]Word{
				vpn.AES128:    {Text: "aes"},
				vpn.AES192:    {Text: "aes 192"},
				vpn.AES256:    {Text: "aes 256"},
				vpn.DES:       shielded("des"),
				vpn.TripleDES: shielded("3des"),
				vpn.SM4:       guomi,
			},
			Integrity: map[vpn.Integrity]Word{
				vpn.MD5:    shielded("md5"),
				vpn.SHA1:   {Text: "sha"},
				vpn.SHA256: {Text: "sha256"},
				vpn.SHA384: {Text: "sha384"},
				vpn.SHA512: {Text: "sha512"},
				vpn.SM3:    guomi,
			},
			Group: map[vpn.Group]Word{
				vpn.MODP768:     shielded("1"),
				vpn.MODP1024:    shielded("2"),
				vpn.MODP1536:    shielded("5"),
				vpn.MODP2048:    {Text: "14"},
				vpn.MODP2048256: {Text: "24"},
			},
			Lifetime: Range{60, 86400, "lifetime of crypto isakmp policy"},
		},
		vpn.IKEv2: { // crypto ikev2 proposal, and profile for the lifetime
			Encryption: map[vpn.Encryption]Word{
				vpn.AES128:    {Text: "aes-cbc-128"},
				vpn.AES192:    {Text: "aes-cbc-192"},
				vpn.AES256:    {Text: "aes-cbc-256"},
				vpn.DES:       shielded("des"),
				vpn.TripleDES: shielded("3des"),
				vpn.SM4:       guomi,
			},
			Integrity: map[vpn.Integrity]Word{
				vpn.MD5:    shielded("md5"),
				vpn.SHA1:   {Text: "sha1"},
				vpn.SHA256: {Text: "sha256"},
				vpn.SHA384: {Text: "sha384"},
				vpn.SHA512: {Text: "sha512"},
				vpn.SM3:    guomi,
			},
			Group: map[vpn.Group]Word{
				vpn.MODP768:     shielded("1"),
				vpn.MODP1024:    shielded("2"),
				vpn.MODP1536:    shielded("5"),
				vpn.MODP2048:    {Text: "14"},
				vpn.MODP2048256: shielded("24"),
			},
			Lifetime: Range{120, 86400, "lifetime of crypto ikev2 profile"},
		},
	},
	ESP: Phases{vpn.IKEv1: iosESP, vpn.IKEv2: iosESP},
	Identities: map[vpn.Version]map[vpn.IDKind]Identity{
		vpn.IKEv1: {
			vpn.IDIPv4:     {Peer: "address%.0s", Cloud: "address %s 255.255.255.255"},
			vpn.IDFQDN:     {Peer: "fqdn %s", Cloud: "host %s"},
			vpn.IDUserFQDN: {Peer: "user-fqdn %s", Cloud: "user %s"},
			vpn.IDIPv6:     {Why: "IOS with IKEv1 has IPv6 identities for IPv6 peers only"},
			vpn.IDKeyID:    {Why: "IOS has key-id identities with IKEv2 only"},
		},
		vpn.IKEv2: {
			vpn.IDIPv4:     {Peer: "address %s", Cloud: "address %s 255.255.255.255"},
			vpn.IDFQDN:     {Peer: "fqdn %s", Cloud: "fqdn %s"},
			vpn.IDUserFQDN: {Peer: "email %s", Cloud: "email %s"},
			vpn.IDIPv6:     {Peer: "address %s", Cloud: "address %s/128"},
			vpn.IDKeyID:    {Peer: "key-id %s", Cloud: "key-id %s"},
		},
	},
	Unlimited: "set security-association lifetime kilobytes disable",
	// Presence statements of the models, crypto ikev2 and crypto isakmp.
	Fragmentation: map[vpn.Version]Default{
		vpn.IKEv1: {Word: "crypto isakmp fragmentation", Why: iosWholeRouter},
		vpn.IKEv2: {Word: "crypto ikev2 fragmentation", Why: iosWholeRouter},
	},
	// Cisco's guide to IKEv2 calls overlapping profiles a misconfiguration, in
	// which none is selected.
	Apart:   iosApart,
	Key:     keyIOS,
	KeyWord: `0 %s`,
	BGPKey:  keyCiscoBGP,
	Answers: []Answer{
		{Name: "outside-interface", Form: formWord, Uplink: true, Meaning: "the interface towards the Internet, such as GigabitEthernet1"},
		outsideAddress(both(isIKEv1, peerIsAddress)),
		{Name: "policy-number", Form: formNumber, Number: &Range{Min: 1, Max: 10000}, When: isIKEv1, Removal: alwaysHolds,
			Meaning: "a free number of crypto isakmp policy; lower ones are tried first"},
		{Name: "ikev2-policy", Form: formName, When: not(isIKEv1), Removal: alwaysHolds, PerConnection: true, Default: constant("alibaba"), Fallback: "alibaba",
			Meaning: "the crypto ikev2 policy that gets the proposals; IOS uses one for all its peers, so its name if there is one"},
		{Name: "tunnel-number", Form: formNumber, Number: &Range{Min: 0, Max: 2147483647}, When: routeBased, Removal: alwaysHolds,
			Meaning: "a free number of interface Tunnel"},
		{Name: "crypto-map", Form: formName, When: policyBased, Removal: alwaysHolds, PerConnection: true,
			Meaning: "the crypto map on the outside interface, which can have one only: its name if there is one, else a new name"},
		{Name: "crypto-map-sequence", Form: formNumber, Number: &Range{Min: 1, Max: 65535}, PerConnection: true, When: policyBased, Removal: alwaysHolds,
			Meaning: "a free sequence number in that crypto map"},
		complianceShield,
		mode, cloudRoutes,
		probeAddress, probeSource,
		{Name: "sla-number", Form: formNumber, Number: &Range{Min: 1, Max: 2147483647}, PerConnection: true, Probe: true, When: backedUp, Removal: backedUp,
			Meaning: "a free number of ip sla, for the probe"},
		{Name: "track-number", Form: formNumber, Number: &Range{Min: 1, Max: 1000}, PerConnection: true, Probe: true, When: backedUp, Removal: backedUp,
			Meaning: "a free number of track, for the probe"},
		pathMTU, removing(announced), accepted,
	},
	Refusals: []Rule{{
		When:  both(isDual, policyBased, isActive, tunnelsDiffer),
		Field: "tunnels", Reason: "one crypto map entry holds both tunnels, and they differ in IKE version, IKEv1 mode, IKEv2 lifetime, DPD, the peer's identity, PFS or IPsec lifetime",
		Hint: "set both tunnels alike, or add --mode route (IOS-XE 16.12), where each has its own interface",
	}, {
		When:  both(isActive, routeBased, oneCloudID),
		Field: "LocalId and RemoteId", Reason: "both tunnels' cloud ends have one identity, and " + iosApart,
		Hint: "give each cloud end its own identity",
	}, {
		When: both(selective, isActive), Until: iosSelects, Field: "--mode",
		Reason: iosMultiSA,
		Hint:   toRoutes,
	}, {
		When: readsAsDomain, Field: "the cloud's identity",
		Reason: "IOS takes this name for the keyword domain, which a domain would have to follow",
		Hint:   "set LocalId of the connection to a name with a dot, or to the cloud's address",
	}},
	Notices: []Rule{
		{When: both(isIKEv1, peerIsAddress), Reason: "IOS sends the outside interface's address as its IKEv1 identity: it must be the peer's identity named above, behind NAT too, where ikev2 or an FQDN identity leaves the choice; --set outside-address checks it"},
		{When: isAggressive, Warning: true, Hint: toIKEv2, Reason: "aggressive mode: the router must not have crypto isakmp aggressive-mode disable, and its group is that of its first crypto isakmp policy"},
		{When: not(isIKEv1), Reason: "IOS chooses a crypto ikev2 policy by local address alone: if the router has one already, name it with --set ikev2-policy; if it has none and other IKEv2 peers, they live on its default policy, which is out of use once there is another: give this one their proposals too"},
		{When: routeBased, Reason: "initiates: this router, at once"},
		oneRouterBGP,
		heldDown,
		{When: static, Unrouted: true, Reason: "route the VPC's networks into the tunnel: --set cloud-routes=NETWORK,NETWORK writes the routes"},
		{When: both(isDual, static), Unrouted: true, Reason: "route the VPC's networks into the first tunnel, and into the second with distance 250"},
		fromPeer,
		{When: selective, Until: iosSelects, Warning: true, Hint: "name the version: --target cisco-ios@16.12, or a later one that runs", Reason: iosMultiSA},
		{When: both(isDual, routeBased, not(hasBGP)), Reason: "a tunnel interface is down as long as its tunnel is, and routes into it with it: then the second tunnel's are used, and the first's again when it is back"},
		unprobed, probed,
		{When: backedUp, Probed: true, Reason: "all traffic to probe-address takes the first tunnel, be it up or down, so that the pings test that one: choose an address that nobody needs while it is down"},
		{When: backedUp, Probed: true, Reason: "IOS changes no ip sla that runs: before another takes its place, remove it"},
		{When: policyBased, Reason: "initiates: this router when traffic matches the access list; the VPC's networks must be routed out of the outside interface and kept out of NAT"},
		{When: both(isDual, policyBased), Reason: "a crypto map has one tunnel up at a time: the cloud shows the standby as down until it takes over; --mode route (IOS-XE 16.12) has both up"},
		{When: both(severalPairs, not(isIKEv1)), Warning: true, Hint: onePairs + ", and each a LocalId of its own", Reason: "IOS makes an SA for each pair of subnets where the cloud wants one for all: if some pairs stay down, give each its own connection, with a LocalId of its own"},
	},
	Residue: []Rule{
		{When: policyBased, Reason: "the crypto map stays on its interface for its other entries; if it has none, first take it off: no crypto map, below the interface"},
		{When: not(isIKEv1), Reason: "the crypto ikev2 policy stays for other peers; if IOS keeps its last proposal, or it has none left, remove it, no crypto ikev2 policy and its name, and then the proposals"},
		{When: isIKEv1, Reason: "no crypto isakmp policy takes that policy from whoever else uses it: leave the line out if another peer needs it"},
		{When: static, Unrouted: true, Reason: "the routes into the tunnel interfaces, which were made by hand, stay: remove them too"},
		routerStays,
	},
}

var iosESP = Words{ // crypto ipsec transform-set, set pfs
	Encryption: map[vpn.Encryption]Word{
		vpn.AES128:    {Text: "esp-aes"},
		vpn.AES192:    {Text: "esp-aes 192"},
		vpn.AES256:    {Text: "esp-aes 256"},
		vpn.DES:       shielded("esp-des"),
		vpn.TripleDES: shielded("esp-3des"),
		vpn.SM4:       guomi,
	},
	Integrity: map[vpn.Integrity]Word{
		vpn.MD5:    shielded("esp-md5-hmac"),
		vpn.SHA1:   {Text: "esp-sha-hmac"},
		vpn.SHA256: {Text: "esp-sha256-hmac"},
		vpn.SHA384: {Text: "esp-sha384-hmac"},
		vpn.SHA512: {Text: "esp-sha512-hmac"},
		vpn.SM3:    guomi,
	},
	Group: map[vpn.Group]Word{
		vpn.MODP768:     shielded("group1"),
		vpn.MODP1024:    shielded("group2"),
		vpn.MODP1536:    shielded("group5"),
		vpn.MODP2048:    {Text: "group14"},
		vpn.MODP2048256: shielded("group24"),
	},
	Lifetime: Range{120, 86400, "set security-association lifetime seconds"},
}

// readsAsDomain tells whether match identity would read the name as its keyword
// domain, which may be cut short.
func readsAsDomain(_ vpn.Connection, t vpn.Tunnel) bool {
	return t.CloudIdentity.Kind == vpn.IDFQDN && strings.HasPrefix("domain", strings.ToLower(t.CloudIdentity.Value))
}

// tunnelsDiffer tells whether two tunnels differ in what a crypto map entry
// and its one profile say for both.
func tunnelsDiffer(c vpn.Connection, _ vpn.Tunnel) bool {
	a, b := c.Tunnels[0], c.Tunnels[1]
	return a.IKE.Version != b.IKE.Version || a.IKE.Version == vpn.IKEv1 && a.IKE.Mode != b.IKE.Mode ||
		a.IKE.Version == vpn.IKEv2 && a.IKE.Lifetime != b.IKE.Lifetime ||
		a.DPD != b.DPD || a.PeerIdentity != b.PeerIdentity ||
		a.ESP.PFS != b.ESP.PFS || a.ESP.Lifetime != b.ESP.Lifetime
}
