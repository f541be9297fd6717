package render

import (
	"fmt"

	"peerconf/vpn"
)

// strongswanNewest is assumed without a version; what is written loads in
// 5.9.8 alike.
const strongswanNewest Version = "6.0"

// strongswan follows src/libstrongswan/crypto/proposal/proposal_keywords_static.txt
// and src/swanctl/swanctl.opt of strongswan/strongswan; its NEWS, and the tags
// that first have a setting in src/libcharon/plugins/vici/vici_config.c, tell
// the versions.
var strongswan = Dialect{
	Name:    "strongswan",
	Title:   "strongSwan",
	Comment: "#",
	MaxName: 64, // half of what settings.c took before 6.0.4: children and secrets append to it
	Newest:  strongswanNewest,
	Oldest:  "5.2",
	Older:   "older ones have no swanctl.conf",
	Files: []File{{Suffix: ".conf", Template: "strongswan.tmpl", Note: []string{
		"%[1]s: put it into /etc/swanctl/conf.d/ with mode 0600, then swanctl --load-all",
	}}, {Suffix: ".updown", Template: "strongswan.updown.tmpl", When: routeBased, Note: []string{
		"%[1]s: put it into /etc/swanctl/conf.d/ before the rest: strongSwan's updown plugin runs it as tunnels come and go, and it makes their XFRM interfaces",
	}, Routed: routedByScript}, frr},
	Removal: []File{{Suffix: ".remove.sh", Template: "strongswan.remove.tmpl", Note: []string{
		"%[1]s: read it, then run it as root: sh %[1]s",
	}}},
	IKE: strongswanPhases("rekey_time and over_time"),
	ESP: strongswanPhases("life_time"),
	Identities: map[vpn.Version]map[vpn.IDKind]Identity{
		vpn.IKEv1: strongswanIdentities,
		vpn.IKEv2: strongswanIdentities,
	},
	Fragmentation: strongswanFragments("fragmentation = yes"),
	Key:           keyBase64,
	KeyWord:       `"%s"`,
	BGPKey:        keyFRR,
	Answers: []Answer{
		strongswanLocalAddress,
		{Name: "if-id", Form: formNumber, Number: &Range{Min: 1, Max: 1<<32 - 1}, When: routeBased, Default: addressNumber, Fallback: "the cloud's address as a number",
			Meaning: "the if_id of the tunnel's XFRM interface"},
		{Name: "xfrm-interface", Form: formInterface, Unique: true, When: routeBased, Removal: routeBased, Default: xfrmName, Fallback: "xfrm and the cloud's address in hexadecimal",
			Meaning: "the tunnel's XFRM interface, at most 15 characters"},
		mode, cloudRoutes,
		pathMTU, removing(announced), accepted,
	},
	Lacks: noProbes,
	Refusals: []Rule{
		keyIDSince,
		oneKeyPerIdentity,
		{When: routeBased, Until: "5.8", Field: "LocalSubnet and RemoteSubnet", Reason: "strongSwan has XFRM interfaces, if_id_in and if_id_out, from 5.8.0 on",
			Hint: "--target strongswan-ipsec writes a VTI in their place"},
		{When: both(isDual, policyBased), Until: "5.5", Field: "TunnelOptionsSpecification", Reason: "strongSwan takes a priority, which keeps two tunnels with the same subnets apart, from 5.5.0 on",
			Hint: "--target strongswan-ipsec keeps them apart by VTIs"},
	},
	Notices: []Rule{
		{When: alwaysHolds, Until: "5.6", Reason: "swanctl.conf includes conf.d/*.conf by itself from 5.6.0 on: have it say so"},
		strongswan6DES,
		{When: alwaysHolds, Reason: "initiates: this host, at once; after an error reply, such as NO_PROPOSAL_CHOSEN or AUTHENTICATION_FAILED, it waits for swanctl --initiate"},
		strongswanAggressive,
		strongswanDown,
		lanDropped,
		fromPeer,
		{When: static, Unrouted: true, Reason: "route the VPC's networks into the tunnel's XFRM interface once it is there: --set cloud-routes=NETWORK,NETWORK has the updown script do it"},
		{When: both(isDual, static), Unrouted: true, Reason: "route them into the first tunnel with metric 100 and into the second with metric 200; the route of a dead tunnel stays in place then"},
		strongswanFailover(routeBased),
		{When: both(isDual, policyBased), Reason: "while the first tunnel is up, traffic that the cloud sends through the second is dropped; --mode route has no such limit"},
		{When: both(isDual, policyBased), Reason: "the second tunnel takes over when DPD gives the first up: after about 165 s with IKEv2, unless charon.retransmit_tries in strongswan.conf is lower"},
		{When: both(isDual, policyBased), Reason: "DPD waits as long as traffic for the first tunnel's subnets arrives, be it through the second (seen with 5.9.8): until the cloud sends nothing, nothing fails over; --mode route gives each tunnel its interface, and it does"},
	},
	Residue: []Rule{
		{When: routeBased, Reason: "with the XFRM interfaces the routes into them go"},
		routerStays, frrKept,
	},
}

