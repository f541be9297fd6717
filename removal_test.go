package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"peerconf/render"
)

// removed are the stories whose removals are golden.
var removed = []string{"ikev1-subnets", "ikev1-route", "ikev2-policy", "ikev2-route", "name-zh", "placeholders", "dual-policy", "dual-route", "dual-unlike", "weak", "bgp-single", "bgp-single-accept", "bgp-dual", "routes", "routes-dual", "probe", "routes-device-2", "bgp-device-2", "mode-route-dual", "mode-route-half", "ipsec-interface", "ipsec-interface-bgp"}

func (s story) answered(target string, more ...string) []string {
	more = append(more, "--target", target)
	said := s.answers
	if !s.bare {
		said = slices.Concat(answers[target], said)
	}
	for _, a := range said {
		more = append(more, "--set", a)
	}
	if s.tunnel != "" {
		more = append(more, "--tunnel", s.tunnel)
	}
	return s.args("render", more...)
}

// TestRemovalGolden pins what takes a selection of stories off every target.
func TestRemovalGolden(t *testing.T) {
	for _, s := range stories {
		for _, target := range render.Names() {
			if slices.Contains(removed, s.name) {
				t.Run(s.source+"/"+target, func(t *testing.T) {
					code, stdout, stderr := execute(s.answered(target, "--remove"))
					if strings.Contains(stderr, "error: --set ") || strings.Contains(stderr, ": --mode ") {
						return // an answer it has no use for, as TestGolden pins
					}
					if code != exitDone {
						t.Fatal(stderr)
					}
					golden(t).Assert(t, "removal/"+target+"/"+s.name, []byte(stdout))
				})
			}
		}
	}
}

// An object is made by a statement and gone by another: the groups of both
// expressions say which object. What has no gone is shared with others: no
// removal may touch it.
type object struct{ made, gone string }

