//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// common are the shapes that every target is tried in.
var common = []proof{
	{name: "ikev2"},
	{name: "ikev1", says: "IkeVersion=ikev1 IkeLifetime=28801 IpsecLifetime=901"},
	{name: "ikev1-aggressive", says: "IkeVersion=ikev1 IkeMode=aggressive"},
	{name: "ikev1-subnets", says: "IkeVersion=ikev1 " + subnets},
	{name: "ikev2-subnets", says: subnets},
	{name: "download", download: true, says: "RemoteSubnet=10.0.0.0/24,10.0.1.0/24"},
	{name: "fqdn", says: "LocalId=vpn.cloud.example RemoteId=office.example"},
	{name: "fqdn-aggressive", says: "IkeVersion=ikev1 IkeMode=aggressive LocalId=vpn.cloud.example RemoteId=office.example"},
	{name: "mailbox", says: "LocalId=vpn@cloud.example RemoteId=it@office.example"},
	{name: "other-address-as-identity", says: "LocalId=172.16.9.1 RemoteId=192.168.77.2"},
	{name: "ipv6-as-identity", says: "LocalId=2001:db8::10 RemoteId=2001:db8::20"},
	{name: "key-id", says: "LocalId=cloud/7+a~b@c RemoteId=office/7@hq", answers: []string{"cloud-identity-type=key-id", "peer-identity-type=key-id"}},
	{name: "key-id-aggressive", says: "IkeVersion=ikev1 IkeMode=aggressive LocalId=cloud/7 RemoteId=office/7", answers: []string{"cloud-identity-type=key-id", "peer-identity-type=key-id"}},
	{name: "pfs-off", says: "IpsecPfs=disabled"},
	{name: "ikev1-pfs-off", says: "IkeVersion=ikev1 IpsecPfs=disabled"},
	{name: "pfs-differs", says: "IpsecPfs=group5"},
	{name: "dpd-off", says: "EnableDpd=false"},
	{name: "all-defaults", says: "IkeVersion=ikev1 IkeMode=main IkeEncAlg=aes IkeAuthAlg=md5 IkePfs=group2 IpsecEncAlg=aes IpsecAuthAlg=md5 IpsecPfs=group2"},
	{name: "first-of-two-devices", dual: true, part: 1, says: twoDevices},
	{name: "second-of-two-devices", dual: true, part: 2, says: twoDevices},
	{name: "hostile-key", key: `a"b\c'd#e;f{g}$h!i,j?k` + "`" + `l%m&n*o`},
	{name: "hostile-key-0x", key: `0xa"b#`},
	{name: "hostile-key-0s", key: `0sYWJj"`},
	{name: "hostile-key-quote", key: `'"'"\"\\`},
	{name: "long-key", key: strings.Repeat("0123456789abcdef", 4)},

	// What a green suite must find.
	{name: "wrong-key", says: "Psk=right-key", gateway: "Psk=wrong-key", fails: "MAC mismatched"},
	{name: "ikev1-wrong-key", says: "IkeVersion=ikev1 Psk=right-key", gateway: "Psk=wrong-key", fails: "INVALID_ID_INFORMATION|PLD_MAL|decryption failed"},
	{name: "wrong-peer-identity", says: "RemoteId=office.example LocalId=vpn.cloud.example", gateway: "RemoteId=elsewhere.example", fails: "no matching peer config found"},
	{name: "wrong-cloud-identity", says: "RemoteId=office.example LocalId=vpn.cloud.example", gateway: "LocalId=elsewhere.example", fails: "no matching peer config found"},
	{name: "wrong-ike-cipher", gateway: "IkeEncAlg=aes192", fails: "received proposals unacceptable"},
	{name: "wrong-ike-hash", gateway: "IkeAuthAlg=sha384", fails: "received proposals unacceptable"},
	{name: "wrong-ike-group", gateway: "IkePfs=group5", fails: "received proposals unacceptable"},
	{name: "wrong-esp-cipher", gateway: "IpsecEncAlg=aes192", fails: "no acceptable proposal found"},
	{name: "wrong-esp-hash", gateway: "IpsecAuthAlg=sha384", fails: "no acceptable proposal found"},
	{name: "ikev1-wrong-pfs", says: "IkeVersion=ikev1", gateway: "IpsecPfs=group5", fails: "no matching proposal found"},
	{name: "ikev2-wrong-pfs", gateway: "IpsecPfs=group5", fails: "after rekeying"},
	{name: "wrong-version", gateway: "IkeVersion=ikev1", fails: "no IKE config found"},
	{name: "wrong-subnet", gateway: "LocalSubnet=10.1.7.0/24", fails: "TS_UNACCEPTABLE|traffic selectors .* unacceptable"},
	{name: "swapped-sides", gateway: "LocalSubnet=10.0.0.0/24 RemoteSubnet=10.1.0.0/24", fails: "TS_UNACCEPTABLE|traffic selectors .* unacceptable"},
	{name: "swapped-identities", says: "RemoteId=office.example LocalId=vpn.cloud.example", gateway: "RemoteId=vpn.cloud.example LocalId=office.example", fails: "no matching peer config found"},
	{name: "ike-lifetime-off", says: "IkeVersion=ikev1", gateway: "IkeLifetime=77760", fails: "IKE lifetime on the wire 86400, not 77760"},
	{name: "esp-lifetime-off", says: "IkeVersion=ikev1", gateway: "IpsecLifetime=77760", fails: "ESP lifetime on the wire 86400, not 77760"},
}

