package render

import (
	"regexp"
	"slices"
	"testing"

	"peerconf/vpn"
)

// TestPartNumbers: numbers count on through a run as if each device had both
// tunnels, whatever IKE version they have.
func TestPartNumbers(t *testing.T) {
	number := regexp.MustCompile(`(?m)^interface Tunnel\d+|^crypto (isakmp|ikev[12]) policy \d+|^set interfaces st0 unit \d+|^crypto map \S+ \d+`)
	for _, d := range []*Dialect{&ciscoIOS, &ciscoASA, &juniperSRX} {
		run, all := crowdAnswers(d, "100")
		own := func(c vpn.Connection) map[string]vpn.Given {
			out := all(c)
			delete(out, probeAddress.Name)
			return out
		}
		numbers := func(tunnel int) map[string][]string {
			out := map[string][]string{}
			r, err := New([]string{d.Name}, Options{Set: run, Own: own, Tunnel: tunnel})
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range crowd(d) { // with one tunnel of each IKE version where a device can
				if !c.Dual() {
					continue
				}
				if i%3 == 0 && c.RouteBased() && d != &ciscoASA {
					c.Tunnels = slices.Clone(c.Tunnels)
					c.Tunnels[0].IKE.Version = vpn.IKEv1 + vpn.IKEv2 - c.Tunnels[0].IKE.Version
				}
				files, _, err := r.Render(c)
				if err != nil {
					t.Fatal(err)
				}
				out[c.ID] = slices.Compact(slices.Sorted(slices.Values(number.FindAllString(string(files[0].Text), -1))))
			}
			return out
		}
		whole, first, second := numbers(0), numbers(1), numbers(2)
		for id, want := range whole {
			got := slices.Compact(slices.Sorted(slices.Values(slices.Concat(first[id], second[id]))))
			if len(want) == 0 || !slices.Equal(got, want) {
				t.Errorf("%s, %s: %q, want %q", d.Name, id, got, want)
			}
		}
		if len(whole) < 20 {
			t.Errorf("only %d connections", len(whole))
		}
	}
}