// Statements below another one are written behind it: "interface X / mtu".
var objects = map[string][]object{
	"cisco-ios": {
		{`^interface \S+ / tunnel protection ipsec policy ipv4 (\S+)$`, ``},
		{`^crypto keyring (\S+)$`, `^no crypto keyring (\S+)$`},
		{`^crypto isakmp policy (\d+|REPLACE-\S+)$`, `^no crypto isakmp policy (\S+)$`},
		{`^crypto isakmp profile (\S+)$`, `^no crypto isakmp profile (\S+)$`},
		{`^crypto ikev2 proposal (\S+)$`, `^no crypto ikev2 proposal (\S+)$`},
		{`^crypto ikev2 policy (\S+) / proposal (\S+)$`, `^crypto ikev2 policy (\S+) / no proposal (\S+)$`},
		{`^crypto ikev2 policy (\S+)$`, ``},
		{`^crypto ikev2 keyring (\S+)$`, `^no crypto ikev2 keyring (\S+)$`},
		{`^crypto ikev2 profile (\S+)$`, `^no crypto ikev2 profile (\S+)$`},
		{`^crypto ipsec transform-set (\S+) `, `^no crypto ipsec transform-set (\S+)$`},
		{`^crypto ipsec profile (\S+)$`, `^no crypto ipsec profile (\S+)$`},
		{`^interface Tunnel(\S+)$`, `^no interface Tunnel(\S+)$`},
		{`^ip access-list extended (\S+)$`, `^no ip access-list extended (\S+)$`},
		{`^crypto map (\S+) (\S+) ipsec-isakmp$`, `^no crypto map (\S+) (\S+)$`},
		{`^ip route (\S+ \S+ Tunnel\S+(?: track \S+| permanent)?)(?: 250)?$`, `^no ip route (\S+ \S+ Tunnel\S+(?: track \S+| permanent)?)$`},
		{`^ip sla (\d+|REPLACE-\S+)$`, `^no ip sla (\d+|REPLACE-\S+)$`},
		{`^ip sla schedule (\S+) life forever start-time now$`, `^no ip sla schedule (\S+)$`},
		{`^track (\S+) ip sla \S+ reachability$`, `^no track (\S+)$`},
		{`^interface (?:GigabitEthernet1|REPLACE-outside-interface)$`, ``},
		{`^router bgp (\d+) / neighbor (\S+) remote-as (\d+)$`, `^router bgp (\d+) / no neighbor (\S+) remote-as (\d+)$`},
		{`^route-map (\S+) (?:permit|deny) 10$`, `^no route-map (\S+)$`},
		{`^ip prefix-list (\S+) `, `^no ip prefix-list (\S+)$`},
		{`^router bgp \d+$`, ``},
	},
	"cisco-asa": {
		{`^crypto ikev1 policy (\S+)$`, `^no crypto ikev1 policy (\S+)$`},
		{`^crypto ikev2 policy (\S+)$`, `^no crypto ikev2 policy (\S+)$`},
		{`^crypto ikev[12] enable \S+$`, ``},
		{`^crypto ipsec ikev1 transform-set (\S+ \S+ \S+)$`, `^no crypto ipsec ikev1 transform-set (\S+ \S+ \S+)$`},
		{`^crypto ipsec ikev2 ipsec-proposal (\S+)$`, `^no crypto ipsec ikev2 ipsec-proposal (\S+)$`},
		{`^group-policy (\S+) internal$`, `^clear configure group-policy (\S+)$`},
		{`^tunnel-group (\S+) type ipsec-l2l$`, `^clear configure tunnel-group (\S+)$`},
		{`^sysopt connection tcpmss`, ``},
		{`^crypto ipsec profile (\S+)$`, `^no crypto ipsec profile (\S+)$`},
		{`^interface Tunnel(\S+)$`, `^no interface Tunnel(\S+)$`},
		{`^object-group network (\S+)$`, `^no object-group network (\S+)$`},
		{`^access-list (\S+) `, `^clear configure access-list (\S+)$`},
		{`^nat (\S+) 1 (source .*)$`, `^no nat (\S+) (source .*)$`},
		{`^crypto map (\S+) (\S+) match address \S+$`, `^clear configure crypto map (\S+) (\S+)$`},
		{`^crypto map \S+ interface \S+$`, ``},
		{`^router bgp (\d+) / address-family ipv4 unicast / neighbor (\S+) remote-as (\d+)$`, `^router bgp (\d+) / address-family ipv4 unicast / no neighbor (\S+) remote-as (\d+)$`},
		{`^route-map (\S+ \S+ 10)$`, `^no route-map (\S+ \S+ 10)$`},
		{`^prefix-list (.*)$`, `^no prefix-list (.*)$`},
		{`^router bgp \d+$`, ``},
	},
	"strongswan": {
		{`^# (\S+\.conf): put it into /etc/swanctl/conf.d/ `, `^rm -f -- '/etc/swanctl/conf.d/(\S+\.conf)' \|\| status=1$`},
		{`^connections \{ / (\S+) \{$`, `^swanctl --terminate --ike '(\S+)' --force --timeout 10 2>/dev/null # what is left$`},
		{`^router bgp (\d+) / neighbor (\S+) remote-as (\d+)$`, `^vtysh -c 'configure terminal' -c 'router bgp (\d+)' -c 'no neighbor (\S+) remote-as (\d+)' \|\| status=1$`},
		{`^route-map (\S+) (?:permit|deny) 10$`, `^vtysh -c 'configure terminal' -c 'no route-map (\S+)' \|\| status=1$`},
		{`^ip prefix-list (\S+) `, `^vtysh -c 'configure terminal' -c 'no ip prefix-list (\S+)' \|\| status=1$`},
		{`^# (\S+\.updown): put it into /etc/swanctl/conf.d/ `, `^rm -f -- '/etc/swanctl/conf.d/(\S+\.updown)' \|\| status=1$`},
		{`^[12]\) interface='(\S+)' if_id=`, `^ip link delete '(\S+)' 2>/dev/null # there once`},
		{unreachable[0], unreachable[1]},
	},
	"strongswan-ipsec": {
		{`^# (\S+\.conf): put it into /etc/ipsec.d/ `, `^rm -f -- '/etc/ipsec.d/(\S+)' '.*' \|\| status=1$`},
		{`^# (\S+\.secrets): put it into /etc/ipsec.d/ `, `^rm -f -- '.*' '/etc/ipsec.d/(\S+)' \|\| status=1$`},
		{`^conn (\S+) / auto=start$`, `^ipsec stroke down-nb '(\S+)\[\*\]'$`},
		{`^router bgp (\d+) / neighbor (\S+) remote-as (\d+)$`, `^vtysh -c 'configure terminal' -c 'router bgp (\d+)' -c 'no neighbor (\S+) remote-as (\d+)' \|\| status=1$`},
		{`^route-map (\S+) (?:permit|deny) 10$`, `^vtysh -c 'configure terminal' -c 'no route-map (\S+)' \|\| status=1$`},
		{`^ip prefix-list (\S+) `, `^vtysh -c 'configure terminal' -c 'no ip prefix-list (\S+)' \|\| status=1$`},
		{`^# (\S+\.updown): put it into /etc/ipsec.d/ `, `^rm -f -- '/etc/ipsec.d/(\S+\.updown)' \|\| status=1$`},
		{`^[12]\) interface='(\S+)' key=`, `^ip link delete '(\S+)' 2>/dev/null # there once`},
		{unreachable[0], unreachable[1]},
	},
	"libreswan": {
		{`^# (\S+\.conf): put it into /etc/ipsec.d/,`, `^rm -f -- '/etc/ipsec.d/(\S+)' '.*' \|\| status=1$`},
		{`^# (\S+\.secrets): put it into /etc/ipsec.d/ `, `^rm -f -- '.*' '/etc/ipsec.d/(\S+)' \|\| status=1$`},
		{`^conn (\S+)$`, `^ipsec whack --delete --name '(\S+)' \|\| status=1$`},
		{`^1\) name='\S+' interface='(ipsec\S+)' mtu=`, `^ip link delete '(\S+)' 2>/dev/null # ipsec makes it`},
		{`^conn \S+ / vti-interface=(\S+)$`, `^ip link delete '(\S+)' \|\| status=1 # ipsec makes it and leaves it$`},
		{`^router bgp (\d+) / neighbor (\S+) remote-as (\d+)$`, `^vtysh -c 'configure terminal' -c 'router bgp (\d+)' -c 'no neighbor (\S+) remote-as (\d+)' \|\| status=1$`},
		{`^route-map (\S+) (?:permit|deny) 10$`, `^vtysh -c 'configure terminal' -c 'no route-map (\S+)' \|\| status=1$`},
		{`^ip prefix-list (\S+) `, `^vtysh -c 'configure terminal' -c 'no ip prefix-list (\S+)' \|\| status=1$`},
		{`^# (\S+\.updown): put it into /etc/ipsec.d/ `, `^rm -f -- '/etc/ipsec.d/(\S+\.updown)' \|\| status=1$`},
		{unreachable[0], unreachable[1]},
	},
}

