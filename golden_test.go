package main

import (
	"bytes"
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sebdah/goldie/v2"

	"peerconf/render"
)

// answers are what an operator would give for each target.
var answers = map[string][]string{
	"cisco-ios":   {"outside-interface=GigabitEthernet1", "policy-number=10", "tunnel-number=1", "crypto-map=outside", "crypto-map-sequence=10", "probe-source=192.168.10.1", "sla-number=10", "track-number=20"},
	"cisco-asa":   {"outside-interface=outside", "inside-interface=inside", "policy-number=10", "tunnel-number=1", "tunnel-address.1=169.254.201.2", "tunnel-address.2=169.254.202.2", "crypto-map=outside_map", "crypto-map-sequence=10"},
	"juniper-srx": {"external-interface=ge-0/0/0.0", "st0-unit=1", "vpn-zone=vpn", "lan-zone=trust", "external-zone=untrust", "probe-source=192.168.10.1"},
}

// story is one connection, told by a reply or by a directory of them.
type story struct {
	name    string
	source  string
	options []string
	answers []string // for this story beside its target's
	bare    bool     // without the target's
	tunnel  string   // with --tunnel
	targets []string // that it is for, if not for all
	refused string   // the golden of its refusal, where another reply has the name's: a Download reply has no id
}

var stories = []story{
	{name: "documented-2018", source: "download-2018.json", options: []string{"--name", "documented-2018"}, refused: "documented-2018-download"},
	{name: "documented-2018", source: "download-2018.xml", options: []string{"--name", "documented-2018"}, refused: "documented-2018-download"},
	{name: "documented-2018", source: "describe-2018.json", options: []string{"--name", "documented-2018"}},
	{name: "unnamed", source: "download-2018.json"},
	{name: "documented-2019", source: "describe-2019.json"},
	{name: "documented-2019", source: "describe-2019.xml"},
	{name: "placeholders", source: "download-masked.xml", options: []string{"--placeholders"}, bare: true},
	{name: "placeholders-describe", source: "describe-masked.json", options: []string{"--placeholders"}, bare: true},
	{name: "placeholders-describe", source: "describe-masked.xml", options: []string{"--placeholders"}, bare: true},
	{name: "defaults", source: "defaults.json"},
	{name: "ikev1-route", source: "ikev1-route.xml"},
	{name: "ikev1-subnets", source: "ikev1-subnets.json"},
	{name: "ikev2-aggressive", source: "ikev2-aggressive.json"},
	{name: "ikev2-policy", source: "ikev2-policy.json"},
	{name: "ikev2-route", source: "ikev2-route.json"},
	{name: "ikev2-route-branch", source: "ikev2-route-branch.json"},
	{name: "ikev2-subnets", source: "ikev2-subnets.json"},
	{name: "pfs-off", source: "pfs-off.json"},
	{name: "pfs-differs", source: "pfs-differs.json"},
	{name: "pfs-differs-v2", source: "pfs-differs-v2.json"},
	{name: "lifetimes", source: "lifetimes.json"},
	{name: "sha2", source: "sha2.json"},
	{name: "weak", source: "weak.json"},
	{name: "hostile-key", source: "hostile-key.json"},
	{name: "off", source: "off.json"},
	{name: "name-zh", source: "name-zh.json"},
	{name: "name-long", source: "name-long.json"},
	{name: "fqdn-aggressive", source: "fqdn-aggressive"},
	{name: "fqdn-ikev2", source: "fqdn-ikev2"},
	{name: "nat", source: "nat"},
	{name: "identity-ipv6", source: "identity-ipv6.json"},
	{name: "identity-key-id", source: "identity-key-id.json", options: []string{"--set", "cloud-identity-type=key-id", "--set", "peer-identity-type=key-id"}},
	{name: "ikev2-far", source: "ikev2-far.json"},
	{name: "half-route", source: "half-route.json"},
	{name: "bgp-off", source: "bgp-off.json"},
	{name: "health-check", source: "health-check.json"},
	{name: "health-check-route", source: "health-check-route.json"},
	{name: "health-check-outside", source: "health-check-outside.json"},
	{name: "bgp-single", source: "bgp-single", answers: []string{"announce=192.168.10.0/24,192.168.20.5/32"}},
	{name: "bgp-single-accept", source: "bgp-single", answers: []string{"announce=none", "accept=10.0.0.0/8,172.16.0.1/32"}},
	{name: "bgp-key", source: "bgp-key", answers: []string{"announce=none"}},
	{name: "bgp-dual", source: "bgp-dual", answers: []string{"announce=192.168.10.0/24,172.16.0.0/12"}},
	{name: "bgp-dual-unanswered", source: "bgp-dual", bare: true},
	{name: "bgp-announce-wrong", source: "bgp-dual", answers: []string{"announce=192.168.10.1/24,100.64.0.0/16,10.0.0.0/8,10.0.0.0/8,0.0.0.0/0"}},
	{name: "standby-only", source: "standby-only"},
	{name: "dual-policy", source: "dual-policy"},
	{name: "dual-subnets", source: "dual-subnets.json"},
	{name: "dual-route", source: "dual-route.json", options: []string{"--name", "dual-route"}},
	{name: "dual-route", source: "download-dual-route.json", options: []string{"--name", "dual-route"}},
	{name: "dual-static", source: "dual-static.json"},
	{name: "routes", source: "ikev2-route.json", answers: []string{"cloud-routes=10.0.0.0/8"}},
	{name: "routes-ikev1", source: "ikev1-route.xml", answers: []string{"cloud-routes=10.0.0.0/8,100.64.0.0/10"}},
	{name: "routes-dual", source: "dual-static.json", answers: []string{"cloud-routes=10.0.0.0/8,172.16.0.0/12"}},
	{name: "probe", source: "dual-static.json", answers: []string{"cloud-routes=10.0.0.0/8,172.16.0.0/12", "probe-address=10.0.0.10"}},
	{name: "probe-unanswered", source: "dual-static.json", bare: true, answers: []string{"cloud-routes=10.0.0.0/8", "probe-address=10.0.0.10"}, targets: probing},
	{name: "probe-outside", source: "dual-static.json", answers: []string{"cloud-routes=10.0.0.0/8", "probe-address=192.0.2.1"}, targets: probing},
	{name: "probe-itself", source: "dual-static.json", answers: []string{"cloud-routes=10.0.0.0/8,172.16.0.1/32", "probe-address=172.16.0.1"}, targets: probing},
	{name: "probe-unrouted", source: "dual-static.json", answers: []string{"probe-address=10.0.0.10"}, targets: probing},
	{name: "routes-wrong", source: "dual-static.json", answers: []string{"cloud-routes=10.0.0.1/8,0.0.0.0/0,203.0.113.11/32,172.16.0.0/12,172.16.0.0/12,10.0.0.0/33"}},
	{name: "mode-route", source: "ikev2-subnets.json", answers: []string{"mode=route"}},
	{name: "mode-route-ikev1", source: "ikev1-subnets.json", answers: []string{"mode=route"}},
	{name: "mode-route-half", source: "half-route.json", answers: []string{"mode=route", "cloud-routes=10.0.0.0/8"}},
	{name: "mode-route-dual", source: "dual-policy", answers: []string{"mode=route"}},
	{name: "mode-route-dual-ikev1", source: "dual-subnets.json", answers: []string{"mode=route"}},
	{name: "mode-policy", source: "ikev2-policy.json", answers: []string{"mode=policy"}},
	{name: "mode-policy-dual", source: "dual-policy", answers: []string{"mode=policy"}},
	{name: "mode-policy-for-all", source: "ikev2-route.json", answers: []string{"mode=policy"}},
	{name: "ipsec-interface", source: "half-route.json", answers: []string{"mode=route", "cloud-routes=10.0.0.0/8", "ipsec-interface=7"}, targets: []string{"libreswan"}},
	{name: "ipsec-interface-bgp", source: "bgp-single", answers: []string{"announce=none", "ipsec-interface=7"}, targets: []string{"libreswan"}},
	{name: "ipsec-interface-dual", source: "dual-policy", answers: []string{"ipsec-interface=7"}, targets: []string{"libreswan"}},
	{name: "routes-nat", source: "nat-route.json", answers: []string{"cloud-routes=10.0.0.0/8"}},
	{name: "routes-dual-nat", source: "dual-nat.json", answers: []string{"cloud-routes=10.0.0.0/8"}},
	{name: "routes-two-peers", source: "dual-two-peers", answers: []string{"cloud-routes=10.0.0.0/8"}},
	{name: "routes-device-1", source: "dual-two-peers", tunnel: "1", answers: []string{"cloud-routes=10.0.0.0/8"}},
	{name: "routes-device-2", source: "dual-two-peers", tunnel: "2", answers: []string{"cloud-routes=10.0.0.0/8"}},
	{name: "policy-device-2", source: "dual-policy", tunnel: "2"},
	{name: "standby-only-device-2", source: "standby-only", tunnel: "2"},
	{name: "bgp-nat", source: "nat-bgp.json", answers: []string{"announce=192.168.10.0/24"}},
	{name: "bgp-dual-nat", source: "bgp-dual-nat.json", answers: []string{"announce=192.168.10.0/24"}},
	{name: "bgp-two-peers", source: "bgp-two-peers.json", answers: []string{"announce=192.168.10.0/24"}},
	{name: "bgp-device-2", source: "bgp-two-peers.json", tunnel: "2", answers: []string{"announce=192.168.10.0/24"}},
	{name: "dual-cen", source: "dual-cen.json"},
	{name: "dual-route-one-identity", source: "dual-route-one-identity.json"},
	{name: "dual-top-level", source: "dual-top-level.json"},
	{name: "dual-two-peers", source: "dual-two-peers"},
	{name: "dual-one-identity", source: "dual-one-identity.json"},
	{name: "dual-two-keys", source: "dual-two-keys.json"},
	{name: "dual-unlike", source: "dual-unlike.json"},
}

