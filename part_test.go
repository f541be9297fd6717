package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"peerconf/render"
)

// TestPart holds what --tunnel 1 and --tunnel 2 write to what is written
// without: together the same lines, but for names, which both tunnels share
// where they are on one device.
func TestPart(t *testing.T) {
	halved := []string{"dual-static", "dual-cen", "routes-dual", "routes-dual-nat", "bgp-dual"}
	for _, s := range stories {
		for _, target := range render.Names() {
			if !slices.Contains(halved, s.name) {
				continue
			}
			var said [3][]string
			for i, tunnel := range []string{"", "1", "2"} {
				s.tunnel = tunnel
				code, stdout, stderr := execute(s.answered(target))
				if code != exitDone {
					t.Fatal(stderr)
				}
				said[i] = configured(stdout)
			}
			whole, halves := said[0], slices.Concat(said[1], said[2])
			for _, l := range slices.Concat(whole, halves) {
				if slices.Contains(whole, l) != slices.Contains(halves, l) {
					t.Errorf("%s, %s: %q: of the whole %t, of a half %t", s.name, target, l, slices.Contains(whole, l), slices.Contains(halves, l))
				}
			}
			if len(said[1]) == 0 || slices.Equal(said[1], said[2]) {
				t.Errorf("%s, %s: the halves are alike", s.name, target)
			}
		}
	}
}

var ofTunnel = regexp.MustCompile(`(vco-[a-z0-9]+)-[12]\b`)

// configured are the lines that are no comments, names without their tunnel.
func configured(text string) (out []string) {
	for _, l := range strings.Split(text, "\n") {
		if l != "" && l[0] != '!' && l[0] != '#' {
			out = append(out, ofTunnel.ReplaceAllString(l, "$1"))
		}
	}
	return out
}

// TestPartRefused: what is refused of one device is not, of two.
func TestPartRefused(t *testing.T) {
	for _, c := range []struct {
		args string
		want string // "" for none
	}{
		{"testdata/bad/bgp-two-asns.json", "one device has one AS number"},
		{"--tunnel 1 testdata/bad/bgp-two-asns.json", ""},
		{"--tunnel 2 testdata/bad/bgp-two-asns.json", ""},
		{"testdata/dual-two-keys.json", "one identity but two keys"},
		{"--tunnel 2 testdata/dual-two-keys.json", ""},
		{"--tunnel 1 testdata/ikev2-route.json", ""},
		{"--tunnel 2 testdata/ikev2-route.json", `--tunnel "2": the connection has one tunnel`},
		{"--tunnel 1 testdata/standby-only", `--tunnel "1": the reply lists the other tunnel only`},
		{"--tunnel 0 testdata/dual-static.json", `--tunnel "0": no such tunnel`},
		{"--tunnel 2 --remove testdata/ikev2-route.json", "the connection has one tunnel"},
		{"--tunnel 1 --target cisco-ios --set cloud-routes=10.0.0.0/8 --set probe-address=10.0.0.10 testdata/dual-static.json", "--tunnel writes one"},
		{"--tunnel 1 --target cisco-ios --set cloud-routes=10.0.0.0/8 --set probe-address=none testdata/dual-static.json", ""},
	} {
		args := strings.Fields(c.args)
		if !strings.Contains(c.args, "--target") {
			args = append([]string{"--target", "strongswan"}, args...)
		}
		code, stdout, stderr := execute(append([]string{"peerconf", "render"}, args...))
		if (code == exitDone) != (c.want == "") || !strings.Contains(stderr, c.want) || (stdout == "") != (code != exitDone) {
			t.Errorf("%s: %d, %s", c.args, code, stderr)
		}
	}
}

// TestUplinks: one device with two addresses needs an interface for each.
func TestUplinks(t *testing.T) {
	for _, c := range []struct {
		args string
		want bool
	}{
		{"--set outside-interface=Gi1", true},
		{"--set outside-interface.1=Gi1 --set outside-interface.2=Gi2", false},
		{"--set outside-interface=Gi1 --tunnel 1", false},
		{"--set outside-interface=Gi1 --remove", false},
	} {
		_, stdout, _ := execute(append([]string{"peerconf", "render", "--target", "cisco-ios"}, append(strings.Fields(c.args), "testdata/dual-two-peers")...))
		if stdout == "" || strings.Contains(stdout, "both leave by Gi1") != c.want {
			t.Errorf("%s:\n%s", c.args, stdout)
		}
	}
}