// unreachable routes are a script's, below its function.
var unreachable = [2]string{`^closed\(\) \{ / route replace unreachable (\S+) metric 4000$`, `^ip route delete unreachable (\S+) metric 4000 2>/dev/null$`}

// acts are a removal's statements that take nothing out of a configuration.
var acts = map[string]string{
	"cisco-ios":        `^do clear crypto session remote (\d+\.\d+\.\d+\.\d+|REPLACE-\S+)$|^crypto ikev2 policy (\S+)$|^(router bgp \d+)$`,
	"cisco-asa":        `^vpn-sessiondb logoff tunnel-group (\d+\.\d+\.\d+\.\d+|REPLACE-\S+) noconfirm$|^(router bgp \d+)(?: / address-family ipv4 unicast| / exit-address-family)?$`,
	"strongswan":       `^#|^status=0$|^\[ "\$status" = 0 \]$|^swanctl --load-all \|\| status=1 # `,
	"strongswan-ipsec": `^#|^status=0$|^\[ "\$status" = 0 \]$|^ipsec (?:update|rereadsecrets) \|\| status=1(?: # .*)?$`,
	"libreswan":        `^#|^status=0$|^\[ "\$status" = 0 \]$|^ipsec secrets \|\| status=1$`,
}

// TestRemoval holds every removal to what is rendered: it takes off all that
// belongs to the connection alone, and touches nothing else.
func TestRemoval(t *testing.T) {
	for _, s := range stories {
		for _, target := range render.Names() {
			code, config, _ := execute(s.answered(target))
			if code != exitDone {
				continue
			}
			code, removal, stderr := execute(s.answered(target, "--remove"))
			if code != exitDone {
				t.Errorf("%s, %s: %s", s.source, target, stderr)
				continue
			}
			var wrong []string
			if target == "juniper-srx" {
				wrong = undeleted(config, removal)
			} else {
				wrong = unlike(target, config, removal)
			}
			for _, w := range wrong {
				t.Errorf("%s, %s: %s", s.source, target, w)
			}
		}
	}
}

