package render

import (
	"encoding/json"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"peerconf/vpn"
)

func wayOutSample(version vpn.Version, tunnels int) vpn.Connection {
	c := vpn.Connection{ID: "vco-a", VPNGatewayID: "vpn-a", Region: "cn-hangzhou",
		PeerSubnets:  []vpn.Subnet{{Prefix: netip.MustParsePrefix("192.168.0.0/24")}},
		CloudSubnets: []vpn.Subnet{{Prefix: netip.MustParsePrefix("10.0.0.0/16")}},
	}
	for n := 1; n <= tunnels; n++ {
		cloud := netip.AddrFrom4([4]byte{203, 0, 113, byte(n)})
		c.Tunnels = append(c.Tunnels, vpn.Tunnel{
			Number: n, ID: "tun-" + string('a'+rune(n)), PSK: vpn.NewSecret("k"), DPD: true, NATT: true,
			PeerAddress: vpn.Address{IP: netip.MustParseAddr("198.51.100.1")}, CloudAddress: vpn.Address{IP: cloud},
			PeerIdentity: vpn.Identity{Kind: vpn.IDIPv4, Value: "198.51.100.1"}, CloudIdentity: vpn.Identity{Kind: vpn.IDIPv4, Value: cloud.String()},
			IKE: vpn.IKE{Version: version, Mode: vpn.Main, Encryption: vpn.AES256, Integrity: vpn.SHA256, Group: vpn.MODP2048, Lifetime: vpn.LifetimeOf(86400)},
			ESP: vpn.ESP{Encryption: vpn.AES256, Integrity: vpn.SHA256, PFS: vpn.MODP2048, Lifetime: vpn.LifetimeOf(86400)},
		})
	}
	return c
}

// algorithms makes each combination of one phase's algorithms with the other's
// in step, enough to meet every word of every table.
func algorithms(version vpn.Version, f func(vpn.Connection)) {
	for _, e := range vpn.Encryptions {
		for _, i := range vpn.Integrities {
			for _, g := range vpn.Groups {
				for _, pfs := range []vpn.Group{vpn.NoGroup, g, vpn.MODP2048} {
					c := wayOutSample(version, 1)
					t := &c.Tunnels[0]
					t.IKE.Encryption, t.IKE.Integrity, t.IKE.Group = e, i, g
					t.ESP.Encryption, t.ESP.Integrity, t.ESP.PFS = e, i, pfs
					f(c)
				}
			}
		}
	}
}

// TestWayOut holds every command to its word: with what it sets, no algorithm
// is refused any more, and what was accepted is kept.
func TestWayOut(t *testing.T) {
	var targets []string
	for _, d := range dialects {
		targets = append(targets, d.Name)
	}
	targets = append(targets, "cisco-ios@17.12", "cisco-ios@16.9", "juniper-srx@21.4", "juniper-srx@24.4", "libreswan@5.2", "cisco-asa@9.12", "cisco-asa@9.16")
	mends := 0
	for _, name := range targets {
		for _, strict := range []bool{false, true} {
			for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
				target, err := ParseTarget(name)
				if err != nil {
					t.Fatal(err)
				}
				algorithms(version, func(c vpn.Connection) {
					n := normalizer{target: target, run: run{targets: []Target{target}, strict: strict}, answers: newAnswers(nil, nil), conn: c}
					_, problems := n.normalize()
					for _, p := range problems {
						if p.Field == "--strict" && p.Value != "" || !strings.Contains(p.Hint, "aliyun vpc") {
							continue
						}
						mends++
						mended, ok := n.mended()
						if !ok {
							t.Fatalf("%s: %s: a command without a way out", name, p)
						}
						if after := algorithmProblems(target, strict, mended); len(after) > 0 {
							t.Fatalf("%s: %s\nthe command leaves %s", name, p, after)
						}
						if !strict {
							kept(t, target, c, mended)
						}
						break
					}
				})
			}
		}
	}
	if mends < 1000 {
		t.Errorf("only %d commands", mends)
	}
}

