//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFRR has FRR's own parser read what the program writes for it, and proves
// that it refuses what is wrong.
func TestFRR(t *testing.T) {
	goldens, err := filepath.Glob("../golden/*/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, golden := range goldens {
		text := frrOf(t, golden)
		if text == "" {
			continue
		}
		read++
		if out, err := vtysh(t, text); err != nil {
			t.Errorf("%s: %v\n%s", golden, err, out)
		}
		for right, wrong := range map[string]string{
			"remote-as": "remote-ass", "ebgp-multihop 10": "ebgp-multihop 256", "timers 10 30": "timers 10",
			" le 32": " le 33", "match ip address prefix-list": "match ip address list", "router bgp ": "router bgp AS",
		} {
			if !strings.Contains(text, right) {
				continue
			}
			if _, err := vtysh(t, strings.Replace(text, right, wrong, 1)); err == nil {
				t.Errorf("%s: vtysh takes %q", golden, wrong)
			}
		}
	}
	if read < 12 {
		t.Errorf("only %d configurations read", read)
	}
}

// withFRR runs what is for FRR beside another session that needs the same router
// bgp and networks, takes it off again, and shows what runs before and behind.
const withFRR = `
set -e
mount -t tmpfs none /run
install -d -o frr -g frr /run/frr
ip link set lo up
/usr/lib/frr/zebra -d -f /dev/null
/usr/lib/frr/bgpd -d -f /dev/null
shown() { vtysh -c 'show running-config'; }
vtysh -f "$1/other"
shown >"$1/before"
vtysh -f "$1/frr"
shown >"$1/between"
sh "$1/removal"
shown >"$1/behind"
`

// TestFRRRemoval has FRR take off what it was given, and nothing else.
func TestFRRRemoval(t *testing.T) {
	removals, err := filepath.Glob("../golden/removal/*/bgp-*.golden")
	if err != nil {
		t.Fatal(err)
	}
	removed := 0
	for _, removal := range removals {
		text := frrOf(t, strings.Replace(removal, "/removal/", "/", 1))
		if text == "" {
			continue
		}
		removed++
		script := strings.Join(linesOf(t, removal, "vtysh ", "status=", "["), "\n")
		if before, between, behind := aroundFRR(t, text, script); before != behind || before == between {
			t.Errorf("%s: before\n%s\nbetween\n%s\nbehind\n%s", removal, before, between, behind)
		}
	}
	if removed < 9 {
		t.Errorf("only %d removals", removed)
	}
	if before, _, behind := aroundFRR(t, frrOf(t, "../golden/strongswan/bgp-dual.golden"), "vtysh -c 'show version'"); before == behind {
		t.Error("what is left behind is not seen")
	}
}

// aroundFRR is FRR's configuration before a file, with it, and behind a removal.
func aroundFRR(t *testing.T, text, removal string) (before, between, behind string) {
	t.Helper()
	dir := t.TempDir()
	as := regexp.MustCompile(`(?m)^router bgp .*\n`).FindString(text)
	networks := regexp.MustCompile(`(?m)^  network .*\n`).FindAllString(text, -1)
	other := "ip prefix-list other permit 10.0.0.0/8\nroute-map other permit 10\n match ip address prefix-list other\nexit\n" +
		as + " neighbor 192.0.2.9 remote-as 64999\n address-family ipv4 unicast\n" + strings.Join(networks, "") +
		"  neighbor 192.0.2.9 route-map other in\n exit-address-family\nexit\n"
	for name, content := range map[string]string{"other": other, "frr": text, "removal": removal + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", withFRR, "sh", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return read("before"), read("between"), read("behind")
}

// linesOf are the lines of a golden that begin with one of some words.
func linesOf(t *testing.T, golden string, begin ...string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if slices.ContainsFunc(begin, func(b string) bool { return strings.HasPrefix(line, b) }) {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}

// frrOf is FRR's part of a golden, which has a connection's files one behind
// another.
func frrOf(t *testing.T, golden string) string {
	t.Helper()
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Split(string(text), "\n\n# Alibaba Cloud ") {
		if strings.Contains(file, ".frr: for FRR") {
			return "# Alibaba Cloud " + file
		}
	}
	return ""
}

func vtysh(t *testing.T, text string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "frr.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("vtysh", "-C", "-f", path).CombinedOutput()
	return string(out), err
}
