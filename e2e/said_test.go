//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"strings"
)

// said is a connection in Alibaba's own words, from its gateway's side. It is
// read and understood here without any of the program's code, or the proof
// would be circular.
type said struct {
	Cloud, Peer []netip.Prefix
	Tunnels     []saidTunnel
	Inside      netip.Addr // of the device behind a NAT: the one thing Alibaba does not say
}

type saidTunnel struct {
	CloudAddress, PeerAddress netip.Addr
	Ike, Ipsec, Bgp           map[string]string
	DPD                       bool
}

// base is the connection that a case changes.
var base = map[string]string{
	"LocalSubnet": "10.1.0.0/24", "RemoteSubnet": "10.0.0.0/24",
	"InternetIp": "203.0.113.1", "2.InternetIp": "203.0.114.1", "PeerIp": "198.51.100.2", "2.PeerIp": "198.51.100.2",
	"IkeVersion": "ikev2", "IkeMode": "main", "IkeEncAlg": "aes256", "IkeAuthAlg": "sha256", "IkePfs": "group14", "IkeLifetime": "86400",
	"IpsecEncAlg": "aes256", "IpsecAuthAlg": "sha256", "IpsecPfs": "group14", "IpsecLifetime": "86400",
	"Psk": "a-k3y-of-no-secret", "2.Psk": "an0ther-k3y", "LocalId": "", "RemoteId": "",
	"EnableDpd": "true", "EnableNatTraversal": "true", "EffectImmediately": "false",
}

// words are a case's changes, "IkeVersion=ikev1 2.Psk=other"; 2. is the second
// tunnel's.
type words string

func (w words) over(all map[string]string) map[string]string {
	all = maps.Clone(all)
	for _, field := range strings.Fields(string(w)) {
		name, value, _ := strings.Cut(field, "=")
		all[name] = value
	}
	return all
}

// of returns a word of a tunnel: the second's own, or the first's.
func of(all map[string]string, tunnel int, name string) string {
	if v, ok := all[fmt.Sprintf("%d.%s", tunnel, name)]; ok {
		return v
	}
	switch {
	case all[name] != "":
		return all[name]
	case name == "LocalId":
		return of(all, tunnel, "InternetIp")
	case name == "RemoteId":
		return of(all, tunnel, "PeerIp")
	}
	return all[name]
}

var (
	ikeFields   = []string{"IkeVersion", "IkeMode", "IkeEncAlg", "IkeAuthAlg", "IkePfs", "IkeLifetime", "LocalId", "RemoteId", "Psk"}
	ipsecFields = []string{"IpsecEncAlg", "IpsecAuthAlg", "IpsecPfs", "IpsecLifetime"}
	bgpFields   = []string{"LocalAsn", "LocalBgpIp", "PeerAsn", "PeerBgpIp", "TunnelCidr"} // and AuthKey, which the customer gateway has
)

// replies writes the case as DescribeVpnConnection and the gateways' replies
// have it, for the program to read.
func (p proof) replies() []byte {
	all := p.says.over(base)
	object := func(tunnel int, fields []string) map[string]any {
		out := map[string]any{}
		for _, f := range fields {
			out[f] = of(all, tunnel, f)
		}
		return out
	}
	if p.key != "" {
		all["Psk"] = p.key
	}
	c := map[string]any{
		"RequestId": "R", "VpnConnectionId": "vco-" + p.id(), "VpnGatewayId": "vpn-e2e", "CustomerGatewayId": "cgw-1",
		"LocalSubnet": all["LocalSubnet"], "RemoteSubnet": all["RemoteSubnet"], "CreateTime": 1732000000000,
		"EffectImmediately": all["EffectImmediately"] == "true",
	}
	if p.download {
		return p.downloaded(all, object)
	}
	if !p.dual {
		c["EnableDpd"], c["EnableNatTraversal"] = all["EnableDpd"] == "true", all["EnableNatTraversal"] == "true"
		c["IkeConfig"], c["IpsecConfig"] = object(1, ikeFields), object(1, ipsecFields)
		if all["LocalAsn"] != "" {
			c["VpnBgpConfig"] = object(1, append([]string{"AuthKey", "EnableBgp"}, bgpFields...))
		}
	} else {
		var tunnels []any
		for n, role := range []string{"master", "slave"} {
			tunnel := map[string]any{
				"TunnelId": fmt.Sprintf("tun-%d", n+1), "Role": role, "CustomerGatewayId": fmt.Sprintf("cgw-%d", n+1),
				"InternetIp": of(all, n+1, "InternetIp"), "EnableDpd": of(all, n+1, "EnableDpd"), "EnableNatTraversal": of(all, n+1, "EnableNatTraversal"),
				"TunnelIkeConfig": object(n+1, ikeFields), "TunnelIpsecConfig": object(n+1, ipsecFields),
			}
			if all["LocalAsn"] != "" {
				tunnel["TunnelBgpConfig"] = object(n+1, bgpFields)
			}
			tunnels = append(tunnels, tunnel)
		}
		c["EnableTunnelsBgp"] = all["LocalAsn"] != ""
		c["TunnelOptionsSpecification"] = map[string]any{"TunnelOptions": tunnels}
	}
	gateways := []any{
		map[string]any{"RequestId": "G", "VpnGatewayId": "vpn-e2e", "InternetIp": of(all, 1, "InternetIp"), "DisasterRecoveryInternetIp": of(all, 2, "InternetIp")},
		map[string]any{"RequestId": "C", "CustomerGatewayId": "cgw-1", "IpAddress": of(all, 1, "PeerIp"), "Asn": of(all, 1, "PeerAsn"), "AuthKey": of(all, 1, "AuthKey")},
		map[string]any{"RequestId": "C", "CustomerGatewayId": "cgw-2", "IpAddress": of(all, 2, "PeerIp"), "Asn": of(all, 2, "PeerAsn"), "AuthKey": of(all, 2, "AuthKey")},
	}
	out, err := json.MarshalIndent(append(gateways, c), "", " ")
	if err != nil {
		panic(err)
	}
	return out
}