// natted are behind a NAT, which user-mode Linux lacks.
var natted = []proof{
	{name: "nat", nat: "192.168.77.2", says: "RemoteId=192.168.77.2"},
	{name: "nat-ikev1", nat: "192.168.77.2", says: "IkeVersion=ikev1 RemoteId=192.168.77.2"},
	{name: "nat-fqdn", nat: "192.168.77.2", says: "LocalId=vpn.cloud.example RemoteId=office.example"},
	{name: "nat-fqdn-aggressive", nat: "192.168.77.2", says: "IkeVersion=ikev1 IkeMode=aggressive LocalId=vpn.cloud.example RemoteId=office.example"},
}

// manners are what a daemon does by itself.
var manners = []proof{
	{name: "cloud-initiates", then: cloudInitiates},
	{name: "cloud-initiates-ikev1", says: "IkeVersion=ikev1", then: cloudInitiates},
	{name: "rekey-often", says: "IkeLifetime=60 IpsecLifetime=40", then: rekeysOften},
	{name: "rekey-often-ikev1", says: "IkeVersion=ikev1 IkeLifetime=60 IpsecLifetime=40", then: rekeysOften},
	{name: "cloud-deletes", then: cloudDeletes},
	{name: "cloud-deletes-ikev1", says: "IkeVersion=ikev1", then: cloudDeletes},
	{name: "cloud-vanishes", then: cloudVanishes},
	{name: "cloud-vanishes-ikev1", says: "IkeVersion=ikev1", then: cloudVanishes},
}

// causes are what may befall the first of two route-based tunnels, but for its
// link being cut.
func causes(kernel string) []proof {
	return []proof{{name: "route-failover-stopped-key-killed", kernel: kernel, answers: routed, dual: true, says: everything, then: failsOver(stopped, keyLost, killed)}}
}

// twoDevices end a tunnel each, which say different things.
const twoDevices = "2.PeerIp=198.51.100.3 2.IkeVersion=ikev1 2.IkeLifetime=28801 IkePfs=group5 IpsecPfs=group5 2.IkePfs=group14 2.IpsecPfs=group14"

const everything = "LocalSubnet=0.0.0.0/0 RemoteSubnet=0.0.0.0/0"

const subnets = "LocalSubnet=10.1.0.0/24,10.1.1.0/24 RemoteSubnet=10.0.0.0/24,10.0.1.0/24"

// targets lists those that are tried in a kernel.
func targets(kernel string) (out []string) {
	for _, target := range slices.Sorted(maps.Keys(kinds)) {
		if slices.Contains(kinds[target].kernels, kernel) {
			out = append(out, target)
		}
	}
	return out
}

