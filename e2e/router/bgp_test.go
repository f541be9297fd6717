package router

import (
	"reflect"
	"strings"
	"testing"
)

// readers are the devices with BGP of their own, and what binds a session there.
var readers = map[string][2]string{
	"cisco-ios": {"Tunnel1", "Tunnel2"}, "cisco-asa": {}, "juniper-srx": {"169.254.11.2", "169.254.12.2"},
}

func TestReadBGP(t *testing.T) {
	for dialect, from := range readers {
		first := Session{ASN: 65001, CloudASN: 45104, CloudAddress: "169.254.11.1", From: from[0], Hold: 30, Hops: 10,
			Takes: []string{"not 0.0.0.0/0", "0.0.0.0/0 le 32"}, Announces: []string{"192.168.10.0/24", "172.16.0.0/12"}, LocalPreference: 100}
		second := first
		second.CloudAddress, second.From, second.LocalPreference, second.Prepend = "169.254.12.1", from[1], 90, "65001 65001"
		single := first
		single.ASN, single.Key, single.Announces = 65546, "S3cret-bgp$key", []string{"192.168.10.0/24", "192.168.20.5/32"}
		for file, want := range map[string][]Session{"bgp-dual": {first, second}, "bgp-single": {single}} {
			got, err := ReadBGP(dialect, read(t, "../../golden/"+dialect+"/"+file+".golden"))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: %+v, %v, not %+v", dialect, file, got, err, want)
			}
		}
	}
}

// TestEveryLineOfBGP takes out one line of BGP after the other, and wants each
// to be missed.
func TestEveryLineOfBGP(t *testing.T) {
	for dialect := range readers {
		lines := strings.SplitAfter(read(t, "../../golden/"+dialect+"/bgp-dual.golden"), "\n")
		want, err := ReadBGP(dialect, strings.Join(lines, ""))
		if err != nil {
			t.Fatal(err)
		}
		missed := 0
		for i, line := range lines {
			words := strings.Join(strings.Fields(line), " ")
			if !strings.HasPrefix(words, "neighbor ") && !strings.HasPrefix(words, "no neighbor ") && !strings.HasPrefix(words, "network ") &&
				!strings.Contains(words, "prefix-list ") && !strings.HasPrefix(words, "set local-") && !strings.HasPrefix(words, "set as-path ") &&
				!strings.HasPrefix(words, "set protocols bgp ") && !strings.HasPrefix(words, "set policy-options ") {
				continue
			}
			got, err := ReadBGP(dialect, strings.Join(append(append([]string(nil), lines[:i]...), lines[i+1:]...), ""))
			idle := strings.HasPrefix(words, "neighbor ") && strings.HasSuffix(words, " shutdown") || strings.HasSuffix(words, "-in term others then reject")
			if missed++; err == nil && reflect.DeepEqual(got, want) && !idle {
				t.Errorf("%s reads the same without %q", dialect, words)
			}
		}
		if missed < 20 {
			t.Errorf("%s: only %d lines", dialect, missed)
		}
	}
}
