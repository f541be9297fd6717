package render

import (
	"testing"

	"peerconf/vpn"
)

// TestRoom builds the packet up from inside: the one that room names fits, and
// one byte more does not.
func TestRoom(t *testing.T) {
	size := func(inner int, t vpn.Tunnel) int {
		block := t.ESP.Encryption.Block()
		padded := (inner + 2 + block - 1) / block * block
		out := 20 + 8 + block + padded + t.ESP.Integrity.ICV()
		if t.NATT {
			out += 8
		}
		return out
	}
	for _, e := range vpn.Encryptions {
		for _, i := range vpn.Integrities {
			for path := 600; path <= 9000; path++ {
				tunnel := vpn.Tunnel{NATT: path%2 == 0, ESP: vpn.ESP{Encryption: e, Integrity: i}}
				if r := room(path, tunnel); size(r, tunnel) > path || size(r+1, tunnel) <= path {
					t.Fatalf("%s, %s, %d: room for %d", e, i, path, r)
				}
			}
		}
	}
	for _, i := range vpn.Integrities { // ip tcp adjust-mss takes 500 and more
		least := vpn.Tunnel{NATT: true, ESP: vpn.ESP{Encryption: vpn.AES256, Integrity: i}}
		if mss := room(700, least) - 40; !pathMTU.Form.MatchString("700") || pathMTU.Form.MatchString("699") || mss < 500 {
			t.Errorf("%s: an MSS of %d", i, mss)
		}
	}
	// What IOS shows as plaintext mtu of 1500.
	for _, known := range []struct {
		e    vpn.Encryption
		i    vpn.Integrity
		want int
	}{{vpn.AES256, vpn.SHA1, 1438}, {vpn.TripleDES, vpn.SHA1, 1446}} {
		if got := room(1500, vpn.Tunnel{ESP: vpn.ESP{Encryption: known.e, Integrity: known.i}}); got != known.want {
			t.Errorf("%s, %s: %d, want %d", known.e, known.i, got, known.want)
		}
	}
}
