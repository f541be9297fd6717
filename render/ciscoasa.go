package render

import (
	"fmt"
	"net/netip"

	"peerconf/vpn"
)

const (
	// asaUntil is the release that removed weak algorithms: Firepower 6.7, of
	// the same base, has them in its release notes under deprecated, and lists
	// made for upgrades to 9.16 name the commands (manual.sakura.ad.jp,
	// ds/legacy/support/fw_maint_916). asaGroup gave IKEv1 group 14.
	asaUntil = Version("9.15")
	asaGroup = Version("9.13")

	asaNoProbe = "its sla monitor pings from the tunnel interface's own address, which the cloud does not route, and Cisco documents it for no tunnel interface"

	asaWeak    = "later ones have no DES, 3DES or MD5 and no group 2 or 24"
	asaSHA2    = "with IKEv1 an ASA has SHA-1 and MD5 only"
	asaGroup1  = "current ASA releases have no group 1, and which was the last to have it is in doubt"
	asaGroup24 = "with IKEv1 an ASA has the groups 2, 5 and 14 only"
	asaGroup5  = "later ones have group 5 with IKEv1 only"
)

// formInside is an address that a host can have in a network of 4 addresses,
// as the cloud's are inside tunnels.
var formInside = form(func(s string) bool {
	a := ipv4(s)
	return a.IsValid() && (a.As4()[3]%4 == 1 || a.As4()[3]%4 == 2)
})

