package fetch_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"peerconf/fetch"
	"peerconf/render"
	"peerconf/vpn"
)

var sizes = []int{1, 100, 10_000}

// many makes a DescribeVpnConnections reply of n connections of two tunnels.
func many(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"VpnConnections":{"VpnConnection":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"VpnConnectionId":"vco-bench%07d","Name":"bench %d","VpnGatewayId":"vpn-bench","CustomerGatewayId":"cgw-bench","CreateTime":1732000000000,
"LocalSubnet":"10.0.0.0/16","RemoteSubnet":"192.168.0.0/24","EffectImmediately":false,"Status":"ipsec_sa_established","EnableDpd":true,"EnableNatTraversal":true,"Spec":"1000M",
"VcoHealthCheck":{"Enable":"false","Dip":"","Sip":"","Interval":0,"Retry":0},"TunnelOptionsSpecification":{"TunnelOptions":[`, i, i)
		for tunnel, role := range []string{"master", "slave"} {
			if tunnel > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"TunnelId":"tun-%d-%d","Role":%q,"ZoneNo":"zone-a","State":"active","Status":"ipsec_sa_established","InternetIp":"203.%d.%d.%d","CustomerGatewayId":"cgw-bench","EnableDpd":"true","EnableNatTraversal":"true",
"TunnelIkeConfig":{"IkeVersion":"ikev2","IkeMode":"main","IkeEncAlg":"aes256","IkeAuthAlg":"sha256","IkePfs":"group14","IkeLifetime":"86400","LocalId":"203.%d.%d.%d","RemoteId":"198.51.100.20","Psk":"key-%d-%d"},
"TunnelIpsecConfig":{"IpsecEncAlg":"aes256","IpsecAuthAlg":"sha256","IpsecPfs":"group14","IpsecLifetime":"86400"},
"TunnelBgpConfig":{"LocalAsn":"","LocalBgpIp":"","PeerAsn":"","PeerBgpIp":"","TunnelCidr":"","BgpStatus":""}}`, i, tunnel, role, i/200, i%200, tunnel+1, i/200, i%200, tunnel+1, i, tunnel)
		}
		b.WriteString(`]}}`)
	}
	fmt.Fprintf(&b, `]},"TotalCount":%d,"PageNumber":1,"PageSize":50}`, n)
	return b.Bytes()
}

func source(b []byte) []fetch.Source {
	return []fetch.Source{{Name: "bench", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}}
}

func BenchmarkUnmarshal(b *testing.B) {
	for _, n := range sizes {
		data := many(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if got, err := fetch.UnmarshalDescribe(data); err != nil || got != n {
					b.Fatal(got, err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range sizes {
		data := many(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				decodeAll(b, data, n, func(vpn.Connection) {})
			}
		})
	}
}

// BenchmarkWhole goes from the reply's bytes to the text of a target, and
// reports its time as a multiple of encoding/json's for the same bytes.
func BenchmarkWhole(b *testing.B) {
	for _, target := range render.Names() {
		for _, n := range sizes {
			data := many(n)
			b.Run(fmt.Sprintf("%s/%d", target, n), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				var text int
				for b.Loop() {
					r, err := render.New([]string{target}, render.Options{})
					if err != nil {
						b.Fatal(err)
					}
					decodeAll(b, data, n, func(c vpn.Connection) {
						out, _, err := r.Render(c)
						if err != nil {
							b.Fatal(err)
						}
						text += len(out[0].Text)
					})
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(unmarshalTime(b, data)), "x/json.Unmarshal")
			})
		}
	}
}

// unmarshalTime is encoding/json's time for the data, the best of some runs.
func unmarshalTime(b *testing.B, data []byte) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range 5 {
		start := time.Now()
		if _, err := fetch.UnmarshalDescribe(data); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	return best
}

func decodeAll(t testing.TB, data []byte, want int, f func(vpn.Connection)) {
	got := 0
	for c, err := range fetch.Read(source(data), fetch.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		got++
		f(c)
	}
	if got != want {
		t.Fatalf("%d connections of %d", got, want)
	}
}

// TestConstantMemory streams ten thousand connections, read alone and rendered
// too, and looks how much is held near the first and near the last.
func TestConstantMemory(t *testing.T) {
	data := many(10_000)
	if grown := growth(t, data, func(vpn.Connection) {}); grown > 1<<20 {
		t.Errorf("reading holds %d bytes more at connection 9,900 than at 100", grown)
	}
	r, err := render.New([]string{"strongswan"}, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	grown := growth(t, data, func(c vpn.Connection) {
		if _, _, err := r.Render(c); err != nil {
			t.Fatal(err)
		}
	})
	if grown > 2<<20 { // sums of the names and addresses taken; the text is thirty times that
		t.Errorf("rendering holds %d bytes more at connection 9,900 than at 100", grown)
	}
}

// growth is how many more bytes are held at connection 9,900 than at 100.
func growth(t *testing.T, data []byte, use func(vpn.Connection)) int64 {
	held := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var count int
	var early, late int64
	decodeAll(t, data, 10_000, func(c vpn.Connection) {
		use(c)
		switch count++; count {
		case 100:
			early = held()
		case 9_900:
			late = held()
		}
	})
	return late - early
}