// algorithmProblems are those that a command is for.
func algorithmProblems(target Target, strict bool, c vpn.Connection) (out vpn.Problems) {
	n := normalizer{target: target, run: run{targets: []Target{target}, strict: strict}, answers: newAnswers(nil, nil), conn: c}
	_, problems := n.normalize()
	for _, p := range problems {
		if strings.HasPrefix(p.Field, "Ik") || strings.HasPrefix(p.Field, "Ips") || strings.Contains(p.Reason, "weak: Ik") || strings.Contains(p.Reason, "weak: Ips") {
			out = append(out, p)
		}
	}
	return out
}

// kept fails where a value changes that the target has.
func kept(t *testing.T, target Target, before, after vpn.Connection) {
	t.Helper()
	a, b := before.Tunnels[0], after.Tunnels[0]
	if a.IKE.Version == b.IKE.Version { // with another, devices have other words
		ike, esp := target.IKE[a.IKE.Version], target.ESP[a.IKE.Version]
		same(t, target, ike.Encryption, a.IKE.Encryption, b.IKE.Encryption)
		same(t, target, ike.Integrity, a.IKE.Integrity, b.IKE.Integrity)
		same(t, target, ike.Group, a.IKE.Group, b.IKE.Group)
		same(t, target, esp.Encryption, a.ESP.Encryption, b.ESP.Encryption)
		same(t, target, esp.Integrity, a.ESP.Integrity, b.ESP.Integrity)
	}
	if a.ESP.PFS == vpn.NoGroup && b.ESP.PFS != vpn.NoGroup {
		t.Fatalf("%s: PFS is turned on", target)
	}
}

func same[K comparable](t *testing.T, target Target, table map[K]Word, before, after K) {
	t.Helper()
	w := table[before]
	if _, possible := target.holds(w.Since, w.Until); w.Text != "" && possible && before != after {
		t.Fatalf("%s: %v becomes %v", target, before, after)
	}
}