// ciscoASA follows Cisco's ASA VPN CLI configuration guides, chapters IPsec and
// ISAKMP and Virtual Tunnel Interface (asa97 to asa920), and the ASA command
// reference. Ranges are those of the managers' models (developer.cisco.com,
// IkevOnePolicy and IkevTwoPolicy). Two peers with IKEv2 from 9.14 on: Cisco's
// document 220638. Their connection-type is left at bidirectional, as in its
// example of VPN Preempt: originate-only rejects what the cloud negotiates until
// the ASA has (message 713195), and other clouds warn against it.
var ciscoASA = Dialect{
	Name:    "cisco-asa",
	Title:   "Cisco ASA",
	Comment: "!",
	ASCII:   true,
	Oldest:  "9.1(2)",
	Older:   "older ones cannot turn data-based rekeying off (lifetime kilobytes unlimited)",
	MaxName: 48, // of a nameif
	Files: []File{{Suffix: ".cfg", Template: "cisco-asa.tmpl", Note: []string{
		"%[1]s: paste in configuration mode, or copy to running-config; then write memory",
	}}},
	Removal: []File{{Suffix: ".remove.cfg", Template: "cisco-asa.remove.tmpl", Note: []string{
		"%[1]s: paste in configuration mode, or copy to running-config; then write memory",
	}}},
	IKE: Phases{
		vpn.IKEv1: { // crypto ikev1 policy
			Encryption: asaEncryption,
			Integrity: map[vpn.Integrity]Word{
				vpn.MD5:    {Text: "md5", Until: asaUntil, Why: asaWeak},
				vpn.SHA1:   {Text: "sha"},
				vpn.SHA256: {Why: asaSHA2},
				vpn.SHA384: {Why: asaSHA2},
				vpn.SHA512: {Why: asaSHA2},
				vpn.SM3:    guomi,
			},
			Group: map[vpn.Group]Word{
				vpn.MODP768:     {Why: asaGroup1},
				vpn.MODP1024:    {Text: "2", Until: asaUntil, Why: asaWeak},
				vpn.MODP1536:    {Text: "5"},
				vpn.MODP2048:    {Text: "14", Since: asaGroup},
				vpn.MODP2048256: {Why: asaGroup24},
			},
			Lifetime: Range{120, 2147483647, "lifetime of crypto ikev1 policy"},
		},
		vpn.IKEv2: { // crypto ikev2 policy; integrity and prf have the same words
			Encryption: asaEncryption,
			Integrity: map[vpn.Integrity]Word{
				vpn.MD5:    {Text: "md5", Until: asaUntil, Why: asaWeak},
				vpn.SHA1:   {Text: "sha"},
				vpn.SHA256: {Text: "sha256"},
				vpn.SHA384: {Text: "sha384"},
				vpn.SHA512: {Text: "sha512"},
				vpn.SM3:    guomi,
			},
			Group: map[vpn.Group]Word{
				vpn.MODP768:     {Why: asaGroup1},
				vpn.MODP1024:    {Text: "2", Until: asaUntil, Why: asaWeak},
				vpn.MODP1536:    {Text: "5", Until: asaUntil, Why: asaGroup5},
				vpn.MODP2048:    {Text: "14"},
				vpn.MODP2048256: {Text: "24", Until: asaUntil, Why: asaWeak},
			},
			Lifetime: Range{120, 2147483647, "lifetime seconds of crypto ikev2 policy"},
		},
	},
	ESP: Phases{
		vpn.IKEv1: { // crypto ipsec ikev1 transform-set, set pfs
			Encryption: map[vpn.Encryption]Word{
				vpn.AES128:    {Text: "esp-aes"},
				vpn.AES192:    {Text: "esp-aes-192"},
				vpn.AES256:    {Text: "esp-aes-256"},
				vpn.DES:       {Text: "esp-des", Until: asaUntil, Why: asaWeak},
				vpn.TripleDES: {Text: "esp-3des", Until: asaUntil, Why: asaWeak},
				vpn.SM4:       guomi,
			},
			Integrity: map[vpn.Integrity]Word{
				vpn.MD5:    {Text: "esp-md5-hmac", Until: asaUntil, Why: asaWeak},
				vpn.SHA1:   {Text: "esp-sha-hmac"},
				vpn.SHA256: {Why: asaSHA2},
				vpn.SHA384: {Why: asaSHA2},
				vpn.SHA512: {Why: asaSHA2},
				vpn.SM3:    guomi,
			},
			Group: map[vpn.Group]Word{
				vpn.MODP768:     {Why: asaGroup1},
				vpn.MODP1024:    {Text: "group2", Until: asaUntil, Why: asaWeak},
				vpn.MODP1536:    {Text: "group5"},
				vpn.MODP2048:    {Text: "group14", Since: asaGroup},
				vpn.MODP2048256: {Why: asaGroup24},
			},
			Lifetime: asaESPLifetime,
		},
		vpn.IKEv2: { // crypto ipsec ikev2 ipsec-proposal, set pfs
			Encryption: asaEncryption,
			Integrity: map[vpn.Integrity]Word{
				vpn.MD5:    {Text: "md5", Until: asaUntil, Why: asaWeak},
				vpn.SHA1:   {Text: "sha-1"},
				vpn.SHA256: {Text: "sha-256"},
				vpn.SHA384: {Text: "sha-384"},
				vpn.SHA512: {Text: "sha-512"},
				vpn.SM3:    guomi,
			},
			Group: map[vpn.Group]Word{
				vpn.MODP768:     {Why: asaGroup1},
				vpn.MODP1024:    {Text: "group2", Until: asaUntil, Why: asaWeak},
				vpn.MODP1536:    {Text: "group5", Until: asaUntil, Why: asaGroup5},
				vpn.MODP2048:    {Text: "group14"},
				vpn.MODP2048256: {Text: "group24", Until: asaUntil, Why: asaWeak},
			},
			Lifetime: asaESPLifetime,
		},
	},
	Identities: map[vpn.Version]map[vpn.IDKind]Identity{
		vpn.IKEv1: asaIdentities,
		vpn.IKEv2: asaIdentities,
	},
	Unlimited: "set security-association lifetime kilobytes unlimited",
	// IKEv1: messages 715046 and 715064 of an ASA, which offers and takes it;
	// IKEv2: VPN CLI configuration guide, IPsec and ISAKMP.
	Fragmentation: map[vpn.Version]Default{
		vpn.IKEv1: {On: true, Why: "an ASA has no statement for it"},
		vpn.IKEv2: {On: true, Word: "crypto ikev2 fragmentation"},
	},
	Key:     keyASA,
	KeyWord: `%s`,
	BGPKey:  keyCiscoBGP,
	Peering: &Peering{asaTunnelGroup, "another connection of this run joins them with another IKE version or DPD setting, and an ASA has one tunnel-group for a peer's address"},
	Answers: []Answer{
		{Name: "outside-interface", Form: formWord, Uplink: true, Removal: policyBased, Meaning: "the nameif of the interface towards the Internet, such as outside"},
		outsideAddress(peerIsAddress),
		{Name: "inside-interface", Form: formWord, When: policyBased, Removal: alwaysHolds, PerConnection: true,
			Meaning: "the nameif of the interface towards the peer's subnets, such as inside: their traffic to the cloud is kept out of NAT"},
		{Name: "policy-number", Form: formNumber, Number: &Range{Min: 1, Max: 65535}, Removal: alwaysHolds,
			Meaning: "a free number of crypto ikev1 policy and crypto ikev2 policy; lower ones are tried first"},
		{Name: "tunnel-number", Form: formNumber, Number: &Range{Min: 0, Max: 10413}, Fewer: "9.16", FewerMax: 100, When: routeBased, Removal: alwaysHolds,
			Meaning: "a free number of interface Tunnel; before ASA 9.16 at most 100"},
		{Name: "tunnel-address", Form: formInside, Unique: true, When: static,
			Meaning: "an address for interface Tunnel, which needs one, in a free network of 4 addresses: of 169.254.10.0/30 it is 169.254.10.1 or .2"},
		{Name: "crypto-map", Form: formName, When: policyBased, Removal: alwaysHolds, PerConnection: true,
			Meaning: "the crypto map on the outside interface, which can have one only: its name if there is one, else a new name"},
		{Name: "crypto-map-sequence", Form: formNumber, Number: &Range{Min: 1, Max: 65535}, PerConnection: true, When: policyBased, Removal: alwaysHolds,
			Meaning: "a free sequence number in that crypto map"},
		mode,
		unremoved(cloudRoutes), // routes go with their interface
		pathMTU, removing(announced), removing(accepted),
	},
	// Cisco's guides to tunnel interfaces, of 9.7 to 9.15; what later releases
	// have has not been looked up.
	Policed: Rule{When: alwaysHolds, Reason: "a tunnel interface of an ASA negotiates 0.0.0.0/0 on both sides, whatever the connection's subnets are", Hint: toRoutes},
	Lacks:   map[string]string{probeAddress.Name: asaNoProbe, probeSource.Name: asaNoProbe},
	Refusals: []Rule{{
		When: not(peerIsAddress), Field: "the peer's identity",
		Reason: "an ASA has one identity for all its peers (crypto isakmp identity), with keys its address; another for one peer cannot be said",
		Hint:   "set RemoteId of the connection to the address of the ASA's outside interface",
	}, {
		When: cloudNamed, Field: "the cloud's identity",
		Reason: "an ASA finds a peer's key by a tunnel-group that is called what the peer sends as its identity, and with keys that is the peer's address",
		Hint:   "set LocalId of the connection to the cloud's address",
	}, {
		When: both(routeBased, isAggressive), Field: "IkeMode",
		Reason: "a tunnel interface of an ASA cannot initiate aggressive mode, only a crypto map can",
		Hint:   "set IkeMode of the connection to main, or IkeVersion to ikev2",
	}, {
		When: both(routeBased, isIKEv1), Until: "9.7", Field: "subnets",
		Reason: "0.0.0.0/0 on both sides needs a tunnel interface, which an ASA has from 9.7 on",
		Hint:   "give the connection the subnets of both sides, or upgrade the ASA",
	}, {
		When: both(routeBased, not(isIKEv1)), Until: "9.8", Field: "subnets",
		Reason: "0.0.0.0/0 on both sides needs a tunnel interface, which an ASA has with IKEv2 from 9.8 on",
		Hint:   "give the connection the subnets of both sides, or upgrade the ASA",
	}, {
		When: both(isDual, policyBased, isActive, not(isIKEv1)), Until: "9.14", Field: "tunnels",
		Reason: "one crypto map entry holds both tunnels, and it can have two peers with IKEv2 from ASA 9.14 on",
		Hint:   "use 0.0.0.0/0 on both sides, where each tunnel has its own interface, or upgrade the ASA",
	}, {
		When: both(isDual, policyBased, isActive, asaTunnelsDiffer), Field: "tunnels",
		Reason: "one crypto map entry holds both tunnels, and they differ in IKE version, IKEv1 mode, aggressive mode's group, the peer's address, NAT traversal, PFS or IPsec lifetime",
		Hint:   "set both tunnels alike, or use 0.0.0.0/0 on both sides, where each has its own interface",
	}},
	Notices: []Rule{
		{When: alwaysHolds, Reason: "the ASA sends its outside interface's address as identity: it must be the peer's named above, behind NAT too (--set outside-address checks it), and crypto isakmp identity auto, its default, or address"},
		{When: isAggressive, Warning: true, Hint: toIKEv2, Reason: "aggressive mode: the ASA must not have crypto ikev1 am-disable"},
		{When: both(not(isIKEv1), espStronger), Warning: true, Hint: "set IkeEncAlg of the connection to IpsecEncAlg's value", Reason: "IpsecEncAlg is stronger than IkeEncAlg: the ASA must not have crypto ipsec ikev2 sa-strength-enforcement"},
		{When: alwaysHolds, Reason: "an ASA holds 20 policies of crypto ikev1 and 20 of crypto ikev2: leave out what another says already"},
		{When: alwaysHolds, Reason: "sysopt connection is for all of the ASA: leave the line with tcpmss out if it is lower already; permit-vpn, unless switched off, lets what comes out of the tunnel past access lists"},
		{When: both(routeBased, isIKEv1), Until: "9.7", Warning: true, Hint: "name the version: --target cisco-asa@9.7, or a later one that runs", Reason: "tunnel interfaces need ASA 9.7 with IKEv1"},
		{When: both(routeBased, not(isIKEv1)), Until: "9.8", Warning: true, Hint: "name the version: --target cisco-asa@9.8, or a later one that runs", Reason: "tunnel interfaces need ASA 9.8 with IKEv2"},
		{When: routeBased, Reason: "tunnel interfaces need routed firewall mode and a single context"},
		{When: routeBased, Reason: "initiates: this ASA, at once"},
		oneRouterBGP,
		heldDown,
		{When: static, Unrouted: true, Reason: "route the VPC's networks into the tunnel: --set cloud-routes=NETWORK,NETWORK writes the routes, or route NAMEIF NETWORK MASK ADDRESS 1, the address being the other one of the tunnel's network"},
		{When: both(isDual, static), Unrouted: true, Reason: "route them into the second tunnel too, with 2 in place of 1 at the end"},
		{When: both(isDual, static), Reason: "a tunnel interface is down as long as its tunnel is, and routes into it with it: then the second tunnel's are used, and the first's again when it is back"},
		{When: backedUp, Routed: true, Reason: "a path that is dead while its tunnel is up goes unnoticed without BGP, and an ASA has no probe for it: " + asaNoProbe},
		{When: policyBased, Reason: "initiates: this ASA when traffic matches the access list; the VPC's networks must be routed out of the outside interface"},
		{When: both(isDual, policyBased), Reason: "a crypto map has one tunnel up at a time: the cloud shows the standby as down until it takes over, and it keeps the traffic until clear crypto ipsec sa peer and its address end it"},
		{When: both(isDual, policyBased, not(isIKEv1)), Until: "9.14", Warning: true, Hint: "name the version: --target cisco-asa@9.14, or a later one that runs", Reason: "two peers in a crypto map entry with IKEv2 need ASA 9.14"},
		{When: both(severalPairs, not(isIKEv1)), Warning: true, Hint: onePairs, Reason: "an ASA makes an SA for each line of the access list where the cloud wants one for all: if some pairs stay down, give each its own connection"},
	},
	Residue: []Rule{
		{When: policyBased, Reason: "the crypto map stays on the outside interface for its other entries; if it has none, remove that line too: no crypto map NAME interface NAMEIF"},
		{When: alwaysHolds, Reason: "crypto ikev1 enable and crypto ikev2 enable stay for other peers, and so does sysopt connection tcpmss: its default is 1380"},
		{When: alwaysHolds, Reason: "no crypto ikev1 policy and no crypto ikev2 policy take that policy from whoever else uses it: leave the line out if another peer needs it"},
		{When: alwaysHolds, Reason: "the tunnel-group is that of every connection to this address: if another one stays, leave the lines with tunnel-group out and set its default-group-policy to the other's"},
		{When: static, Reason: "removing a tunnel interface removes the routes into it"},
		routerStays,
	},
}

