package router

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestChanges changes a word, a mask, a side or a reference and wants just
// that to change in every tunnel read, or the error.
func TestChanges(t *testing.T) {
	const (
		ios     = "cisco-ios/pfs-differs.golden"
		ios2    = "cisco-ios/ikev2-policy.golden"
		iosVTI  = "cisco-ios/ikev2-route.golden"
		iosMode = "cisco-ios/mode-route-dual.golden"
		iosDual = "cisco-ios/dual-policy.golden"
		iosFQDN = "cisco-ios/fqdn-aggressive.golden"
		srx     = "juniper-srx/pfs-differs.golden"
		srx2    = "juniper-srx/ikev2-policy.golden"
		srxMany = "juniper-srx/ikev2-subnets.golden"
		asa     = "asa-ikev1-dual.cfg"
		asa2    = "asa-ikev2-route.cfg"
	)
	for _, c := range []struct {
		file, from, to string
		change         func(*Tunnel)
		err            string
	}{
		// IOS, IKEv1: the defaults of a policy are weaker than what is said.
		{ios, " encryption aes\n", " encryption aes 192\n", func(t *Tunnel) { t.IKEProposal = "aes192-sha1-modp2048" }, ""},
		{ios, " encryption aes\n", "", func(t *Tunnel) { t.IKEProposal = "des-sha1-modp2048" }, ""},
		{ios, " hash sha\n", " hash md5\n", func(t *Tunnel) { t.IKEProposal = "aes128-md5-modp2048" }, ""},
		{ios, " hash sha\n", " hash sha1\n", nil, "sha1 is not a word of the device"},
		{ios, " group 14\n", "", func(t *Tunnel) { t.IKEProposal = "aes128-sha1-modp768" }, ""},
		{ios, " group 14\n", " group group14\n", nil, "group14 is not a word"},
		{ios, " authentication pre-share\n", "", nil, "no crypto isakmp policy has a pre-shared key"},
		{ios, " lifetime 86400\n", " lifetime 3600\n", func(t *Tunnel) { t.IKELifetime = 3600 }, ""},
		{ios, " lifetime 86400\n", " lifetime 86401\n", nil, "86401 is not a number of 60 to 86400"},
		{ios, " key 0 ", " key 7 ", nil, "unknown statement"},
		{ios, " key 0 ", " key 0 ?", nil, "cannot be pasted"},
		{ios, "pre-shared-key address 203.0.113.10", "pre-shared-key address 203.0.113.11", nil, "has no key for 203.0.113.10"},
		{ios, "\n keyring vco-bp1pfsdiffers\n", "\n keyring other\n", nil, "crypto keyring other is not configured"},
		{ios, "\n keyring vco-bp1pfsdiffers\n", "\n", nil, "no crypto keyring is named"},
		{ios, " keepalive 10 retry 3\n", "", func(t *Tunnel) { t.DPD = false }, ""},
		{ios, " set isakmp-profile vco-bp1pfsdiffers\n", "", nil, "no crypto isakmp profile is named"},
		{ios, " self-identity address\n", " self-identity fqdn here\n", func(t *Tunnel) { t.LocalID = "@here" }, ""},
		{ios, " match identity address 203.0.113.10 255.255.255.255\n", " match identity address 203.0.113.0 255.255.255.0\n",
			func(t *Tunnel) { t.RemoteIDs = []string{"203.0.113.0/24"} }, ""},
		{ios, " match identity address 203.0.113.10 255.255.255.255\n", "", nil, "matches no identity"},
		{ios, "esp-aes esp-sha-hmac", "esp-aes 256 esp-sha-hmac", func(t *Tunnel) { t.ESPProposal = "aes256-sha1-modp1536" }, ""},
		{ios, "esp-aes esp-sha-hmac", "esp-aes-256 esp-sha-hmac", nil, "esp-aes-256 is not a transform"},
		{ios, "esp-aes esp-sha-hmac", "esp-aes", nil, "does not encrypt and authenticate"},
		{ios, " mode tunnel\n", " mode transport\n", nil, "in tunnel mode"},
		{ios, " set transform-set ", " set transform-set other ", nil, "transform-set other is not configured"},
		{ios, " set pfs group5\n", "", func(t *Tunnel) { t.ESPProposal = "aes128-sha1" }, ""},
		{ios, " set pfs group5\n", " set pfs group14\n", func(t *Tunnel) { t.ESPProposal = "aes128-sha1-modp2048" }, ""},
		{ios, " set pfs group5\n", " set pfs 5\n", nil, "5 is not a group"},
		{ios, " set security-association lifetime seconds 86400\n", "", func(t *Tunnel) { t.ESPLifetime = 3600 }, ""},
		{ios, " set security-association lifetime kilobytes disable\n", "", func(t *Tunnel) { t.ESPKilobytes = 4608000 }, ""},
		{ios, "permit ip 192.168.10.0 0.0.0.255 10.0.0.0 0.0.255.255", "permit ip 10.0.0.0 0.0.255.255 192.168.10.0 0.0.0.255",
			func(t *Tunnel) { t.Selectors = pairs("10.0.0.0/16 192.168.10.0/24") }, ""},
		{ios, "10.0.0.0 0.0.255.255", "10.0.0.0 0.255.255.255", func(t *Tunnel) { t.Selectors = pairs("192.168.10.0/24 10.0.0.0/8") }, ""},
		{ios, "10.0.0.0 0.0.255.255", "10.0.0.0 255.255.0.0", nil, "is not a mask"},
		{ios, " match address vco", " match address other-vco", nil, "access-list extended other-vco"},
		{ios, " crypto map outside\n", "", nil, "crypto map outside is not used"},
		{ios, " crypto map outside\n", " crypto map inside\n", nil, "crypto map inside is not configured"},
		{ios, " set peer 203.0.113.10\n", "", nil, "is incomplete"},
		{iosFQDN, " initiate mode aggressive\n", "", func(t *Tunnel) { t.Aggressive = false }, ""},
		{iosFQDN, "match identity host", "match identity user", func(t *Tunnel) { t.RemoteIDs = []string{"vpn.cloud.example"} }, ""},

		// IOS, IKEv2
		{ios2, " integrity sha256\n", " integrity sha512\n", func(t *Tunnel) { t.IKEProposal = "aes256-sha512-modp2048" }, ""},
		{ios2, " integrity sha256\n", "", nil, "no integrity"},
		{ios2, " encryption aes-cbc-256\n", " encryption aes 256\n", nil, "aes is not a word"},
		{ios2, " encryption aes-cbc-256\n", " encryption aes-cbc-256 aes-cbc-128\n", func(t *Tunnel) { t.IKEProposal = "aes256-aes128-sha256-modp2048" }, ""},
		{ios2, "\n proposal vco-bp1ikev2policy\n", "\n proposal other\n", nil, "crypto ikev2 proposal other is not configured"},
		{ios2, "\n proposal vco-bp1ikev2policy\n", "\n", nil, "has no proposal"},
		{ios2, "!\ncrypto ikev2 keyring", "!\ncrypto ikev2 policy second\n!\ncrypto ikev2 keyring", nil, "2 crypto ikev2 policies"},
		{ios2, "  address 203.0.113.10\n", "  address 203.0.113.11\n", nil, "has no key for 203.0.113.10"},
		{ios2, " pre-shared-key 0 ", " pre-shared-key hex ", nil, "the key is not in hexadecimal"},
		{ios2, " pre-shared-key 0 ", " pre-shared-key 6 ", nil, `unknown statement "pre-shared-key" and a key`},
		{ios2, " identity local address 198.51.100.20\n", " identity local address 198.51.100.21\n", func(t *Tunnel) { t.LocalID = "198.51.100.21" }, ""},
		{ios2, " identity local address 198.51.100.20\n", " identity local key-id us\n", func(t *Tunnel) { t.LocalID = "@#7573" }, ""},
		{ios2, " authentication local pre-share\n", "", nil, "lacks an authentication method"},
		{ios2, " dpd 10 3 periodic\n", "", func(t *Tunnel) { t.DPD = false }, ""},
		{ios2, " set ikev2-profile vco-bp1ikev2policy\n", "", nil, "no crypto isakmp profile is named"},
		{ios2, " set ikev2-profile vco-bp1ikev2policy\n", " set ikev2-profile other\n", nil, "crypto ikev2 profile other is not configured"},
		{iosVTI, " tunnel mode ipsec ipv4\n", "", nil, "no tunnel mode ipsec ipv4"},
		{iosVTI, " tunnel destination 203.0.113.30\n", "", nil, "no tunnel destination"},
		{iosVTI, " tunnel destination 203.0.113.30\n", " tunnel destination 203.0.113.31\n", nil, "has no key for 203.0.113.31"},
		{iosVTI, " tunnel source GigabitEthernet1\n", " tunnel source 198.51.100.20\n", func(t *Tunnel) { t.LocalAddress = "198.51.100.20" }, ""},
		{iosVTI, " tunnel protection ipsec profile vco", " tunnel protection ipsec profile other-vco", nil, "profile other-vco-bp1ikev2route is not configured"},
		{iosMode, " tunnel protection ipsec policy ipv4 vco-bp1dualpolicy-2\n", "", nil, "vco-bp1dualpolicy-2 is not used"},
		{iosMode, " tunnel protection ipsec policy ipv4 vco-bp1dualpolicy-2\n", " tunnel protection ipsec policy ipv4 other\n", nil, "access-list extended other"},
		{iosDual, " set peer 203.0.113.11\n", " set peer 203.0.113.12\n", nil, "has no key for 203.0.113.12"},

		// SRX
		{srx, "encryption-algorithm aes-128-cbc\nset security ike", "encryption-algorithm aes-256-cbc\nset security ike", func(t *Tunnel) { t.IKEProposal = "aes256-sha1-modp2048" }, ""},
		{srx, "authentication-algorithm sha1", "authentication-algorithm sha-256", func(t *Tunnel) { t.IKEProposal = "aes128-sha256-modp2048" }, ""},
		{srx, "authentication-algorithm sha1", "authentication-algorithm hmac-sha1-96", nil, "hmac-sha1-96 is not a word"},
		{srx, "dh-group group14", "dh-group 14", nil, "14 is not a group"},
		{srx, "set security ike proposal vco-bp1pfsdiffers lifetime-seconds 86400\n", "", func(t *Tunnel) { t.IKELifetime = 28800 }, ""},
		{srx, "set security ipsec proposal vco-bp1pfsdiffers lifetime-seconds 86400\n", "", func(t *Tunnel) { t.ESPLifetime = 3600 }, ""},
		{srx, "mode main", "mode aggressive", func(t *Tunnel) { t.Aggressive = true }, ""},
		{srx, "version v1-only", "version v2-only", func(t *Tunnel) { t.IKE = 2 }, ""},
		{srx, "perfect-forward-secrecy keys group5", "perfect-forward-secrecy keys group2", func(t *Tunnel) { t.ESPProposal = "aes128-sha1-modp1024" }, ""},
		{srx2, "set security ike gateway vco-bp1ikev2policy version v2-only\n", "", func(t *Tunnel) { t.IKE = 1 }, ""},
		{srx2, "local-identity inet 198.51.100.20", "local-identity hostname here.example", func(t *Tunnel) { t.LocalID = "@here.example" }, ""},
		{srx2, "set security ike gateway vco-bp1ikev2policy local-identity inet 198.51.100.20\n", "", func(t *Tunnel) { t.LocalID = "" }, ""},
		{srx2, "remote-identity inet 203.0.113.10", "remote-identity inet 203.0.113.99", func(t *Tunnel) { t.RemoteIDs = []string{"203.0.113.99"} }, ""},
		{srx2, "gateway vco-bp1ikev2policy address 203.0.113.10", "gateway vco-bp1ikev2policy address 203.0.113.11", func(t *Tunnel) { t.RemoteAddress = "203.0.113.11" }, ""},
		{srx2, "ike-policy vco", "ike-policy other-vco", nil, "security ike policy other-vco-bp1ikev2policy is not configured"},
		{srx2, "ipsec-policy vco", "ipsec-policy other-vco", nil, "security ipsec policy other-vco-bp1ikev2policy is not configured"},
		{srx2, "ike gateway vco-bp1ikev2policy\n", "ike gateway other\n", nil, "security ike gateway other is not configured"},
		{srx2, `ascii-text "`, `ascii-text "$9$`, nil, "not one of 1 to 255 characters in plain text"},
		{srx2, `ascii-text "`, `ascii-text ?`, nil, "wants quotes"},
		{srx2, `ascii-text "`, `ascii-text "a\`, nil, "quotes do not keep"},
		{srx2, `ascii-text "`, `hexadecimal "`, nil, "the key is not in hexadecimal"},
		{srx2, "proxy-identity local 192.168.10.0/24", "proxy-identity local 192.168.0.0/16", func(t *Tunnel) { t.Selectors = pairs("192.168.0.0/16 10.0.0.0/16") }, ""},
		{srx2, "proxy-identity service any", "proxy-identity service junos-http", nil, "unknown statement"},
		{srx2, "set security zones", "# set security zones", nil, "is in no security zone"},
		{srx2, "bind-interface st0.1", "bind-interface st0.2", nil, "st0.2 is not configured for inet"},
		{srx2, "set interfaces st0 unit 1", "set interfaces st0 unit 7", nil, "st0.1 is not configured for inet"},
		{srx2, "establish-tunnels immediately", "establish-tunnels on-traffic", func(t *Tunnel) { t.Initiates = false }, ""},
		{srxMany, "traffic-selector ts1 remote-ip 10.0.0.0/16", "traffic-selector ts1 remote-ip 0.0.0.0/0", nil, "traffic-selector ts1 cannot be used"},
		{srxMany, "traffic-selector ts1 local-ip", "ike proxy-identity local", nil, "both a proxy-identity and traffic-selectors"},

		// ASA
		{asa, " encryption aes\n", " encryption aes-256\n", func(t *Tunnel) { t.IKEProposal = "aes256-sha1-modp1536" }, ""},
		{asa, " encryption aes\n", " encryption aes 256\n", nil, "unknown statement"},
		{asa, " hash sha\n", " hash sha256\n", nil, "sha256 is not a word"},
		{asa, " hash sha\n", "", nil, "crypto ikev1 policy 10 is incomplete"},
		{asa, "one esp-aes esp-sha-hmac", "one esp-aes-192 esp-sha-hmac", func(t *Tunnel) { t.ESPProposal = "aes192-sha1-modp1536,aes256-md5-modp1536" }, ""},
		{asa, "crypto ikev1 enable outside\n", "crypto ikev1 enable inside\n", nil, "crypto ikev1 is not enabled on outside"},
		{asa, "vpn-tunnel-protocol ikev1", "vpn-tunnel-protocol ikev2", nil, "does not allow ikev1"},
		{asa, "tunnel-group 203.0.113.11 type", "tunnel-group 203.0.113.12 type", nil, "tunnel-group 203.0.113.11 is not configured"},
		{asa, "default-group-policy one", "default-group-policy two", nil, "group-policy two is not configured"},
		{asa, "10.0.0.0 255.255.0.0", "10.0.0.0 0.0.255.255", nil, "is not a mask"},
		{asa, "set ikev1 transform-set one two", "set ikev1 transform-set one", nil, "transform-set two is not used"},
		{asa, "crypto map outside_map 10 set nat-t-disable\n", "", func(t *Tunnel) { t.NATT = true }, ""},
		{asa, "crypto map outside_map 10 set security-association lifetime seconds 3600\n", "", func(t *Tunnel) { t.ESPLifetime = 28800 }, ""},
		{asa, "crypto map outside_map 10 set connection-type", "crypto map outside_map 10 set ikev1 phase1-mode aggressive group5\ncrypto map outside_map 10 set connection-type", func(t *Tunnel) { t.Aggressive = true }, ""},
		{asa, "crypto map outside_map interface outside\n", "", nil, "crypto map outside_map is not used"},
		{asa2, " prf sha256\n", "", func(t *Tunnel) { t.IKEProposal = "aes256-sha256-prfsha1-modp2048" }, ""},
		{asa2, "integrity sha-256", "integrity sha256", nil, "sha256 is not a word"},
		{asa2, "local-authentication pre-shared-key S3cret-route", "local-authentication pre-shared-key S3cret-rout", nil, "not one pre-shared-key for both sides"},
		{asa2, "keepalive disable", "keepalive threshold 10 retry 3", func(t *Tunnel) { t.DPD = true }, ""},
		{asa2, "tunnel destination 203.0.113.30", "tunnel destination 203.0.113.31", nil, "tunnel-group 203.0.113.31 is not configured"},
		{asa2, " nameif one\n", "", nil, "lacks a name"},
	} {
		dialect, path := strings.Split(c.file, "/")[0], goldens+c.file
		if strings.HasPrefix(c.file, "asa-") {
			dialect, path = "cisco-asa", "testdata/"+c.file
		}
		text := read(t, path)
		what := c.file + ": " + strings.TrimSpace(c.from) + " to " + strings.TrimSpace(c.to)
		if !strings.Contains(text, c.from) {
			t.Errorf("%s: not there", what)
			continue
		}
		want, err := Read(dialect, text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(dialect, strings.Replace(text, c.from, c.to, 1))
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %s", what, err, c.err)
			} else if strings.Contains(err.Error(), "S3cret") {
				t.Errorf("%s: the error shows the key", what)
			}
		case err != nil:
			t.Errorf("%s: %v", what, err)
		default:
			for i := range want {
				c.change(&want[i])
			}
			same(t, what, got, want)
		}
	}
}

// TestDefaultPeer tries the peer marked default first.
func TestDefaultPeer(t *testing.T) {
	text := read(t, goldens+"cisco-ios/dual-policy.golden")
	text = strings.Replace(text, "set peer 203.0.113.10 default", "set peer 203.0.113.10", 1)
	text = strings.Replace(text, "set peer 203.0.113.11\n", "set peer 203.0.113.11 default\n", 1)
	tunnels, err := Read("cisco-ios", text)
	if err != nil || tunnels[0].RemoteAddress != "203.0.113.11" {
		t.Errorf("%v, %v", tunnels[0].RemoteAddress, err)
	}
}

// droppable is no parameter of IKE or IPsec, or what the device does anyway.
var droppable = []string{
	// IOS
	"mode tunnel", "lifetime 86400", "self-identity address", "hash sha", "set security-association lifetime seconds 3600",
	"ip mtu 1400", "ip tcp adjust-mss 1360",
	// SRX: a DPD statement of three is enough to turn it on
	"set security ike policy * mode main", "set security ike gateway * version v1-only", "set security ike gateway * remote-identity inet *",
	"set security ipsec proposal * lifetime-seconds 3600", "set security ike gateway * dead-peer-detection ...",
	"set security ipsec vpn * df-bit clear", "set interfaces st0 unit * family inet mtu *", "set routing-options ...",
	"set security zones security-zone * host-inbound-traffic ...", "set security flow ...", "set security address-book ...", "set security policies ...",
	// ASA
	"isakmp keepalive threshold 10 retry 3", "default-group-policy *", "vpn-tunnel-protocol *", "vpn-idle-timeout none", "no shutdown",
	"crypto map * * set connection-type originate-only",
}

// free is where any word will do in the place of "*".
var free = []string{
	"crypto ikev2 policy *", "peer *", "ip mtu *", "ip tcp adjust-mss *",
	"set security zones security-zone * interfaces st0.1", "set interfaces st0 unit 1 family inet mtu *",
	"set routing-options static route ...",
	"set security zones security-zone * host-inbound-traffic system-services ike", "set security flow tcp-mss ipsec-vpn mss *",
	"set security address-book global address ...", "set security policies ...",
	"vpn-idle-timeout *", "nameif *",
}

// TestEveryStatement drops each statement and puts a wrong word for each of
// its words: what is read must change.
func TestEveryStatement(t *testing.T) {
	for _, dialect := range []string{"cisco-ios", "juniper-srx", "cisco-asa"} {
		for _, file := range files(dialect) {
			text := read(t, file)
			base, err := Read(dialect, text)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.SplitAfter(text, "\n")
			for i, line := range lines {
				words := strings.Fields(line)
				if len(words) == 0 || words[0] == "!" || words[0] == "#" {
					continue
				}
				same := func(to string) bool {
					got, err := Read(dialect, strings.Join(slices.Concat(lines[:i], []string{to}, lines[i+1:]), ""))
					return err == nil && reflect.DeepEqual(got, base)
				}
				if _, ok := among(droppable, words); !ok && same("") {
					t.Errorf("%s:%d: without %q nothing changes", file, i+1, words)
				}
				any, _ := among(free, words)
				for _, w := range words {
					if to := strings.Replace(line, w, "bogus", 1); !slices.Contains(any, w) && same(to) {
						t.Errorf("%s:%d: %q reads like the original", file, i+1, to)
					}
				}
			}
		}
	}
}

func among(patterns, words []string) (any []string, ok bool) {
	for _, p := range patterns {
		if any, ok = (rule{words: p}).match(words); ok {
			return any, true
		}
	}
	return nil, false
}

// files are configurations of one tunnel, where nothing is said twice.
func files(dialect string) []string {
	if dialect == "cisco-asa" {
		return []string{"testdata/asa-ikev1-dual.cfg", "testdata/asa-ikev2-route.cfg"}
	}
	var files []string
	for _, name := range []string{"defaults", "fqdn-aggressive", "fqdn-ikev2", "hostile-key", "ikev1-route", "ikev2-policy", "ikev2-route", "ikev2-subnets", "lifetimes", "nat", "off", "pfs-differs", "sha2", "weak"} {
		files = append(files, goldens+dialect+"/"+name+".golden")
	}
	return files
}