var strongswanWords = Words{
	Encryption: map[vpn.Encryption]Word{
		vpn.AES128:    {Text: "aes128"},
		vpn.AES192:    {Text: "aes192"},
		vpn.AES256:    {Text: "aes256"},
		vpn.DES:       {Text: "des"},
		vpn.TripleDES: {Text: "3des"},
		vpn.SM4:       guomi,
	},
	Integrity: map[vpn.Integrity]Word{
		vpn.MD5:    {Text: "md5"},
		vpn.SHA1:   {Text: "sha1"},
		vpn.SHA256: {Text: "sha256"},
		vpn.SHA384: {Text: "sha384"},
		vpn.SHA512: {Text: "sha512"},
		vpn.SM3:    guomi,
	},
	Group: map[vpn.Group]Word{
		vpn.MODP768:     {Text: "modp768"},
		vpn.MODP1024:    {Text: "modp1024"},
		vpn.MODP1536:    {Text: "modp1536"},
		vpn.MODP2048:    {Text: "modp2048"},
		vpn.MODP2048256: {Text: "modp2048s256"},
	},
}

// strongswanPhases are one phase's words; setting is what holds its lifetime.
func strongswanPhases(setting string) Phases {
	words := strongswanWords
	words.Lifetime = Range{10, 86400, setting}
	return Phases{vpn.IKEv1: words, vpn.IKEv2: words}
}

// strongswanFragments: NEWS of 5.5.1; peer_cfg's initial value in vici_config.c,
// conn_defaults in confread.c.
func strongswanFragments(word string) map[vpn.Version]Default {
	d := Default{On: true, Since: "5.5.1", Word: word}
	return map[vpn.Version]Default{vpn.IKEv1: d, vpn.IKEv2: d}
}

// strongswan6DES: 6.0.0 no longer builds the des plugin by default, and OpenSSL
// has DES in its legacy provider (NEWS; openssl_plugin.c). The kernel's ESP has
// it in any case.
var strongswan6DES = Rule{
	When: func(_ vpn.Connection, t vpn.Tunnel) bool { return t.IKE.Encryption == vpn.DES }, Since: "6", Warning: true,
	Hint:   "set IkeEncAlg of the connection to aes256",
	Reason: "IkeEncAlg des: strongSwan 6 takes it from OpenSSL's legacy provider, which has to be installed, unless the des plugin is built",
}

var strongswanAggressive = Rule{
	When:    isAggressive,
	Warning: true, Hint: toIKEv2,
	Reason: "aggressive mode: this host does not answer the cloud's first message unless strongswan.conf says charon.i_dont_care_about_security_and_use_aggressive_mode_psk = yes; it initiates without",
}

