package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"peerconf/fetch/apitest"
	"peerconf/vpn"
)

// understand reads replies from one text.
func understand(t *testing.T, replies ...any) (all []vpn.Connection, err error) {
	t.Helper()
	text, e := json.Marshal(replies)
	if e != nil {
		t.Fatal(e)
	}
	source := Source{"saved.json", func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }}
	for c, e := range Read([]Source{source}, Options{}) {
		if e != nil {
			return nil, e
		}
		all = append(all, c)
	}
	return all, nil
}

func recordOf(c *apitest.Connection) map[string]any {
	return map[string]any{"DescribeVpnConnection": c.Describe, "DownloadVpnConnectionConfig": map[string]any{"VpnConnectionConfig": c.Download}}
}

var unexported = cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmp.AllowUnexported(vpn.Secret{})}

// TestRecordSaysWhatItsPartsSay: with the gateways beside it, a record is the
// connection that its Describe reply is by itself.
func TestRecordSaysWhatItsPartsSay(t *testing.T) {
	connections, gateways := apitest.Connections(10)
	for _, c := range connections {
		cgw, vgw := gateways[c.Describe["CustomerGatewayId"].(string)], gateways[c.Describe["VpnGatewayId"].(string)]
		alone, err := understand(t, cgw, vgw, c.Describe)
		if err != nil {
			t.Fatal(err)
		}
		record, err := understand(t, cgw, vgw, recordOf(c))
		if diff := cmp.Diff(alone, record, unexported); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", c.ID, err, diff)
		}
		wrapped := recordOf(c)
		wrapped["DescribeVpnConnection"] = map[string]any{"VpnConnections": map[string]any{"VpnConnection": []any{c.Describe}}}
		if record, err = understand(t, wrapped, cgw, vgw); cmp.Diff(alone, record, unexported) != "" || err != nil {
			t.Errorf("%s: wrapped: %v", c.ID, err)
		}
	}
}

// TestRecordIsCompletedByItsDownload: identities are names, no gateway reply
// is at hand, and the Describe reply leaves words out.
func TestRecordIsCompletedByItsDownload(t *testing.T) {
	connections, _ := apitest.Connections(5)
	for _, c := range connections {
		change(c.Describe, "cloud.example", "LocalId")
		change(c.Describe, "peer.example", "RemoteId")
		change(c.Download, "cloud.example", "RemoteId")
		change(c.Download, "peer.example", "LocalId")
		change(c.Describe, "", "IkeEncAlg", "Psk", "InternetIp")
		all, err := understand(t, recordOf(c))
		if err != nil {
			t.Fatal(err)
		}
		tunnel := all[0].Tunnels[len(all[0].Tunnels)-1]
		if tunnel.PSK.IsZero() || tunnel.IKE.Encryption != vpn.AES256 {
			t.Errorf("%s: settings of the Download reply are lost", c.ID)
		}
		if tunnel.PeerAddress.String() != "139.196.32.100" || !strings.HasPrefix(tunnel.CloudAddress.String(), "116.62.") {
			t.Errorf("%s: ends are %s and %s", c.ID, tunnel.PeerAddress, tunnel.CloudAddress)
		}
	}
}

// change sets all fields of these names, however deep.
func change(v any, to any, names ...string) {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			if slices.Contains(names, k) {
				v[k] = to
			}
			change(v[k], to, names...)
		}
	case []any:
		for _, e := range v {
			change(e, to, names...)
		}
	}
}