// downloaded says the same from the customer's side.
func (p proof) downloaded(all map[string]string, object func(int, []string) map[string]any) []byte {
	ike := object(1, ikeFields)
	ike["LocalId"], ike["RemoteId"] = ike["RemoteId"], ike["LocalId"]
	out, err := json.MarshalIndent(map[string]any{"RequestId": "R", "VpnConnectionConfig": map[string]any{
		"Local": all["PeerIp"], "Remote": all["InternetIp"], "LocalSubnet": all["RemoteSubnet"], "RemoteSubnet": all["LocalSubnet"],
		"IkeConfig": ike, "IpsecConfig": object(1, ipsecFields),
	}}, "", " ")
	if err != nil {
		panic(err)
	}
	return out
}

// said is the case from the gateway's side.
func (p proof) said() said {
	all := p.gateway.over(p.says.over(base))
	s := said{Cloud: prefixes(all["LocalSubnet"]), Peer: prefixes(all["RemoteSubnet"])}
	if p.nat != "" {
		s.Inside = netip.MustParseAddr(p.nat)
	}
	if p.key != "" {
		all["Psk"] = p.key
	}
	for _, n := range p.tunnels() {
		t := saidTunnel{
			CloudAddress: netip.MustParseAddr(of(all, n, "InternetIp")), PeerAddress: netip.MustParseAddr(of(all, n, "PeerIp")),
			Ike: map[string]string{}, Ipsec: map[string]string{}, Bgp: map[string]string{}, DPD: of(all, n, "EnableDpd") == "true",
		}
		for _, f := range ikeFields {
			t.Ike[f] = of(all, n, f)
		}
		for _, f := range ipsecFields {
			t.Ipsec[f] = of(all, n, f)
		}
		for _, f := range append([]string{"AuthKey"}, bgpFields...) {
			t.Bgp[f] = of(all, n, f)
		}
		s.Tunnels = append(s.Tunnels, t)
	}
	return s
}

func prefixes(list string) (out []netip.Prefix) {
	for _, s := range strings.Split(list, ",") {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// The gateway's words, from Alibaba's: as charon takes them in a proposal, and
// as it prints what was negotiated.
var (
	encryption = map[string][3]string{ // printed: algorithm, key bits
		"des": {"des", "DES_CBC", ""}, "3des": {"3des", "3DES_CBC", ""},
		"aes": {"aes128", "AES_CBC", "128"}, "aes192": {"aes192", "AES_CBC", "192"}, "aes256": {"aes256", "AES_CBC", "256"},
	}
	hash = map[string][3]string{ // printed: integrity, PRF
		"md5": {"md5", "HMAC_MD5_96", "PRF_HMAC_MD5"}, "sha1": {"sha1", "HMAC_SHA1_96", "PRF_HMAC_SHA1"},
		"sha256": {"sha256", "HMAC_SHA2_256_128", "PRF_HMAC_SHA2_256"}, "sha384": {"sha384", "HMAC_SHA2_384_192", "PRF_HMAC_SHA2_384"},
		"sha512": {"sha512", "HMAC_SHA2_512_256", "PRF_HMAC_SHA2_512"},
	}
	group = map[string][2]string{
		"group1": {"modp768", "MODP_768"}, "group2": {"modp1024", "MODP_1024"}, "group5": {"modp1536", "MODP_1536"},
		"group14": {"modp2048", "MODP_2048"}, "group24": {"modp2048s256", "MODP_2048_256"}, "disabled": {"", ""},
	}
)

func (t saidTunnel) v1() bool { return t.Ike["IkeVersion"] == "ikev1" }

func (t saidTunnel) ikeProposal() string {
	return encryption[t.Ike["IkeEncAlg"]][0] + "-" + hash[t.Ike["IkeAuthAlg"]][0] + "-" + group[t.Ike["IkePfs"]][0]
}

func (t saidTunnel) espProposal() string {
	p := encryption[t.Ipsec["IpsecEncAlg"]][0] + "-" + hash[t.Ipsec["IpsecAuthAlg"]][0]
	if g := group[t.Ipsec["IpsecPfs"]][0]; g != "" {
		p += "-" + g
	}
	return p
}

// identity tells charon the type: an address, a mailbox, or a name.
func identity(value string) string {
	if _, err := netip.ParseAddr(value); err == nil {
		return value
	}
	if strings.Contains(value, "/") {
		return "keyid:" + value // no domain name: what the operator says it is
	}
	if strings.Contains(value, "@") {
		return "email:" + value
	}
	return "fqdn:" + value
}