var strongswanLocalAddress = Answer{
	Name: "local-address", Form: formLocal, Default: localAddress("%any"), Fallback: "%any; where the tunnels have two peer addresses, those, and behind NAT none",
	Meaning: "this host's own address on the way to the cloud; behind NAT the private one",
}

var strongswanIdentities = map[vpn.IDKind]Identity{
	vpn.IDIPv4:     {Peer: "%s", Cloud: "%s"},
	vpn.IDFQDN:     {Peer: "@%s", Cloud: "@%s"},
	vpn.IDUserFQDN: {Peer: "%s", Cloud: "%s"},
	vpn.IDIPv6:     {Peer: "%s", Cloud: "%s"},
	vpn.IDKeyID:    {Peer: "keyid:%s", Cloud: "keyid:%s"},
}

// keyIDSince: utils/identification.c knows the prefix keyid: from 5.2.2 on.
var keyIDSince = Rule{When: hasKeyID, Until: "5.2.2", Field: "LocalId and RemoteId", Reason: "strongSwan can say that an identity is a key-id from 5.2.2 on",
	Hint: "upgrade strongSwan, or use an address or a domain name as identity"}

// localAddress leaves the choice to the routing table, unless the tunnels end
// on two addresses: each then needs its own.
func localAddress(any string) func(vpn.Connection, vpn.Tunnel) string {
	return func(c vpn.Connection, t vpn.Tunnel) string {
		switch {
		case !twoPeers(c, t):
			return any
		case peerIsAddress(c, t) && t.PeerIdentity.Value != t.PeerAddress.String():
			return "" // behind NAT
		}
		return t.PeerAddress.String()
	}
}

// addressNumber makes a number that no other tunnel of the host has: the
// cloud's address, which a host has one tunnel to.
func addressNumber(_ vpn.Connection, t vpn.Tunnel) string {
	if !t.CloudAddress.IP.Is4() {
		return ""
	}
	b := t.CloudAddress.IP.As4()
	return fmt.Sprint(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
}

// vtiName is addressNumber as an interface name.
func vtiName(_ vpn.Connection, t vpn.Tunnel) string {
	if !t.CloudAddress.IP.Is4() {
		return ""
	}
	return fmt.Sprintf("vti%x", t.CloudAddress.IP.As4())
}

// xfrmName likewise.
func xfrmName(_ vpn.Connection, t vpn.Tunnel) string {
	if !t.CloudAddress.IP.Is4() {
		return ""
	}
	return fmt.Sprintf("xfrm%x", t.CloudAddress.IP.As4())
}

// strongswanFailover: charon knows that a peer has gone when a DPD request of
// IKEv2 is unanswered after all its retransmissions, in IKEv1 after dpd_timeout.
func strongswanFailover(when func(vpn.Connection, vpn.Tunnel) bool) Rule {
	return Rule{When: both(isDual, hasDPD, when), Routed: true,
		Reason: "the second tunnel takes over when DPD gives the first up: after about 175 s with IKEv2, unless charon.retransmit_tries in strongswan.conf is lower (with 2 it is 35 s), after 40 s with IKEv1"}
}

// lanDropped: the cloud's 0.0.0.0/0 covers the peer's own subnets.
var lanDropped = Rule{
	When: both(policyBased, allOfCloud), Warning: true,
	Reason: "0.0.0.0/0 covers the peer's subnets too: what this host itself sends to them would go into the tunnel, and it is out of their reach, unless a pass-through policy for them goes before",
	Hint:   "use 0.0.0.0/0 on both sides and routes, or name the cloud's subnets",
}

// strongswanDown: policies come and go with the tunnel, and what they do not
// catch is routed like the rest.
var strongswanDown = Rule{When: policyBased, Reason: "while no tunnel is up, traffic to the cloud's subnets would leave unencrypted on the default route: ip route add unreachable CLOUD-SUBNET metric 4000 stops it and is out of the way otherwise"}
