package router

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const goldens = "../../golden/"

// TestGoldens reads whatever the program writes for a dialect.
func TestGoldens(t *testing.T) {
	for dialect, least := range map[string]int{"cisco-ios": 30, "juniper-srx": 30, "cisco-asa": 0} {
		files, err := filepath.Glob(goldens + dialect + "/*.golden")
		if err != nil || len(files) < least {
			t.Fatalf("%s: %d goldens, %v", dialect, len(files), err)
		}
		for _, file := range files {
			text := read(t, file)
			tunnels, err := Read(dialect, text)
			if line, word := placeholder(text); word != "" {
				if want := fmt.Sprintf("line %d: %s is not replaced", line, word); err == nil || err.Error() != want {
					t.Errorf("%s: %v, want %s", file, err, want)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if want := strings.Count(text, ": peer (this device) "); len(tunnels) != want {
				t.Errorf("%s: %d tunnels, want %d", file, len(tunnels), want)
			}
		}
	}
}

// placeholder finds the first word a user has to replace outside of comments.
func placeholder(text string) (line int, word string) {
	for i, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, "!") || strings.HasPrefix(l, "#") {
			continue
		}
		if at := regexp.MustCompile(`REPLACE-[-a-z0-9]+`).FindString(l); at != "" {
			return i + 1, at
		}
	}
	return 0, ""
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// same compares but shows no key.
func same(t *testing.T, what string, got, want []Tunnel) {
	t.Helper()
	hidden := cmp.Options{cmpopts.EquateComparable(netip.Prefix{}), cmpopts.IgnoreFields(Tunnel{}, "PSK")}
	if diff := cmp.Diff(want, got, hidden); diff != "" {
		t.Errorf("%s: want (-), got (+)\n%s", what, diff)
		return
	}
	for i := range want {
		if !bytes.Equal(got[i].PSK, want[i].PSK) {
			t.Errorf("%s: the key of tunnel %d is another", what, i+1)
		}
	}
}

func pairs(words ...string) (s []Selector) {
	for _, w := range words {
		local, remote, _ := strings.Cut(w, " ")
		s = append(s, Selector{netip.MustParsePrefix(local), netip.MustParsePrefix(remote)})
	}
	return s
}

var everything = pairs("0.0.0.0/0 0.0.0.0/0")

// TestRead has what a network engineer reads in these configurations.
func TestRead(t *testing.T) {
	ios := Tunnel{
		Name: "outside-10-203-0-113-10", IKE: 2, RemoteAddress: "203.0.113.10",
		LocalID: "198.51.100.20", RemoteIDs: []string{"203.0.113.10"},
		IKEProposal: "aes256-sha256-modp2048", ESPProposal: "aes256-sha256-modp2048", IKELifetime: 86400, ESPLifetime: 86400,
		Selectors: pairs("192.168.10.0/24 10.0.0.0/16"), DPD: true, NATT: true,
	}
	srx := ios
	srx.RouteBased, srx.Initiates = true, true
	four := pairs("192.168.10.0/24 10.0.0.0/16", "192.168.10.0/24 10.8.0.0/16", "192.168.20.0/22 10.0.0.0/16", "192.168.20.0/22 10.8.0.0/16")
	but := func(base Tunnel, key string, change func(*Tunnel)) Tunnel {
		base.PSK = []byte(key)
		change(&base)
		return base
	}
	hostile := `0x"#'\{}$;?!` + "`" + `|<>&*%`

	for _, c := range []struct {
		dialect, file string
		want          []Tunnel
	}{
		{"cisco-ios", goldens + "cisco-ios/pfs-differs.golden", []Tunnel{but(ios, "S3cret-of-pfs-differs", func(t *Tunnel) {
			t.IKE, t.LocalID, t.IKEProposal, t.ESPProposal = 1, "", "aes128-sha1-modp2048", "aes128-sha1-modp1536"
		})}},
		{"cisco-ios", goldens + "cisco-ios/ikev2-subnets.golden", []Tunnel{but(ios, "S3cret-of-ikev2-subnets", func(t *Tunnel) { t.Selectors = four })}},
		{"cisco-ios", goldens + "cisco-ios/hostile-key.golden", []Tunnel{but(ios, hostile, func(*Tunnel) {})}},
		{"cisco-ios", goldens + "cisco-ios/nat.golden", []Tunnel{but(ios, "S3cret-of-nat", func(t *Tunnel) { t.LocalID = "10.1.2.3" })}},
		{"cisco-ios", goldens + "cisco-ios/fqdn-ikev2.golden", []Tunnel{but(ios, "S3cret-of-fqdn-ikev2", func(t *Tunnel) {
			t.LocalID, t.RemoteIDs = "router@branch.example", []string{"@vpn.cloud.example"}
		})}},
		{"cisco-ios", goldens + "cisco-ios/fqdn-aggressive.golden", []Tunnel{but(ios, "S3cret-of-fqdn-aggressive", func(t *Tunnel) {
			t.IKE, t.Aggressive, t.IKEProposal, t.ESPProposal = 1, true, "aes128-sha1-modp1536", "aes128-sha1-modp1536"
			t.LocalID, t.RemoteIDs = "@branch-7", []string{"@vpn.cloud.example"}
		})}},
		{"cisco-ios", goldens + "cisco-ios/ikev1-route.golden", []Tunnel{but(ios, "a<b&c>d", func(t *Tunnel) {
			t.Name, t.IKE, t.LocalID, t.IKEProposal, t.ESPProposal = "Tunnel1", 1, "", "aes256-sha1-modp2048", "aes256-sha1"
			t.IKELifetime, t.ESPLifetime, t.Selectors, t.RouteBased, t.Initiates = 3600, 3600, everything, true, true
		})}},
		{"cisco-ios", goldens + "cisco-ios/mode-route.golden", []Tunnel{but(ios, "S3cret-of-ikev2-subnets", func(t *Tunnel) {
			t.Name, t.Selectors, t.RouteBased, t.Initiates = "Tunnel1", four, true, true
		})}},
		{"cisco-ios", goldens + "cisco-ios/dual-subnets.golden", dual(but(ios, "S3cret-one", func(t *Tunnel) {
			t.IKE, t.LocalID, t.RemoteIDs = 1, "", []string{"203.0.113.10", "203.0.113.11"}
			t.IKEProposal, t.ESPProposal, t.Selectors = "aes128-sha1-modp1536", "aes128-sha1-modp1536", four[:2]
		}), "outside-10-203-0-113-11", "S3cret-two")},

		{"juniper-srx", goldens + "juniper-srx/pfs-differs.golden", []Tunnel{but(srx, "S3cret-of-pfs-differs", func(t *Tunnel) {
			t.Name, t.IKE, t.IKEProposal, t.ESPProposal = "vco-bp1pfsdiffers", 1, "aes128-sha1-modp2048", "aes128-sha1-modp1536"
		})}},
		{"juniper-srx", goldens + "juniper-srx/ikev2-subnets.golden", []Tunnel{but(srx, "S3cret-of-ikev2-subnets", func(t *Tunnel) {
			t.Name, t.Selectors = "vco-bp1ikev2subnets", four
		})}},
		{"juniper-srx", goldens + "juniper-srx/hostile-key.golden", []Tunnel{but(srx, hostile, func(t *Tunnel) { t.Name = "vco-bp1hostilekey" })}},
		{"juniper-srx", goldens + "juniper-srx/off.golden", []Tunnel{but(srx, "S3cret-of-off", func(t *Tunnel) {
			t.Name, t.DPD, t.NATT = "vco-bp1off", false, false
		})}},
		{"juniper-srx", goldens + "juniper-srx/fqdn-ikev2.golden", []Tunnel{but(srx, "S3cret-of-fqdn-ikev2", func(t *Tunnel) {
			t.Name, t.LocalID, t.RemoteIDs = "vco-bp1fqdnikev2", "router@branch.example", []string{"@vpn.cloud.example"}
		})}},
		{"juniper-srx", goldens + "juniper-srx/dual-route.golden", dual(but(srx, "S3cret-one", func(t *Tunnel) {
			t.Name, t.Selectors = "dual-route-1", everything
		}), "dual-route-2", "S3cret-two", "203.0.113.11")},

		{"cisco-asa", "testdata/asa-ikev1-dual.cfg", dual(but(ios, "S3cret-one", func(t *Tunnel) {
			t.Name, t.IKE, t.LocalID, t.NATT, t.ESPLifetime = "outside-map-10-203-0-113-10", 1, "", false, 3600
			t.IKEProposal, t.ESPProposal, t.Selectors = "aes128-sha1-modp1536", "aes128-sha1-modp1536,aes256-md5-modp1536", four[:2]
		}), "outside-map-10-203-0-113-11", "S3cret-two", "203.0.113.11")},
		{"cisco-asa", "testdata/asa-ikev2-route.cfg", []Tunnel{but(ios, "S3cret-route", func(t *Tunnel) {
			t.Name, t.LocalID, t.RemoteAddress, t.RemoteIDs = "Tunnel1", "", "203.0.113.30", []string{"203.0.113.30"}
			t.IKELifetime, t.ESPLifetime, t.Selectors, t.RouteBased, t.Initiates, t.DPD = 28800, 3600, everything, true, true, false
		})}},
	} {
		got, err := Read(c.dialect, read(t, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		same(t, c.file, got, c.want)
	}
}

// dual is a tunnel and a second one to 203.0.113.11, with its own identity if
// there is one.
func dual(first Tunnel, name, key string, id ...string) []Tunnel {
	second := first
	second.Name, second.RemoteAddress, second.PSK = name, "203.0.113.11", []byte(key)
	if id != nil {
		second.RemoteIDs = id
	}
	return []Tunnel{first, second}
}
