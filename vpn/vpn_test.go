package vpn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"unicode"
)

// TestSecret prints a key in every way Go has, inside what holds it.
func TestSecret(t *testing.T) {
	const key = "pgw6dy7d1i8in7x5"
	c := Connection{Tunnels: []Tunnel{{PSK: NewSecret(key)}}}
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{c, &c, c.Tunnels, c.Tunnels[0].PSK, &c.Tunnels[0].PSK} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "connection", c, "key", c.Tunnels[0].PSK)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "connection", c, "key", c.Tunnels[0].PSK)
	for _, text := range append(printed, string(asJSON), log.String(), fmt.Errorf("%w: %v", Problem{}, c).Error()) {
		if strings.Contains(text, key) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", key)) {
			t.Errorf("a key in %s", text)
		}
	}
	if NewSecret(key).Reveal() != key {
		t.Error("Reveal does not")
	}
}

// TestTransforms holds the numbers to IANA's ikev2-parameters.
func TestTransforms(t *testing.T) {
	for e, want := range map[Encryption][2]int{DES: {2, 56}, TripleDES: {3, 168}, AES128: {12, 128}, AES192: {12, 192}, AES256: {12, 256}} {
		if id, bits := e.Transform(); int(id) != want[0] || bits != want[1] {
			t.Errorf("%s: %d, %d bits", e, id, bits)
		}
	}
	for i, want := range map[Integrity]uint16{MD5: 1, SHA1: 2, SHA256: 12, SHA384: 13, SHA512: 14} {
		if i.Transform() != want {
			t.Errorf("%s: %d", i, i.Transform())
		}
	}
	if MODP768 != 1 || MODP1024 != 2 || MODP1536 != 5 || MODP2048 != 14 || MODP2048256 != 24 {
		t.Error("a group's value is not its number")
	}
}

// TestRouteBased tells destination routing from protected data flows.
func TestRouteBased(t *testing.T) {
	subnets := func(s ...string) (out []Subnet) {
		for _, p := range s {
			out = append(out, Subnet{Prefix: netip.MustParsePrefix(p)})
		}
		return out
	}
	for _, c := range []struct {
		peer, cloud []Subnet
		want        bool
	}{
		{subnets("0.0.0.0/0"), subnets("0.0.0.0/0"), true},
		{subnets("0.0.0.0/0"), subnets("10.0.0.0/8"), false},
		{subnets("10.0.0.0/8"), subnets("0.0.0.0/0"), false},
		{[]Subnet{{Word: "REPLACE-peer-subnet-1"}}, subnets("0.0.0.0/0"), false},
	} {
		if got := (Connection{PeerSubnets: c.peer, CloudSubnets: c.cloud}).RouteBased(); got != c.want {
			t.Errorf("%v, %v: %v", c.peer, c.cloud, got)
		}
	}
}

// TestProblem pins how a refusal reads.
func TestProblem(t *testing.T) {
	for want, p := range map[string]Problem{
		`a.json, connection vco-1, tunnel 2: IkePfs "group2": libreswan: why`: {Source: "a.json", Connection: "vco-1", Tunnel: 2, Field: "IkePfs", Value: "group2", Target: "libreswan", Reason: "why"},
		`Psk: why`: {Field: "Psk", Reason: "why"},
		`why`:      {Reason: "why"},
	} {
		if p.Error() != want {
			t.Errorf("%q, want %q", p.Error(), want)
		}
	}
	if (Problems{}).OrNil() != nil {
		t.Error("no problems are an error")
	}
}

// FuzzPrintable holds other people's text to its line, and plain text to
// itself.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"vco-1", "连接 1", "a\nb", "\x1b[2J", "\u202e", "\u2028", "\u0085", "\xff", "'\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Printable(s)
		plain := true
		for _, r := range s {
			plain = plain && unicode.IsPrint(r)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q becomes %q", s, got)
			}
		}
		if plain && got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}