// casesOf lists a target's cases in a kernel: its first has all those that any
// kernel will do for.
func casesOf(target, kernel string) (out []proof) {
	k := kinds[target]
	all := slices.Clone(k.own)
	if kernel == k.kernels[0] {
		all = append(all, common...)
		if !k.router {
			all = append(all, manners...)
		}
		for i, axes := range k.words {
			all = append(all, map[bool]func(int, []axis) []proof{true: once, false: matrix}[k.again](i+1, axes)...)
		}
	}
	if !k.router {
		for _, p := range natted {
			p.kernel = strings.Replace(k.kernels[0], "uml", "qemu", 1)
			all = append(all, p)
		}
	}
	for _, p := range all {
		p.target = target
		if strings.Contains(string(p.says), "IkeVersion=ikev1") && !strings.HasPrefix(p.name, "words-") {
			p.says = k.ikev1 + " " + p.says
		}
		if cmp.Or(p.kernel, k.kernels[0]) == kernel && !slices.Contains(k.without, p.name) && !(k.again && p.fails != "") {
			out = append(out, p)
		}
	}
	return out
}

// axis is a field of the reply and what it can say.
type axis struct {
	field  string
	values []string
}

// axes are what a reply can say of algorithms.
var axes = []axis{
	{"IkeVersion", []string{"ikev2", "ikev1"}},
	{"IkeEncAlg", []string{"aes", "aes192", "aes256", "des", "3des"}},
	{"IkeAuthAlg", []string{"md5", "sha1", "sha256", "sha384", "sha512"}},
	{"IkePfs", []string{"group1", "group2", "group5", "group14", "group24"}},
	{"IpsecEncAlg", []string{"aes", "aes192", "aes256", "des", "3des"}},
	{"IpsecAuthAlg", []string{"md5", "sha1", "sha256", "sha384", "sha512"}},
	{"IpsecPfs", []string{"disabled", "group1", "group2", "group5", "group14", "group24"}},
}

// once makes cases in which every axis says each of its values.
func once(number int, axes []axis) (out []proof) {
	rows := 0
	for _, a := range axes {
		rows = max(rows, len(a.values))
	}
	for i := range rows {
		var says []string
		for _, a := range axes {
			says = append(says, a.field+"="+a.values[i%len(a.values)])
		}
		out = append(out, proof{name: fmt.Sprintf("words-%d-%02d", number, i+1), says: words(strings.Join(says, " "))})
	}
	return out
}

// matrix makes cases in which every value of every axis meets every value of
// every other at least once. It takes, again and again, the combination that
// meets most of the pairs left, and always the same.
func matrix(number int, axes []axis) (out []proof) {
	type half struct{ axis, value int }
	left := map[[2]half]bool{}
	for i := range axes {
		for j := i + 1; j < len(axes); j++ {
			for v := range axes[i].values {
				for w := range axes[j].values {
					left[[2]half{{i, v}, {j, w}}] = true
				}
			}
		}
	}
	for len(left) > 0 {
		var row []half
		for i := range axes {
			best, most := 0, -1
			for v := range axes[i].values {
				// Begin with a value that has pairs left, turn by turn.
				value := (v + len(out)) % len(axes[i].values)
				met := 0
				for pair := range left {
					if own := (half{i, value}); pair[1] == own && slices.Contains(row, pair[0]) || pair[0] == own && pair[1].axis > i {
						met++
						if slices.Contains(row, pair[0]) {
							met += 10
						}
					}
				}
				if met > most {
					best, most = value, met
				}
			}
			row = append(row, half{i, best})
		}
		var says []string
		for i, h := range row {
			says = append(says, axes[i].field+"="+axes[i].values[h.value])
			for j := range i {
				delete(left, [2]half{row[j], h})
			}
		}
		out = append(out, proof{name: fmt.Sprintf("words-%d-%02d", number, len(out)+1), says: words(strings.Join(says, " "))})
	}
	return out
}