// unlike lists the differences of what a configuration makes and what a
// removal takes off.
func unlike(target, config, removal string) (wrong []string) {
	made, gone := map[string]bool{}, map[string]bool{}
	margin := regexp.MustCompile(`^[^#!]`)
	for _, line := range flat(config) {
		known := false
		for i, o := range objects[target] {
			if m := regexp.MustCompile(o.made).FindStringSubmatch(line); m != nil {
				known = true
				if o.gone != "" {
					made[fmt.Sprint(i, m[1:])] = true
				}
			}
		}
		top := margin.MatchString(line) && !strings.Contains(line, " / ")
		if top && !known && strings.HasPrefix(target, "cisco-") && !parts[target].MatchString(line) {
			wrong = append(wrong, "no removal is known of "+line)
		}
	}
	act := regexp.MustCompile(acts[target])
	for _, line := range flat(removal) {
		known := act.MatchString(line) || strings.HasPrefix(target, "cisco-") && line[0] == '!'
		for i, named := range act.FindStringSubmatch(line) {
			if i > 0 && !strings.Contains(config, named) {
				wrong = append(wrong, "not of this connection: "+line)
			}
		}
		for i, o := range objects[target] {
			if o.gone == "" {
				continue
			}
			if m := regexp.MustCompile(o.gone).FindStringSubmatch(line); m != nil {
				known, gone[fmt.Sprint(i, m[1:])] = true, true
			}
		}
		if !known {
			wrong = append(wrong, "takes off what is not known: "+line)
		}
	}
	for name := range made {
		if !gone[name] {
			wrong = append(wrong, "left behind: "+name)
		}
	}
	for name := range gone {
		if !made[name] {
			wrong = append(wrong, "never made: "+name)
		}
	}
	return wrong
}

// parts are statements at the margin that belong to an object made elsewhere.
var parts = map[string]*regexp.Regexp{
	"cisco-ios": regexp.MustCompile(`^$`),
	"cisco-asa": regexp.MustCompile(`^group-policy \S+ attributes$|^tunnel-group \S+ \S+-attributes$|^route \S+ |^crypto map \S+ \S+ set `),
}

// flat writes each statement of the second and third level behind those it is
// below.
func flat(text string) (out []string) {
	var open []string
	for _, line := range strings.Split(text, "\n") {
		stated := strings.TrimLeft(line, " \t")
		if depth := len(line) - len(stated); stated != "" && depth < 3 {
			open = append(open[:min(depth, len(open))], stated)
			out = append(out, strings.Join(open, " / "))
		}
	}
	return out
}

// shared are the statements of an SRX that others need too.
var shared = regexp.MustCompile(`^set security flow |^set security zones security-zone \S+ host-inbound-traffic `)

// undeleted applies deletes to set statements. Each has to delete something,
// by a path that is the connection's own, and only what is shared may remain.
func undeleted(config, removal string) (wrong []string) {
	var left []string
	for _, line := range strings.Split(config, "\n") {
		if strings.HasPrefix(line, "set ") {
			left = append(left, line)
		}
	}
	for _, line := range strings.Split(removal, "\n") {
		path, deletes := strings.CutPrefix(line, "delete ")
		if !deletes {
			if line != "" && line[0] != '#' {
				wrong = append(wrong, "no deletion: "+line)
			}
			continue
		}
		before := len(left)
		left = slices.DeleteFunc(left, func(l string) bool { return strings.HasPrefix(l+" ", "set "+path+" ") })
		if len(left) == before {
			wrong = append(wrong, "deletes nothing: "+line)
		}
		if !ownPath.MatchString(path) {
			wrong = append(wrong, "deletes what is not the connection's alone: "+line)
		}
	}
	for _, l := range left {
		if !shared.MatchString(l) {
			wrong = append(wrong, "left behind: "+l)
		}
	}
	return wrong
}

var ownPath = regexp.MustCompile(`^security (ike|ipsec) (proposal|policy|gateway|vpn) \S+$` +
	`|^security policies from-zone \S+ to-zone \S+ policy \S+$|^security address-book global address \S+$` +
	`|^security zones security-zone \S+ interfaces st0\.\S+$|^interfaces st0 unit \S+$` +
	`|^policy-options policy-statement \S+$|^protocols bgp group \S+$` +
	`|^routing-options static route (\S+ qualified-next-hop st0\.\S+|\S+/32)$` +
	`|^services rpm probe \S+$|^services ip-monitoring policy \S+$`)

