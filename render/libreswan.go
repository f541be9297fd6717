package render

import "peerconf/vpn"

const (
	noDH2  = "later ones are not built with modp1024"
	noDH24 = "libreswan has not been built with DH group 24 since 3.26"
	noDH1  = "libreswan has no modp768"
	noDES  = "libreswan has no single DES"

	libreswanApart = "libreswan keeps two tunnels with the same subnets apart by vti interfaces: the cloud's subnets are routed into them"
)

// libreswan follows lib/libswan/ike_alg_*.c and configs/d.ipsec.conf of
// libreswan/libreswan; its statements load in 4.x and 5.x alike, and are
// keywords of 3.28 and 3.29 (lib/libipsecconf/keywords.c), which have group 2
// (USE_DH2 in mk/userland-cflags.mk). CHANGES tells the versions.
var libreswan = Dialect{
	Name:     "libreswan",
	Title:    "libreswan",
	Comment:  "#",
	MaxName:  40, // our own: updown.c cuts commands of more than 2048 characters short
	OneChild: "5.0",
	Oldest:   "3.28",
	Older:    "in older ones ikev2= leaves both IKE versions open",
	Least:    "4.0",
	Files: []File{
		{Suffix: ".conf", Template: "libreswan.conf.tmpl", Note: []string{
			"%[1]s: put it into /etc/ipsec.d/, then restart ipsec, which takes its other tunnels down for a moment",
		}},
		{Suffix: ".secrets", Template: "libreswan.secrets.tmpl", Note: []string{
			"%[1]s: put it into /etc/ipsec.d/ with mode 0600, then ipsec secrets",
		}},
		{Suffix: ".updown", Template: "libreswan.updown.tmpl", When: usesVTI, Note: []string{
			"%[1]s: put it into /etc/ipsec.d/ before the rest: libreswan runs it as tunnels come and go, and it sets their interfaces up",
		}, Routed: routedByScript},
		frr,
	},
	Removal: []File{{Suffix: ".remove.sh", Template: "libreswan.remove.tmpl", Note: []string{
		"%[1]s: read it, then run it as root: sh %[1]s",
	}}},
	IKE: Phases{vpn.IKEv1: libreswanWords, vpn.IKEv2: libreswanWords},
	ESP: Phases{vpn.IKEv1: libreswanWords, vpn.IKEv2: libreswanWords},
	Identities: map[vpn.Version]map[vpn.IDKind]Identity{
		vpn.IKEv1: libreswanIdentities,
		vpn.IKEv2: libreswanIdentities,
	},
	// configs/d.ipsec.conf/conn/fragmentation.xml
	Fragmentation: map[vpn.Version]Default{
		vpn.IKEv1: {On: true, Word: "fragmentation=yes"},
		vpn.IKEv2: {On: true, Word: "fragmentation=yes"},
	},
	Key:     keyBase64,
	KeyWord: `"%s"`,
	BGPKey:  keyFRR,
	Answers: []Answer{
		{Name: "local-address", Form: formLocal, Default: localAddress("%defaultroute"), Fallback: "%defaultroute; where the tunnels have two peer addresses, those, and behind NAT none",
			Meaning: "this host's own address on the way to the cloud; behind NAT the private one"},
		// 16384 is ipsec0 (kernel_xfrm_interface.h).
		{Name: "ipsec-interface", Form: formNumber, Number: &Range{Min: 1, Max: 16383}, Optional: true, When: usesVTI, Removal: usesVTI, Fallback: "none: a VTI",
			Barred: []Rule{
				{When: both(isDual, isActive), Reason: "libreswan refuses the same subnets on two connections unless their marks differ, and only a VTI has marks", Hint: "leave it out: each tunnel gets a VTI"},
				{When: alwaysHolds, Until: "4.0", Reason: "what libreswan has of it before 4.0 has not been tried", Hint: "leave it out: the tunnel gets a VTI"},
			},
			Meaning: "the number N of ipsecN, an XFRM interface that libreswan makes in place of a VTI; wants Linux 4.19"},
		{Name: "mark", Unless: "ipsec-interface", Form: formNumber, Number: &Range{Min: 1, Max: 1<<32 - 1}, When: usesVTI, Default: addressNumber, Fallback: "the cloud's address as a number",
			Meaning: "a mark no other tunnel of this host has"},
		{Name: "vti-interface", Unless: "ipsec-interface", Form: formInterface, Unique: true, When: usesVTI, Removal: alwaysHolds, Default: vtiName, Fallback: "vti and the cloud's address in hexadecimal",
			Meaning: "the tunnel interface that libreswan makes, at most 15 characters"},
		mode, cloudRoutes,
		pathMTU, removing(announced), accepted,
	},
	Interfaced: Rule{When: isDual, Reason: libreswanApart, Hint: "leave --mode out"},
	Lacks:      noProbes,
	Refusals: []Rule{oneKeyPerIdentity, {
		When: both(not(isIKEv1), pfsDiffers), Until: "5.2", Doubt: true, Field: "IpsecPfs",
		Reason: "libreswan 4 rekeys an IKEv2 child with the IKE group whatever esp= says, so the tunnel would fail at its first rekey; where 5.2 or a later one runs, --target libreswan@5.2 has it",
		Mend:   func(t *vpn.Tunnel) { t.ESP.PFS = t.IKE.Group },
	}},
	Residue: []Rule{routerStays, frrKept},
	Notices: []Rule{
		{When: alwaysHolds, Reason: "initiates: this host, at once"},
		lanDropped,
		fromPeer,
		{When: hasDPD, Until: "5.0", Reason: "dpdaction is for libreswan 4; libreswan 5 says that it ignores it"},
		// Debian's 4.10 refuses it too; the keyword came with 4.2.
		{When: isIKEv1, Since: "4.2", Warning: true, Hint: toIKEv2, Reason: "libreswan may refuse IKEv1, as 5 and Debian's 4.10 do, unless config setup in /etc/ipsec.conf says ikev1-policy=accept"},
		{When: static, Unrouted: true, Reason: "route the VPC's networks into the tunnel's interface once it is there: --set cloud-routes=NETWORK,NETWORK has the updown script do it"},
		{When: both(isDual, static), Unrouted: true, Reason: "route them into the first tunnel with metric 100 and into the second with metric 200; the route of a dead tunnel stays in place then"},
		{When: both(isDual, policyBased), Reason: libreswanApart},
		{When: both(isDual, hasDPD), Routed: true, Reason: "the second tunnel takes over when DPD gives the first up, after about 70 s with IKEv2 and 40 s with IKEv1"},
		{When: both(severalPairs, not(isIKEv1)), Until: "5.0", Warning: true, Hint: "--target libreswan@5.0 where libreswan 5 runs; else " + onePairs, Reason: "this makes an SA for each pair of subnets where the cloud wants one for all: where libreswan 5 runs, --target libreswan@5.0 makes one; else, if some pairs stay down, give each its own connection"},
	},
}

