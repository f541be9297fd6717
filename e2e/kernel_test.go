//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each guest's kernel carries ESP, by policy and by its kind of tunnel interface.
func TestGuests(t *testing.T) {
	for _, kernel := range []string{"uml", "qemu"} {
		t.Run(kernel, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			out := t.TempDir()
			if err := runGuest(ctx, kernel, "^TestGuestKernel$", out, 0); err != nil {
				t.Fatalf("%v\n%s%s", err, contents(out, "console"), contents(out, "log"))
			}
		})
	}
}

// What goes wrong in a guest is an error out here.
func TestGuestFails(t *testing.T) {
	for name, c := range map[string]struct {
		run     string
		timeout time.Duration
		want    string
	}{
		"failed test": {"^TestGuests$", time.Minute, "tests ended with status 1"},
		"no test":     {"^NoSuchTest$", time.Minute, "no test of"},
		"timeout":     {"^TestGuestKernel$", time.Second / 2, "deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
			defer cancel()
			out := t.TempDir()
			err := runGuest(ctx, "uml", c.run, out, 0)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s\n%s%s", err, c.want, contents(out, "console"), contents(out, "log"))
			}
		})
	}
}

// TestGuestKernel is the part of [TestGuests] inside.
func TestGuestKernel(t *testing.T) {
	kernel := os.Getenv("E2E_GUEST")
	if kernel == "" {
		t.Skip("runs in a guest, see TestGuests")
	}
	device := map[string]tunnel{
		"uml":  {"link add tun0 type vti local %s remote %s key 42", "mark 42"},
		"qemu": {"link add tun0 type xfrm dev eth0 if_id 42", "if_id 42"},
	}[kernel]
	for name, c := range map[string]struct {
		tunnel tunnel
		key    string
		want   bool
	}{
		"policy":               {tunnel{}, "0x11", true},
		"policy, other key":    {tunnel{}, "0x22", false},
		"interface":            {device, "0x11", true},
		"interface, other key": {device, "0x22", false},
	} {
		t.Run(name, func(t *testing.T) {
			ip(t, "", "netns add a\nnetns add b\nlink add eth0 netns a type veth peer name eth0 netns b")
			defer ip(t, "", "netns del a\nnetns del b")
			ip(t, "a", c.tunnel.side(1, 2, "0x11"))
			ip(t, "b", c.tunnel.side(2, 1, c.key))
			out, err := exec.Command("ip", "netns", "exec", "a", "ping", "-n", "-c1", "-W1", "-I", "10.0.0.1", "10.0.0.2").CombinedOutput()
			if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || (err == nil) != c.want {
				t.Fatalf("ping: %v, want an answer: %t\n%s", err, c.want, out)
			}
		})
	}
}

// A tunnel is the command that adds its interface, and what ties policies to it.
type tunnel struct{ link, match string }

// side is what host me of 192.0.2.0/24 is told, to reach 10.0.0.peer by ESP from 10.0.0.me.
func (t tunnel) side(me, peer int, key string) string {
	local, remote := fmt.Sprintf("192.0.2.%d", me), fmt.Sprintf("192.0.2.%d", peer)
	inner, far := fmt.Sprintf("10.0.0.%d/32", me), fmt.Sprintf("10.0.0.%d/32", peer)
	lines := []string{"link set lo up", "link set eth0 up", "addr add " + local + "/24 dev eth0", "addr add " + inner + " dev lo"}
	if t.link == "" {
		lines = append(lines, "route add "+far+" via "+remote)
	} else {
		link := t.link
		if strings.Contains(link, "%") {
			link = fmt.Sprintf(link, local, remote)
		}
		lines = append(lines, link, "link set tun0 up", "route add "+far+" dev tun0")
	}
	for _, way := range []struct {
		dir, src, dst, from, to string
		spi                     int
	}{{"out", local, remote, inner, far, me}, {"in", remote, local, far, inner, peer}} {
		ends := "src " + way.src + " dst " + way.dst
		lines = append(lines,
			fmt.Sprintf("xfrm state add %s proto esp spi %d mode tunnel auth hmac(sha256) %s enc cbc(aes) %s %s", ends, 256+way.spi,
				key+strings.Repeat("00", 31), key+strings.Repeat("00", 15), t.match),
			fmt.Sprintf("xfrm policy add src %s dst %s dir %s %s tmpl %s proto esp mode tunnel", way.from, way.to, way.dir, t.match, ends))
	}
	return strings.Join(lines, "\n")
}

// ip runs ip's commands, one a line, in a network namespace, or in its own if netns is empty.
func ip(t *testing.T, netns, commands string) {
	t.Helper()
	args := []string{"-batch", "-"}
	if netns != "" {
		args = append(args, "-n", netns)
	}
	cmd := exec.Command("ip", args...)
	cmd.Stdin = strings.NewReader(commands)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ip in %q: %v\n%s%s", netns, err, out, commands)
	}
}

// contents is a file's, or nothing if there is none.
func contents(dir, name string) []byte {
	b, _ := os.ReadFile(filepath.Join(dir, name))
	return b
}