// TestWayOutOfAll holds the command to what every target of a run has.
func TestWayOutOfAll(t *testing.T) {
	r, err := New([]string{"libreswan", "cisco-ios@17.12", "juniper-srx@21.4"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := wayOutSample(vpn.IKEv1, 1)
	c.Tunnels[0].IKE.Integrity = vpn.SHA512  // not of Junos 21.4
	c.Tunnels[0].IKE.Group = vpn.MODP1024    // not of libreswan
	c.Tunnels[0].ESP.Encryption = vpn.AES128 // of all
	c.Tunnels[0].ESP.Integrity = vpn.MD5     // not of IOS 17.12
	_, _, err = r.Render(c)
	if err == nil {
		t.Fatal("not refused")
	}
	hints := map[string]bool{}
	for _, p := range err.(vpn.Problems) {
		hints[p.Hint[strings.LastIndex(p.Hint, "\n")+1:]] = true
		for _, want := range []string{`"IkeAuthAlg":"sha256"`, `"IkePfs":"group14"`, `"IpsecEncAlg":"aes"`, `"IpsecAuthAlg":"sha256"`} {
			if !strings.Contains(p.Hint, want) {
				t.Errorf("%s: no %s in %s", p, want, p.Hint)
			}
		}
	}
	if len(hints) != 1 {
		t.Errorf("%d commands for one connection", len(hints))
	}
}

// TestShieldOff: what a router's shield refuses is rendered with a warning where
// the operator says that it is off, and no command changes it then.
func TestShieldOff(t *testing.T) {
	off := map[string]vpn.Given{complianceShield.Name: {Value: "off"}}
	target, err := ParseTarget("cisco-ios@17.12")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
		c := wayOutSample(version, 1)
		c.Tunnels[0].IKE.Integrity, c.Tunnels[0].ESP.Encryption = vpn.MD5, vpn.TripleDES
		for _, given := range []map[string]vpn.Given{nil, off} {
			n := normalizer{target: target, run: run{targets: []Target{target}}, answers: newAnswers(given, nil), conn: c}
			view, problems := n.normalize()
			warned := strings.Contains(strings.Join(view.Warnings, "\n"), "IkeAuthAlg md5, IpsecEncAlg 3des: Cisco IOS has it before 17.11 only; "+fn72510)
			if given == nil && (len(problems) != 2 || warned) || given != nil && (len(problems) > 0 || !warned) {
				t.Errorf("%s, answers %v: %v, %q", version, given, problems, view.Warnings)
			}
			for _, p := range problems {
				if !strings.HasPrefix(p.Hint, "where that is so, --set compliance-shield=off\n") || !strings.Contains(p.Hint, "aliyun vpc ModifyVpnConnectionAttribute") {
					t.Errorf("%s: no two ways out: %s", p, p.Hint)
				}
			}
			c.Tunnels[0].IKE.Lifetime = lifetime(10) // below the least
			n = normalizer{target: target, run: n.run, answers: n.answers, conn: c}
			if mended, ok := n.mended(); !ok || given != nil && mended.Tunnels[0].ESP.Encryption != vpn.TripleDES {
				t.Errorf("%s, answers %v: %t, 3des becomes %s", version, given, ok, mended.Tunnels[0].ESP.Encryption)
			}
			c.Tunnels[0].IKE.Lifetime = lifetime(86400)
		}
	}
}

// TestWayOutKeepsStrength prefers the connection's own IKE version, then IKEv2,
// and weakens what stands only where neither keeps it.
func TestWayOutKeepsStrength(t *testing.T) {
	sha256 := func(c *vpn.Connection) {}
	md5 := func(c *vpn.Connection) { c.Tunnels[0].IKE.Integrity, c.Tunnels[0].ESP.Integrity = vpn.MD5, vpn.MD5 }
	group24 := func(c *vpn.Connection) {
		c.Tunnels[0].IKE.Integrity, c.Tunnels[0].ESP.Integrity, c.Tunnels[0].IKE.Group = vpn.SHA1, vpn.SHA1, vpn.MODP2048256
	}
	for _, c := range []struct {
		name, targets string
		changes       []change
		want          []string
	}{
		{"the own version would lower SHA-2", "cisco-asa", []change{sha256}, []string{`"IkeVersion":"ikev2"`, `"IkeAuthAlg":"sha256"`}},
		{"the own version would lower group 24", "cisco-asa", []change{group24}, []string{`"IkeVersion":"ikev2"`, `"IkePfs":"group24"`}},
		{"aggressive mode is not one of IKEv2", "cisco-asa", []change{aggressive}, []string{`"IkeVersion":"ikev2","IkeMode":"main"`}},
		{"the own version raises it", "cisco-asa@9.16", []change{md5}, []string{`"IkeVersion":"ikev1"`, `"IkeAuthAlg":"sha1"`, `"IpsecAuthAlg":"sha1"`}},
		{"IKEv2 is refused", "cisco-asa@9.7", []change{everywhere}, []string{`"IkeVersion":"ikev1"`, `"IkeAuthAlg":"sha1"`}},
		{"IKEv2 lowers it too", "libreswan", []change{group24}, []string{`"IkeVersion":"ikev1"`, `"IkePfs":"group14"`}},
		{"all targets are asked", "cisco-asa,juniper-srx@21.4", []change{sha256}, []string{`"IkeVersion":"ikev2"`, `"IkeAuthAlg":"sha256"`}},
	} {
		r, err := New(strings.Split(c.targets, ","), Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = r.Render(with(wayOutSample(vpn.IKEv1, 1), c.changes...))
		problems, _ := err.(vpn.Problems)
		if len(problems) == 0 {
			t.Errorf("%s: not refused", c.name)
		}
		for _, p := range problems {
			for _, want := range c.want {
				if strings.Contains(p.Hint, "aliyun") && !strings.Contains(p.Hint, want) || !strings.Contains(problems[0].Hint, "aliyun") {
					t.Errorf("%s: no %s in %s", c.name, want, p.Hint)
				}
			}
		}
	}
}

// typedCommand runs a hint's command in a shell, where aliyun prints its arguments.
func typedCommand(t *testing.T, hint string, environment ...string) []string {
	t.Helper()
	_, command, ok := strings.Cut(hint, ": ")
	if !ok {
		t.Fatalf("no command in %q", hint)
	}
	cmd := exec.Command("sh", "-c", `aliyun() { printf '%s\n' "$@"; }; `+command)
	cmd.Env = environment
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func wayOutOf(t *testing.T, c vpn.Connection, options ...Options) string {
	t.Helper()
	r, err := New([]string{"libreswan"}, append(options, Options{})[0])
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = r.Render(c)
	problems, ok := err.(vpn.Problems)
	if !ok {
		t.Fatal("not refused")
	}
	return problems[0].Hint
}

// TestCommand types the commands into a shell and looks at what arrives.
func TestCommand(t *testing.T) {
	c := wayOutSample(vpn.IKEv2, 1)
	c.Tunnels[0].IKE.Group, c.Tunnels[0].PSK = vpn.MODP1024, vpn.NewSecret("never-shown")
	hint := wayOutOf(t, c)
	if strings.Contains(hint, "never-shown") {
		t.Error("the command holds the key")
	}
	if typedCommand(t, hint) != nil {
		t.Error("without a key the command runs, and would set an empty one")
	}
	got := typedCommand(t, hint, "PSK=a'b$c")
	want := []string{"vpc", "ModifyVpnConnectionAttribute", "--RegionId", "cn-hangzhou", "--VpnConnectionId", "vco-a", "--IkeConfig"}
	if len(got) != 8 || !slices.Equal(got[:7], want) {
		t.Fatalf("%q", got)
	}
	var ike map[string]any
	if err := json.Unmarshal([]byte(got[7]), &ike); err != nil {
		t.Fatal(err)
	}
	if ike["Psk"] != "a'b$c" || ike["IkePfs"] != "group14" || ike["LocalId"] != "203.0.113.1" || ike["RemoteId"] != "198.51.100.1" || len(ike) != 9 {
		t.Errorf("%v", ike)
	}

	c = wayOutSample(vpn.IKEv2, 1)
	c.ID, c.Region, c.Tunnels[0].ESP.PFS = "vco-$(reboot)", "", vpn.MODP1024
	if hint := wayOutOf(t, c); strings.Contains(hint, "reboot") || !strings.Contains(hint, "--VpnConnectionId vco-… ") || !strings.Contains(hint, "--RegionId REGION ") {
		t.Error(hint)
	}
	if hint := wayOutOf(t, c, Options{Region: "cn-shanghai"}); !strings.Contains(hint, "--RegionId cn-shanghai ") {
		t.Error(hint)
	}
	c.Tunnels[0].IKE.Group, c.Tunnels[0].PSK = vpn.MODP1024, vpn.NewSecret(`a"b`)
	if hint := wayOutOf(t, c); !strings.Contains(hint, "as in JSON") {
		t.Error(hint)
	}
}

// TestCommandOfTwoTunnels looks at the form for tunnels.
func TestCommandOfTwoTunnels(t *testing.T) {
	c := wayOutSample(vpn.IKEv2, 2)
	c.Tunnels[1].IKE.Group, c.Tunnels[1].ESP.PFS = vpn.MODP1024, vpn.MODP1024
	got := typedCommand(t, wayOutOf(t, c), "PSK_2=key")
	for _, want := range []string{
		"--TunnelOptionsSpecification.1.TunnelId tun-c", "--TunnelOptionsSpecification.1.Role slave",
		"--TunnelOptionsSpecification.1.TunnelIkeConfig.Psk key", "--TunnelOptionsSpecification.1.TunnelIkeConfig.IkePfs group14",
		"--TunnelOptionsSpecification.1.TunnelIpsecConfig.IpsecPfs group14", "--method POST --force",
	} {
		if !strings.Contains(strings.Join(got, " "), want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	if strings.Contains(strings.Join(got, " "), "Specification.2.") {
		t.Error("the tunnel that nothing is wrong with is sent too")
	}
	c.VPNGatewayID = ""
	attached := wayOutOf(t, c)
	if !strings.Contains(attached, "vpc ModifyVpnAttachmentAttribute ") || !strings.Contains(attached, ".1.TunnelIndex 2 ") {
		t.Error(attached)
	}
}