// TestRemovalCheckFails proves that TestRemoval sees what it is for.
func TestRemovalCheckFails(t *testing.T) {
	srx, ios := "set security ike policy a mode main\nset security flow tcp-mss\n", "crypto keyring a\ncrypto ikev2 policy b\n proposal c\n"
	for _, wrong := range [][]string{
		undeleted(srx, ""), undeleted(srx, "delete security ike policy a\ndelete security ike policy b"),
		undeleted(srx, "delete security ike policy a\ndelete security flow"), undeleted(srx, "delete security ike"),
		unlike("cisco-ios", ios, "no crypto keyring a\n"), unlike("cisco-ios", ios, "no crypto keyring a\nno crypto ikev2 policy b\n"),
		unlike("cisco-ios", ios, "no crypto keyring a\ncrypto ikev2 policy b\n no proposal c\n no proposal d\n"),
		unlike("cisco-ios", ios+"crypto new x\n", "no crypto keyring a\ncrypto ikev2 policy b\n no proposal c\n"),
		unlike("strongswan", "connections {\n\ta {\n", "swanctl --terminate --ike a\n"),
	} {
		if len(wrong) == 0 {
			t.Error("a wrong removal passes")
		}
	}
	if wrong := unlike("cisco-ios", ios, "no crypto keyring a\ncrypto ikev2 policy b\n no proposal c\n"); wrong != nil {
		t.Error(wrong)
	}
	for target, text := range map[string][2]string{
		"cisco-ios":  {"router bgp 1\n neighbor 192.0.2.1 remote-as 2\n address-family ipv4\n  network 10.0.0.0 mask 255.0.0.0\n", "router bgp 1\n no neighbor 192.0.2.1 remote-as 2\n"},
		"cisco-asa":  {"router bgp 1\n address-family ipv4 unicast\n  network 10.0.0.0 mask 255.0.0.0\n  neighbor 192.0.2.1 remote-as 2\n", "router bgp 1\n address-family ipv4 unicast\n  no neighbor 192.0.2.1 remote-as 2\n"},
		"strongswan": {"router bgp 1\n neighbor 192.0.2.1 remote-as 2\n", "vtysh -c 'configure terminal' -c 'router bgp 1' -c 'no neighbor 192.0.2.1 remote-as 2' || status=1\n"},
	} {
		for _, wrong := range []string{
			"", strings.Replace(text[1], "bgp 1", "bgp 3", 1), strings.Replace(text[1], "2.1", "2.9", 1), "no router bgp 1\n",
			text[1] + "  no network 10.0.0.0 mask 255.0.0.0\n", text[1] + "vtysh -c 'configure terminal' -c 'no router bgp 1' || status=1\n",
		} {
			if unlike(target, text[0], wrong) == nil {
				t.Errorf("%s: %q passes", target, wrong)
			}
		}
		if wrong := unlike(target, text[0], text[1]); wrong != nil {
			t.Error(target, wrong)
		}
	}
}

// TestRemovalOrder: no device takes off what something else names yet, or
// leaves a session of BGP without its tunnel.
func TestRemovalOrder(t *testing.T) {
	order := []string{"no neighbor 169.254.11.1", "no neighbor 169.254.12.1", "no route-map bgp-dual-1-in", "no route-map bgp-dual-2-out", "prefix-list bgp-dual-in"}
	last := map[string]string{
		"cisco-ios": "no interface Tunnel1", "cisco-asa": "no interface Tunnel1",
		"strongswan": "swanctl --load-all ", "strongswan-ipsec": "ipsec update ", "libreswan": "ipsec whack --delete ",
	}
	for target, end := range last {
		_, removal, _ := execute([]string{"peerconf", "render", "--remove", "--target", target, "--set", "announce=10.0.0.0/8", "--name", "bgp-dual", "testdata/bgp-dual"})
		removal = strings.ReplaceAll(removal, "TunnelREPLACE-tunnel-number-", "Tunnel")
		before := -1
		for _, line := range append(order, end) {
			at := strings.Index(removal, line)
			if at <= before {
				t.Errorf("%s: %q is at %d, behind %d, of\n%s", target, line, at, before, removal)
			}
			before = at
		}
	}
}

