package render

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"peerconf/vpn"
)

func benchConnection() vpn.Connection {
	day := vpn.Lifetime(24 * time.Hour)
	tunnel := func(n int, cloud string) vpn.Tunnel {
		return vpn.Tunnel{
			Number: n, PSK: vpn.NewSecret("key"), DPD: true, NATT: true,
			PeerAddress: vpn.Address{IP: netip.MustParseAddr("198.51.100.20")}, CloudAddress: vpn.Address{IP: netip.MustParseAddr(cloud)},
			PeerIdentity: vpn.Identity{Kind: vpn.IDIPv4, Value: "198.51.100.20"}, CloudIdentity: vpn.Identity{Kind: vpn.IDIPv4, Value: cloud},
			IKE: vpn.IKE{Version: vpn.IKEv2, Mode: vpn.Main, Encryption: vpn.AES256, Integrity: vpn.SHA256, Group: vpn.MODP2048, Lifetime: day},
			ESP: vpn.ESP{Encryption: vpn.AES256, Integrity: vpn.SHA256, PFS: vpn.MODP2048, Lifetime: day},
		}
	}
	return vpn.Connection{
		PeerSubnets:  []vpn.Subnet{{Prefix: netip.MustParsePrefix("192.168.0.0/24")}},
		CloudSubnets: []vpn.Subnet{{Prefix: netip.MustParsePrefix("10.0.0.0/16")}},
		Tunnels:      []vpn.Tunnel{tunnel(1, "203.0.113.1"), tunnel(2, "203.0.113.2")},
	}
}

func BenchmarkView(b *testing.B) {
	for _, d := range dialects {
		b.Run(d.Name, func(b *testing.B) {
			b.ReportAllocs()
			c := benchConnection()
			for b.Loop() {
				n := normalizer{target: Target{Dialect: d}, answers: newAnswers(nil, nil), conn: c}
				if _, problems := n.normalize(); problems != nil {
					b.Fatal(problems)
				}
			}
		})
	}
}

func BenchmarkPrint(b *testing.B) {
	for _, d := range dialects {
		b.Run(d.Name, func(b *testing.B) {
			b.ReportAllocs()
			r, err := New([]string{d.Name}, Options{})
			if err != nil {
				b.Fatal(err)
			}
			p := r.targets[0]
			n := normalizer{target: p.Target, answers: p.answers, conn: benchConnection()}
			view, _ := n.normalize()
			for b.Loop() {
				p.print(view)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for _, d := range dialects {
		b.Run(fmt.Sprint(d.Name), func(b *testing.B) {
			for b.Loop() {
				if _, err := New([]string{d.Name}, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