var libreswanWords = Words{
	Encryption: map[vpn.Encryption]Word{
		vpn.AES128:    {Text: "aes128"}, // plain aes leaves the key length open
		vpn.AES192:    {Text: "aes192"},
		vpn.AES256:    {Text: "aes256"},
		vpn.DES:       {Why: noDES},
		vpn.TripleDES: {Text: "3des"},
		vpn.SM4:       guomi,
	},
	Integrity: map[vpn.Integrity]Word{
		vpn.MD5:    {Text: "md5"},
		vpn.SHA1:   {Text: "sha1"},
		vpn.SHA256: {Text: "sha2_256"},
		vpn.SHA384: {Text: "sha2_384"},
		vpn.SHA512: {Text: "sha2_512"},
		vpn.SM3:    guomi,
	},
	Group: map[vpn.Group]Word{
		vpn.MODP768:     {Why: noDH1},
		vpn.MODP1024:    {Text: "modp1024", Until: "3.30", Why: noDH2},
		vpn.MODP1536:    {Text: "modp1536"},
		vpn.MODP2048:    {Text: "modp2048"},
		vpn.MODP2048256: {Why: noDH24},
	},
	// Shorter lifetimes leave no room for the margin in which it rekeys.
	Lifetime: Range{10, 86400, "ikelifetime and salifetime"},
}

// libreswanIdentities: without @ a name would be looked up in the DNS.
var libreswanIdentities = map[vpn.IDKind]Identity{
	vpn.IDIPv4:     {Peer: "%s", Cloud: "%s"},
	vpn.IDFQDN:     {Peer: "@%s", Cloud: "@%s"},
	vpn.IDUserFQDN: {Peer: "%s", Cloud: "%s"},
	vpn.IDIPv6:     {Peer: "%s", Cloud: "%s"},
	vpn.IDKeyID:    {Peer: "@[%s]", Cloud: "@[%s]"}, // lib/libswan/id.c
}

func pfsDiffers(_ vpn.Connection, t vpn.Tunnel) bool {
	return t.ESP.PFS != vpn.NoGroup && t.ESP.PFS != t.IKE.Group
}

// usesVTI: libreswan cannot hold the same selectors twice but by marks.
func usesVTI(c vpn.Connection, t vpn.Tunnel) bool { return routeBased(c, t) || c.Dual() }
