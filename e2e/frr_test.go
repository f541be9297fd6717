//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
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

// frrOf is FRR's part of a golden, which has a connection's files one behind
// another.
func frrOf(t *testing.T, golden string) string {
	t.Helper()
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Split(string(text), "\n\n# Alibaba Cloud ") {
		if strings.Contains(file, ".frr.conf: for FRR") {
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