// TestRemovalHoldsNoKey looks for every story's keys, as the device would be
// given them and as the cloud has them.
func TestRemovalHoldsNoKey(t *testing.T) {
	keys := regexp.MustCompile(`pre-shared key  (\S+)`)
	looked := 0
	for _, s := range stories {
		_, shown, _ := execute(s.args("show", "--show-secrets"))
		for _, target := range render.Names() {
			_, removal, _ := execute(s.answered(target, "--remove"))
			for _, m := range keys.FindAllStringSubmatch(shown, -1) {
				looked++
				if key := strings.Trim(m[1], `"`); strings.Contains(removal, key) {
					t.Errorf("%s, %s: the removal holds a key", s.source, target)
				}
			}
			if regexp.MustCompile(`(?i)pre-shared-key|password|authentication-key`).MatchString(removal) || strings.Contains(removal, "0s") {
				t.Errorf("%s, %s: the removal has a place for a key", s.source, target)
			}
		}
	}
	if looked < len(stories) {
		t.Errorf("only %d keys looked for", looked)
	}
}

// TestRemovalScripts has a shell read the scripts, and run them with commands
// that tell what they are given.
func TestRemovalScripts(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"swanctl", "ipsec", "ip", "rm", "vtysh"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\nprintf '%s' "+name+"\nprintf ' <%s>' \"$@\"\necho\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const bgp = "vtysh <-c> <configure terminal> <-c> <router bgp 65001> <-c> <no neighbor 169.254.11.1 remote-as 45104>\n" +
		"vtysh <-c> <configure terminal> <-c> <router bgp 65001> <-c> <no neighbor 169.254.12.1 remote-as 45104>\n" +
		"vtysh <-c> <configure terminal> <-c> <no route-map dual-route-1-in>\nvtysh <-c> <configure terminal> <-c> <no route-map dual-route-1-out>\n" +
		"vtysh <-c> <configure terminal> <-c> <no route-map dual-route-2-in>\nvtysh <-c> <configure terminal> <-c> <no route-map dual-route-2-out>\n" +
		"vtysh <-c> <configure terminal> <-c> <no ip prefix-list dual-route-in>\n"
	for target, want := range map[string]string{
		"strongswan": bgp + "rm <-f> <--> </etc/swanctl/conf.d/dual-route.conf>\nswanctl <--load-all>\n" +
			"swanctl <--terminate> <--ike> <dual-route-1> <--force> <--timeout> <10>\nswanctl <--terminate> <--ike> <dual-route-2> <--force> <--timeout> <10>\n" +
			"rm <-f> <--> </etc/swanctl/conf.d/dual-route.updown>\nip <link> <delete> <xfrmcb00710a>\nip <link> <delete> <xfrmcb00710b>\n",
		"strongswan-ipsec": bgp + "rm <-f> <--> </etc/ipsec.d/dual-route.conf> </etc/ipsec.d/dual-route.secrets>\n" +
			"ipsec <update>\nipsec <rereadsecrets>\nipsec <stroke> <down-nb> <dual-route-1[*]>\nipsec <stroke> <down-nb> <dual-route-2[*]>\n" +
			"rm <-f> <--> </etc/ipsec.d/dual-route.updown>\nip <link> <delete> <vticb00710a>\nip <link> <delete> <vticb00710b>\n",
		"libreswan": bgp + "rm <-f> <--> </etc/ipsec.d/dual-route.conf> </etc/ipsec.d/dual-route.secrets>\n" +
			"ipsec <whack> <--delete> <--name> <dual-route-1>\nipsec <whack> <--delete> <--name> <dual-route-2>\nipsec <secrets>\n" +
			"rm <-f> <--> </etc/ipsec.d/dual-route.updown>\nip <link> <delete> <vticb00710a>\nip <link> <delete> <vticb00710b>\n",
	} {
		_, script, _ := execute([]string{"peerconf", "render", "--remove", "--target", target, "--name", "dual-route", "testdata/dual-route.json"})
		sh := exec.Command("sh", "-s")
		sh.Stdin, sh.Env = strings.NewReader(script), []string{"PATH=" + bin + ":/usr/bin:/bin"}
		out, err := sh.CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", target, err, out, want)
		}
	}
}