func TestContradictions(t *testing.T) {
	const hint = "save both again, at one time"
	for _, test := range []struct {
		name string
		i    int // 0 has one tunnel, 4 has two
		set  func(download map[string]any)
		want string
	}{
		{"subnet", 0, func(d map[string]any) { d["LocalSubnet"] = "10.9.9.0/24" },
			`RemoteSubnet: DescribeVpnConnection says "10.0.0.0/24", DownloadVpnConnectionConfig "10.9.9.0/24", there LocalSubnet`},
		{"identity", 0, func(d map[string]any) { change(d, "other.example", "RemoteId") },
			`LocalId: DescribeVpnConnection says "116.62.69.64", DownloadVpnConnectionConfig "other.example", there RemoteId`},
		{"algorithm", 0, func(d map[string]any) { change(d, "sha1", "IkeAuthAlg") },
			`IkeAuthAlg: DescribeVpnConnection says "sha256", DownloadVpnConnectionConfig "sha1"`},
		{"lifetime", 0, func(d map[string]any) { change(d, 3600, "IpsecLifetime") },
			`IpsecLifetime: DescribeVpnConnection says "28800", DownloadVpnConnectionConfig "3600"`},
		{"key", 0, func(d map[string]any) { change(d, "psk-0-other", "Psk") },
			`Psk: DescribeVpnConnection and DownloadVpnConnectionConfig give different keys`},
		{"key in another letter case", 0, func(d map[string]any) { change(d, strings.ToUpper(apitest.Key(0)), "Psk") },
			`Psk: DescribeVpnConnection and DownloadVpnConnectionConfig give different keys`},
		{"standby tunnel's key", 4, func(d map[string]any) {
			change(d["TunnelsConfig"].(map[string]any)["TunnelConfig"].([]any)[0], "psk-0-other", "Psk")
		},
			`tunnel 2: Psk: DescribeVpnConnection and DownloadVpnConnectionConfig give different keys`},
		{"standby tunnel by number", 4, func(d map[string]any) {
			tunnels := d["TunnelsConfig"].(map[string]any)["TunnelConfig"].([]any)
			slices.Reverse(tunnels)
			change(tunnels, nil, "TunnelId")
			change(tunnels[1], "psk-0-other", "Psk")
		}, `tunnel 2: Psk: DescribeVpnConnection and DownloadVpnConnectionConfig give different keys`},
		{"tunnel", 4, func(d map[string]any) {
			d["TunnelsConfig"].(map[string]any)["TunnelConfig"].([]any)[1].(map[string]any)["TunnelId"] = "tun-new"
		}, `TunnelId: DownloadVpnConnectionConfig has tunnel "tun-new", DescribeVpnConnection has not`},
		{"tunnels", 0, func(d map[string]any) { d["TunnelsConfig"] = map[string]any{"TunnelConfig": []any{map[string]any{}}} },
			`TunnelsConfig: DownloadVpnConnectionConfig lists 1 tunnels, DescribeVpnConnection 0`},
		{"order of subnets and letter case of words", 0, func(d map[string]any) {
			d["RemoteSubnet"] = "172.16.1.0/24, 172.16.0.0/24"
			change(d, "AES256", "IkeEncAlg")
		}, ``},
		{"BGP", 0, func(d map[string]any) { d["BgpConfigs"] = bgpConfigs("65002") },
			`VpnBgpConfig: DescribeVpnConnection says "AS 45104 at 169.254.11.1 and AS 65001 at 169.254.11.2 in 169.254.11.0/30", DownloadVpnConnectionConfig "AS 65002 at 169.254.11.2 and AS 45104 at 169.254.11.1 in 169.254.11.0/30"`},
		{"BGP from the other side, in asdot", 0, func(d map[string]any) { d["BgpConfigs"] = bgpConfigs("0.65001") }, ``},
		{"no tunnels in the Download reply", 4, func(d map[string]any) { delete(d, "TunnelsConfig") }, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			connections, gateways := apitest.Connections(5)
			c := connections[test.i]
			if test.set(c.Download); c.Download["BgpConfigs"] != nil {
				c.Describe["VpnBgpConfig"] = map[string]any{"LocalAsn": 45104, "LocalBgpIp": "169.254.11.1", "PeerAsn": 65001, "PeerBgpIp": "169.254.11.2", "TunnelCidr": "169.254.11.0/30"}
			}
			_, err := understand(t, gateways["cgw-0"], gateways["vpn-1"], recordOf(c))
			if test.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			where := fmt.Sprintf("saved.json, connection %s", c.ID)
			if !strings.HasPrefix(test.want, "tunnel ") {
				where += ": "
			} else {
				where += ", "
			}
			pin(t, onlyProblem(t, err), where+test.want, hint)
		})
	}
}

func bgpConfigs(asn string) map[string]any {
	return map[string]any{"BgpConfig": []any{map[string]any{"LocalAsn": asn, "LocalBgpIp": "169.254.11.2", "PeerAsn": "45104", "PeerBgpIp": "169.254.11.1", "TunnelCidr": "169.254.11.0/30"}}}
}

func TestRecordThatIsNone(t *testing.T) {
	connections, _ := apitest.Connections(2)
	two := recordOf(connections[0])
	two["DescribeVpnConnection"] = map[string]any{"VpnConnections": map[string]any{"VpnConnection": []any{connections[0].Describe, connections[1].Describe}}}
	for text, reply := range map[string]any{
		"saved.json: a record with 2 connections where one should be": two,
		"saved.json: a bare value where a reply should be":            map[string]any{"DescribeVpnConnection": nil},
		"saved.json: not a reply peerconf knows":                      map[string]any{"DownloadVpnConnectionConfig": map[string]any{"x": 1}},
	} {
		if _, err := understand(t, reply); err == nil || err.Error() != text {
			t.Errorf("got  %v\nwant %s", err, text)
		}
	}
	half, err := understand(t, map[string]any{"DescribeVpnConnection": connections[0].Describe})
	if err != nil || len(half) != 1 {
		t.Errorf("half a record: %v", err)
	}
}

// TestSavedAndLiveAreOne reads what was fetched from the file, from the files
// of single connections and from memory.
func TestSavedAndLiveAreOne(t *testing.T) {
	_, q := start(t, 15)
	f, err := Fetch(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	live := collect(t, f.Source())
	var single []Source
	for _, file := range f.Files() {
		single = append(single, Source{file.ID, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file.Text)), nil }})
	}
	if diff := cmp.Diff(live, collect(t, single...), unexported); diff != "" || len(live) != 15 {
		t.Errorf("%d connections\n%s", len(live), diff)
	}
}

func collect(t *testing.T, sources ...Source) (all []vpn.Connection) {
	t.Helper()
	for c, err := range Read(sources, Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}