// probing are the targets that a probe is written for.
var probing = []string{"cisco-ios", "juniper-srx"}

func (s story) args(command string, more ...string) []string {
	args := append([]string{"peerconf", command}, more...)
	return append(append(args, s.options...), filepath.Join("testdata", s.source))
}

// execute runs the program and returns what it prints.
func execute(args []string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func golden(t *testing.T) *goldie.Goldie {
	return goldie.New(t, goldie.WithFixtureDir("golden"), goldie.WithNameSuffix(".golden"))
}

// TestGolden pins what every target makes of every story: a configuration, or
// under bad/ a refusal.
func TestGolden(t *testing.T) {
	for _, s := range stories {
		for _, target := range render.Names() {
			if s.targets != nil && !slices.Contains(s.targets, target) {
				continue
			}
			t.Run(s.source+"/"+target, func(t *testing.T) {
				code, stdout, stderr := execute(s.answered(target))
				if code == exitDone {
					golden(t).Assert(t, target+"/"+s.name, []byte(stdout))
					return
				}
				if stdout != "" {
					t.Errorf("refused, and yet it printed:\n%s", stdout)
				}
				golden(t).Assert(t, "bad/"+target+"/"+cmp.Or(s.refused, s.name), []byte(stderr))
			})
		}
	}
}

// TestModel pins what is understood of every story.
func TestModel(t *testing.T) {
	for _, s := range stories {
		t.Run(s.source, func(t *testing.T) {
			code, stdout, stderr := execute(s.args("show", "--json"))
			if code != exitDone {
				t.Fatal(stderr)
			}
			golden(t).Assert(t, "model/"+strings.ReplaceAll(s.source, ".", "-"), []byte(stdout))
		})
	}
}

// TestShow pins the drawing of every source, and its flowchart.
func TestShow(t *testing.T) {
	for i, s := range stories {
		if slices.ContainsFunc(stories[:i], func(earlier story) bool { return earlier.source == s.source }) {
			continue // under another name
		}
		for dir, format := range shownAs {
			t.Run(s.source+"/"+format, func(t *testing.T) {
				code, stdout, stderr := execute(s.args("show", "--format", format))
				if code != exitDone {
					t.Fatal(stderr)
				}
				golden(t).Assert(t, dir+"/"+strings.ReplaceAll(s.source, ".", "-"), []byte(stdout))
			})
		}
	}
}

var shownAs = map[string]string{"show": "text", "mermaid": "mermaid"}

// TestBad pins the refusal of each input under testdata/bad and of masked ones.
func TestBad(t *testing.T) {
	for _, path := range append(inputs(t, "testdata/bad"), "testdata/download-masked.json", "testdata/describe-masked.xml") {
		t.Run(path, func(t *testing.T) {
			code, stdout, stderr := execute([]string{"peerconf", "render", "--target", "strongswan", path})
			if code != exitTrouble || stdout != "" {
				t.Fatalf("exit code %d, stdout:\n%s", code, stdout)
			}
			if strings.Contains(stderr, "hidden-key") || strings.Contains(stderr, "S3cret") {
				t.Fatal("the message holds a key")
			}
			golden(t).Assert(t, "bad/"+strings.ReplaceAll(filepath.Base(path), ".", "-"), []byte(stderr))
		})
	}
}

// TestTargets pins each target's words, limits and answers.
func TestTargets(t *testing.T) {
	_, stdout, _ := execute([]string{"peerconf", "targets"})
	golden(t).Assert(t, "targets/all", []byte(stdout))
	for _, target := range append(render.Names(), "cisco-ios@17.12", "cisco-asa@9.16", "juniper-srx@21.4R3") {
		_, stdout, _ := execute([]string{"peerconf", "targets", target})
		golden(t).Assert(t, "targets/"+target, []byte(stdout))
	}
}

// TestClaimed fails for a golden that no test reads and an input no test uses.
func TestClaimed(t *testing.T) {
	claimed := map[string]bool{"targets/all": true, "targets/cisco-ios@17.12": true, "targets/cisco-asa@9.16": true, "targets/juniper-srx@21.4R3": true}
	used := map[string]bool{}
	for _, target := range render.Names() {
		claimed["targets/"+target] = true
		for _, s := range stories {
			claimed[target+"/"+s.name] = true
			claimed["bad/"+target+"/"+cmp.Or(s.refused, s.name)] = true
			claimed["removal/"+target+"/"+s.name] = slices.Contains(removed, s.name)
		}
	}
	for _, s := range stories {
		claimed["hierarchical/"+s.name] = slices.Contains(braced, s.name)
		for _, dir := range []string{"model", "show", "mermaid"} {
			claimed[dir+"/"+strings.ReplaceAll(s.source, ".", "-")] = true
		}
		used[s.source] = true
	}
	for _, path := range append(inputs(t, "testdata/bad"), "download-masked.json", "describe-masked.xml") {
		claimed["bad/"+strings.ReplaceAll(filepath.Base(path), ".", "-")] = true
		used[filepath.Base(path)] = true
	}
	for _, target := range render.Names() {
		for _, s := range stories {
			if exists("golden/"+target+"/"+s.name+".golden") && exists("golden/bad/"+target+"/"+s.name+".golden") {
				t.Errorf("%s of %s is golden both as text and as refusal", s.name, target)
			}
		}
	}
	err := filepath.WalkDir("golden", func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "golden/"), ".golden")
		if err == nil && !d.IsDir() && !claimed[name] {
			t.Errorf("%s belongs to no test", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range inputs(t, "testdata") {
		name := filepath.Base(path)
		if !used[name] && !slices.Contains([]string{"bad", "script", "api"}, name) {
			t.Errorf("%s is no story's", path)
		}
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func inputs(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, filepath.Join(dir, e.Name()))
	}
	return out
}
