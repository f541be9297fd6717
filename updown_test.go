package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ipSays stands for ip(8): it tells what it is given, and what SAs there are.
const ipSays = `#!/bin/sh
case "$*" in
*"xfrm state"*) cat "$STATE" ;;
*-batch*) sed 's/^/ip /' >>"$TOLD" ;;
*) echo "ip $*" >>"$TOLD" ;;
esac
`

// An SA towards the cloud as ip(8) of iproute2 6.1 shows it: what is asked for
// has no SPI yet.
const (
	asked  = "src 198.51.100.20 dst 203.0.113.10\n\tproto esp spi 0x00000000 reqid 1 mode tunnel\n\tMARK \n"
	sends  = "src 198.51.100.20 dst 203.0.113.10\n\tproto esp spi 0xc0ab7399 reqid 1 mode tunnel\n\treplay-window 0 flag af-unspec\n\tMARK \n"
	others = "src 198.51.100.20 dst 203.0.113.10\n\tproto esp spi 0xc0ab7399 reqid 1 mode tunnel\n\tMARK0 \n"
)

// TestUpdown runs the scripts as strongSwan would, with an ip(8) that tells what
// it is given: a tunnel's routes go when its last SA goes, and no earlier.
func TestUpdown(t *testing.T) {
	const closed = "ip route replace unreachable 10.0.0.0/8 metric 4000\n"
	up := map[string]string{
		"strongswan":       closed + "ip link add xfrmcb00710a type xfrm if_id 3405803786\nip link set xfrmcb00710a mtu 1400 up\nip route replace 10.0.0.0/8 dev xfrmcb00710a metric 100\n",
		"strongswan-ipsec": closed + "ip link add vticb00710a type vti remote 203.0.113.10 key 3405803786\nip link set vticb00710a mtu 1400 up\nip route replace 10.0.0.0/8 dev vticb00710a metric 100\n",
	}
	down := map[string]string{
		"strongswan":       "ip route delete 10.0.0.0/8 dev xfrmcb00710a metric 100\n",
		"strongswan-ipsec": "ip route delete 10.0.0.0/8 dev vticb00710a metric 100\n",
	}
	mark := map[string]string{"strongswan": "if_id 0xcb00710a", "strongswan-ipsec": "mark 0xcb00710a/0xffffffff"}
	for target := range up {
		dir := t.TempDir()
		if code, _, stderr := execute([]string{"peerconf", "render", "--target", target, "--name", "n", "--set", "cloud-routes=10.0.0.0/8", "-o", dir + "/", "testdata/dual-static.json"}); code != exitDone {
			t.Fatal(stderr)
		}
		script, err := os.ReadFile(filepath.Join(dir, "n.updown"))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ name, tunnel, verb, state, want string }{
			{"by hand", "", "", "", closed},
			{"up", "1", "up-client", "", up[target]},
			{"the last SA goes", "1", "down-client", "", down[target]},
			{"another is asked for", "1", "down-client", asked, down[target]},
			{"another stays", "1", "down-client", asked + sends, ""},
			{"another tunnel's stays", "1", "down-client", others, down[target]},
		} {
			told := filepath.Join(dir, "told")
			for name, text := range map[string]string{
				"ip": ipSays, "sleep": "#!/bin/sh\n", "told": "", "state": strings.ReplaceAll(c.state, "MARK", mark[target]),
				"script": strings.Replace(string(script), "PATH=", "PATH="+dir+":", 1),
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("sh", filepath.Join(dir, "script"), c.tunnel)
			cmd.Env = []string{"PLUTO_VERB=" + c.verb, "TOLD=" + told, "STATE=" + filepath.Join(dir, "state")}
			cmd.Run() // there is no such interface to set up
			got := ""
			for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && (got == "" || got != c.want); time.Sleep(20 * time.Millisecond) {
				b, _ := os.ReadFile(told)
				got = string(b)
				if c.want == "" && time.Until(end) < 4500*time.Millisecond {
					break
				}
			}
			if got != c.want {
				t.Errorf("%s, %s: told\n%swant\n%s", target, c.name, got, c.want)
			}
		}
	}
}

// TestUpdownAddress wants the inside address once more when the interface is up,
// as zebra of FRR 8 forgets one that it hears of before the interface.
func TestUpdownAddress(t *testing.T) {
	for _, target := range []string{"strongswan", "strongswan-ipsec", "libreswan"} {
		dir := t.TempDir()
		if code, _, stderr := execute([]string{"peerconf", "render", "--target", target, "--name", "n", "--set", "announce=192.168.10.0/24", "-o", dir + "/", "testdata/bgp-dual"}); code != exitDone {
			t.Fatal(stderr)
		}
		script, err := os.ReadFile(filepath.Join(dir, "n.updown"))
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"ip": ipSays, "ipsec": "#!/bin/sh\n", "script": strings.Replace(string(script), "PATH=", "PATH="+dir+":", 1),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		told := filepath.Join(dir, "told")
		cmd := exec.Command("sh", filepath.Join(dir, "script"), "2")
		cmd.Env = []string{"PLUTO_VERB=up-client", "TOLD=" + told}
		cmd.Run() // there is no such interface to set up
		got, _ := os.ReadFile(told)
		_, behind, up := strings.Cut(string(got), " mtu 1400 up\n")
		if !up || !strings.HasPrefix(behind, "ip addr replace 169.254.12.2/30 dev ") {
			t.Errorf("%s: told\n%s", target, got)
		}
	}
}