// asaEncryption are the words of both IKE policies and of ESP with IKEv2.
var asaEncryption = map[vpn.Encryption]Word{
	vpn.AES128:    {Text: "aes"},
	vpn.AES192:    {Text: "aes-192"},
	vpn.AES256:    {Text: "aes-256"},
	vpn.DES:       {Text: "des", Until: asaUntil, Why: asaWeak},
	vpn.TripleDES: {Text: "3des", Until: asaUntil, Why: asaWeak},
	vpn.SM4:       guomi,
}

var asaESPLifetime = Range{120, 214783647, "set security-association lifetime seconds"}

// asaIdentities: an ASA has no statement for the identities of one peering;
// what it sends and wants are addresses, and other ones are refused.
var asaIdentities = map[vpn.IDKind]Identity{
	vpn.IDIPv4:     {Peer: "%s", Cloud: "%s"},
	vpn.IDFQDN:     {Peer: "%s", Cloud: "%s"},
	vpn.IDUserFQDN: {Peer: "%s", Cloud: "%s"},
	vpn.IDIPv6:     {Peer: "%s", Cloud: "%s"},
	vpn.IDKeyID:    {Peer: "%s", Cloud: "%s"},
}

// asaTunnelGroup is what a tunnel-group and its group-policy say beside the key.
func asaTunnelGroup(t vpn.Tunnel) string { return fmt.Sprint(t.IKE.Version, t.DPD) }

// cloudNamed tells whether the cloud's identity is not its address. Masked
// ones are words yet and may be.
func cloudNamed(_ vpn.Connection, t vpn.Tunnel) bool {
	id, err := netip.ParseAddr(t.CloudIdentity.Value)
	return t.CloudIdentity.Kind != vpn.IDIPv4 || err == nil && t.CloudAddress.IP.IsValid() && id != t.CloudAddress.IP
}

func espStronger(_ vpn.Connection, t vpn.Tunnel) bool {
	return weaker(strongEncryption, t.ESP.Encryption, t.IKE.Encryption)
}

// asaTunnelsDiffer tells whether two tunnels differ in what a crypto map entry
// says for both.
func asaTunnelsDiffer(c vpn.Connection, _ vpn.Tunnel) bool {
	a, b := c.Tunnels[0], c.Tunnels[1]
	return a.IKE.Version != b.IKE.Version || isAggressive(c, a) != isAggressive(c, b) ||
		isAggressive(c, a) && a.IKE.Group != b.IKE.Group ||
		a.PeerAddress != b.PeerAddress || a.NATT != b.NATT ||
		a.ESP.PFS != b.ESP.PFS || a.ESP.Lifetime != b.ESP.Lifetime
}
