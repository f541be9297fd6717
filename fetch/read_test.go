package fetch

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"peerconf/vpn"
)

func memory(name, content string) Source {
	return Source{name, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

func readAll(options Options, sources ...Source) (connections []vpn.Connection, err error) {
	for c, e := range Read(sources, options) {
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		connections = append(connections, c)
	}
	return connections, err
}

func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestVariations reads the same connection from every shape it comes in.
func TestVariations(t *testing.T) {
	plain := file(t, "describe-2018.json")
	want, err := readAll(Options{}, memory("plain", plain))
	if err != nil || len(want) != 1 {
		t.Fatal(want, err)
	}
	var reply map[string]any
	if err := json.Unmarshal([]byte(plain), &reply); err != nil {
		t.Fatal(err)
	}
	element := reply["VpnConnections"].(map[string]any)["VpnConnection"].([]any)[0]
	flat, _ := json.Marshal(element)
	bare, _ := json.Marshal(map[string]any{"VpnConnections": []any{element}})
	lone, _ := json.Marshal(map[string]any{"VpnConnections": map[string]any{"VpnConnection": element}})
	body := plain[strings.IndexByte(plain, '{'):]
	for name, text := range map[string]string{
		"flat":               string(flat),
		"list without name":  string(bare),
		"element, no list":   string(lone),
		"array":              "[" + body + "]",
		"other letter case":  strings.NewReplacer(`"IkeEncAlg"`, `"ikeEncAlg"`, `"aes"`, `"AES"`, `"ikev1"`, `"Ikev1"`, `"status"`, `"Status"`, `"main"`, `"MAIN"`, `"group2"`, `"Group2"`).Replace(plain),
		"numbers as strings": strings.NewReplacer("86400", `"86400"`, ": true", `: "True"`).Replace(plain),
		"strings as numbers": strings.NewReplacer(`"CreateTime": 1492753817000`, `"CreateTime": "1492753817000"`).Replace(plain),
		"unknown fields":     strings.Replace(plain, `"IkeConfig": {`, `"Zone": {"a": [1, null]}, "IkeConfig": {"Ikev9": null,`, 1),
		"BOM":                "\ufeff" + plain,
		"UTF-16":             utf16LE(plain),
		"blank lines":        "\r\n\n \t" + plain + "\n\n",
		"null for absent":    strings.Replace(plain, `"EffectImmediately": true`, `"EffectImmediately": true, "InternetIp": null, "TunnelOptionsSpecification": null`, 1),
		"XML":                describeXML,
		"XML, other root":    strings.ReplaceAll(describeXML, "DescribeVpnConnectionsResponse", "DescribeVpnConnections"),
		"XML, flat":          flatXML,
		"XML, lower case":    strings.ReplaceAll(strings.ReplaceAll(describeXML, "VpnConnection>", "vpnConnection>"), "<Psk>pgw6dy7d1i8in7x5</Psk>", "<psk><![CDATA[pgw6dy7d1i8in7x5]]></psk>"),
		"XML, unknown list":  strings.Replace(describeXML, "<Name>", "<Tag><Tag><Key>a</Key></Tag><Tag><Key>b</Key></Tag></Tag><New>1</New><New>2</New><!-- x --><Name>", 1),
		"empty lists":        strings.Replace(plain, `"EffectImmediately": true`, `"EffectImmediately": true, "TunnelOptionsSpecification": {"TunnelOptions": ""}`, 1),
		"empty list, string": strings.Replace(plain, `"EffectImmediately": true`, `"EffectImmediately": true, "TunnelOptionsSpecification": ""`, 1),
		"empty list, array":  strings.Replace(plain, `"EffectImmediately": true`, `"EffectImmediately": true, "TunnelOptionsSpecification": []`, 1),
		"empty list, object": strings.Replace(plain, `"EffectImmediately": true`, `"EffectImmediately": true, "TunnelOptionsSpecification": {}`, 1),
		"null in the list":   strings.Replace(plain, `"VpnConnection": [`, `"VpnConnection": [null, `, 1),
	} {
		got, err := readAll(Options{}, memory(name, text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got, same...); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	two, err := readAll(Options{}, memory("one after another", plain+plain))
	if err != nil || len(two) != 2 {
		t.Errorf("one after another: %d, %v", len(two), err)
	}
}

// same compares connections; keys are compared and never printed.
var same = []cmp.Option{
	cmpopts.EquateComparable(vpn.Address{}, vpn.Subnet{}),
	cmp.Comparer(func(a, b vpn.Secret) bool { return a == b }),
}

func utf16LE(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

const connectionXML = `<Name>vpn connection test</Name><CustomerGatewayId>cgw-bp1pvpl9r9adju6l5nxck</CustomerGatewayId>
<RemoteSubnet>2.2.2.0/24</RemoteSubnet><IpsecConfig><IpsecLifetime>86400</IpsecLifetime><IpsecAuthAlg>sha1</IpsecAuthAlg><IpsecPfs>group2</IpsecPfs><IpsecEncAlg>aes</IpsecEncAlg></IpsecConfig>
<EffectImmediately>true</EffectImmediately><VpnGatewayId>vpn-bp1q8bgx4xnkm2ogj0fiu</VpnGatewayId><VpnConnectionId>vco-bp10lz7aejumd2vxoqgev</VpnConnectionId><status/>
<LocalSubnet>1.1.1.0/24,1.1.2.0/24</LocalSubnet><IkeConfig><IkeEncAlg>aes</IkeEncAlg><RemoteId>139.196.32.167</RemoteId><IkePfs>group2</IkePfs><IkeAuthAlg>sha1</IkeAuthAlg>
<Psk>pgw6dy7d1i8in7x5</Psk><IkeMode>main</IkeMode><IkeLifetime>86400</IkeLifetime><IkeVersion>ikev1</IkeVersion><LocalId>116.62.69.64</LocalId></IkeConfig>`

const (
	describeXML = `<?xml version="1.0"?><DescribeVpnConnectionsResponse><PageNumber>1</PageNumber><VpnConnections><VpnConnection>` + connectionXML +
		`</VpnConnection></VpnConnections><TotalCount>1</TotalCount></DescribeVpnConnectionsResponse>`
	flatXML = `<DescribeVpnConnectionResponse><RequestId>x</RequestId>` + connectionXML + `</DescribeVpnConnectionResponse>`
)

// connectionJSON is a reply with holes for the ids and what else it has.
func connectionJSON(local, remote, more string) string {
	return fmt.Sprintf(`{"VpnConnectionId":"vco-1","VpnGatewayId":"vpn-1","CustomerGatewayId":"cgw-1","LocalSubnet":"10.0.0.0/8","RemoteSubnet":"192.168.0.0/24",
"IkeConfig":{"Psk":"k","LocalId":%q,"RemoteId":%q}%s}`, local, remote, more)
}

const (
	vpnGatewayJSON      = `{"VpnGatewayId":"vpn-1","InternetIp":"203.0.113.1","DisasterRecoveryInternetIp":"203.0.113.2"}`
	customerGatewayJSON = `{"CustomerGatewayId":"cgw-1","IpAddress":"198.51.100.1","Asn":65001}`
)

// TestAddresses pins the order in which an end's address is looked for.
func TestAddresses(t *testing.T) {
	download := `{"VpnConnectionConfig":{"Local":%q,"Remote":%q,"LocalSubnet":"192.168.0.0/24","RemoteSubnet":"10.0.0.0/8","IkeConfig":{"Psk":"k","LocalId":"198.51.100.9","RemoteId":"203.0.113.9"}}}`
	for name, c := range map[string]struct {
		replies     []string
		answers     map[string]string
		cloud, peer string
	}{
		"identities":            {[]string{connectionJSON("203.0.113.9", "198.51.100.9", "")}, nil, "203.0.113.9", "198.51.100.9"},
		"gateways":              {[]string{vpnGatewayJSON, customerGatewayJSON, connectionJSON("203.0.113.9", "198.51.100.9", "")}, nil, "203.0.113.1", "198.51.100.1"},
		"gateways after":        {[]string{connectionJSON("a.example", "b.example", ""), customerGatewayJSON, vpnGatewayJSON}, nil, "203.0.113.1", "198.51.100.1"},
		"gateway lists":         {[]string{`{"VpnGateways":{"VpnGateway":[` + vpnGatewayJSON + `]}}`, `{"CustomerGateways":{"CustomerGateway":[` + customerGatewayJSON + `]}}`, connectionJSON("a", "b", "")}, nil, "203.0.113.1", "198.51.100.1"},
		"InternetIp":            {[]string{connectionJSON("203.0.113.9", "198.51.100.9", `,"InternetIp":"203.0.113.2"`), vpnGatewayJSON}, nil, "203.0.113.2", "198.51.100.9"},
		"Local and Remote":      {[]string{fmt.Sprintf(download, "198.51.100.5", "203.0.113.5")}, nil, "203.0.113.5", "198.51.100.5"},
		"Local and Remote, ids": {[]string{vpnGatewayJSON, customerGatewayJSON, fmt.Sprintf(download, "cgw-1", "vpn-1")}, nil, "203.0.113.1", "198.51.100.1"},
		"no address in them":    {[]string{fmt.Sprintf(download, "b.example", "a.example")}, nil, "203.0.113.9", "198.51.100.9"},
		"--set":                 {[]string{vpnGatewayJSON, customerGatewayJSON, connectionJSON("a", "b", "")}, map[string]string{"cloud-address": "203.0.113.7", "peer-address.1": "198.51.100.7"}, "203.0.113.7", "198.51.100.7"},
		"whole behind masked":   {[]string{connectionJSON("203.0.113.9", "198.51.100.9", `,"InternetIp":"203.0.XX.XX"`)}, nil, "203.0.113.9", "198.51.100.9"},
	} {
		got, err := readAll(Options{Answers: c.answers}, memory(name, strings.Join(c.replies, "\n")))
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %d connections, %v", name, len(got), err)
			continue
		}
		if tunnel := got[0].Tunnels[0]; tunnel.CloudAddress.String() != c.cloud || tunnel.PeerAddress.String() != c.peer {
			t.Errorf("%s: cloud %s, peer %s, want %s and %s", name, tunnel.CloudAddress, tunnel.PeerAddress, c.cloud, c.peer)
		}
	}
}

// TestTwoNamed refuses a name or an address that would serve two connections.
func TestTwoNamed(t *testing.T) {
	two := connectionJSON("203.0.113.9", "198.51.100.9", "") + connectionJSON("203.0.113.8", "198.51.100.8", "")
	for _, o := range []Options{{Name: "x"}, {Answers: map[string]string{"cloud-address": "203.0.113.1"}}} {
		if _, err := readAll(o, memory("two", two)); err == nil || !strings.Contains(err.Error(), "second of the run") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestBGPSides pins whose side BgpConfigs speak for, by evidence only.
func TestBGPSides(t *testing.T) {
	gateway := func(asn string) string {
		return fmt.Sprintf(`{"CustomerGatewayId":"cgw-1","IpAddress":"198.51.100.9","Asn":%q,"AuthKey":"k3y"}`, asn)
	}
	for name, c := range map[string]struct {
		local, peer string
		gateway     string
		asns        [2]uint32 // the peer's, the cloud's
		peerIsLocal bool
		refused     string
	}{
		"Alibaba's number is the peer's": {"65001", "45104", "", [2]uint32{65001, 45104}, true, ""},
		"Alibaba's number is local":      {"45104", "65001", "", [2]uint32{65001, 45104}, false, ""},
		"the customer gateway tells":     {"64999", "65001", gateway("65001"), [2]uint32{65001, 64999}, false, ""},
		"asdot":                          {"1.1", "45104", "", [2]uint32{65537, 45104}, true, ""},
		"the gateway's in asdot":         {"65537", "64999", gateway("1.1"), [2]uint32{65537, 64999}, true, ""},
		"nothing tells":                  {"64999", "65001", "", [2]uint32{}, false, "whose side"},
		"both tell":                      {"45104", "65001", gateway("45104"), [2]uint32{}, false, "whose side"},
		"the gateway contradicts":        {"45104", "65001", gateway("65002"), [2]uint32{}, false, "the customer gateway has AS 65002"},
		"no number":                      {"45104", "x", "", [2]uint32{}, false, "not an AS number"},
		"too large":                      {"45104", "4294967296", "", [2]uint32{}, false, "not an AS number"},
		"one":                            {"45104", "", "", [2]uint32{}, false, "no reply gives the device's"},
		"none":                           {"", "", gateway(""), [2]uint32{}, false, "whose side"},
	} {
		reply := fmt.Sprintf(`{"VpnConnectionConfig":{"Local":"198.51.100.9","Remote":"203.0.113.9","LocalSubnet":"0.0.0.0/0","RemoteSubnet":"0.0.0.0/0","IkeConfig":{"Psk":"k","LocalId":"198.51.100.9","RemoteId":"203.0.113.9"},
"BgpConfigs":{"BgpConfig":[{"LocalAsn":%q,"LocalBgpIp":"169.254.11.1","PeerAsn":%q,"PeerBgpIp":"169.254.11.2","TunnelCidr":"169.254.11.0/30"}]}}}`, c.local, c.peer)
		got, err := readAll(Options{}, memory(name, c.gateway+reply))
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: want a refusal of %q: %v", name, c.refused, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b := got[0].Tunnels[0].BGP
		local, peer := netip.MustParseAddr("169.254.11.1"), netip.MustParseAddr("169.254.11.2")
		if c.peerIsLocal {
			local, peer = peer, local
		}
		if b == nil || [2]uint32{b.PeerASN, b.CloudASN} != c.asns || b.CloudAddress != local || b.PeerAddress != peer || b.Network.String() != "169.254.11.0/30" {
			t.Errorf("%s: %+v", name, b)
		}
		if known := c.gateway != ""; (b.Key.Reveal() == "k3y") != known || (len(got[0].Warnings) == 0) != known {
			t.Errorf("%s: key known: %v, warnings %q", name, !b.Key.IsZero(), got[0].Warnings)
		}
	}
}

// TestBGP pins what becomes of the session of a Describe reply.
func TestBGP(t *testing.T) {
	for config, want := range map[string]string{
		`"LocalAsn":45104,"LocalBgpIp":"169.254.11.1","PeerAsn":65001,"PeerBgpIp":"169.254.11.2","TunnelCidr":"169.254.11.0/30"`: "65001 169.254.11.2 45104 169.254.11.1",
		`"LocalAsn":"","LocalBgpIp":"169.254.11.2","PeerAsn":"65001","PeerBgpIp":"","TunnelCidr":"169.254.11.0/30"`:              "65001 169.254.11.1 45104 169.254.11.2",
		`"LocalAsn":"64512","PeerAsn":"123.456","PeerBgpIp":"169.254.11.2","TunnelCidr":"169.254.11.0/30"`:                       "8061384 169.254.11.2 64512 169.254.11.1",
		`"LocalAsn":45104,"LocalBgpIp":"","PeerAsn":"","PeerBgpIp":"","TunnelCidr":""`:                                           "none",
		`"EnableBgp":"false","LocalAsn":45104,"LocalBgpIp":"169.254.11.1","PeerAsn":1,"TunnelCidr":"169.254.11.0/30"`:            "none",
		`"EnableBgp":"true","LocalAsn":45104`: "VpnBgpConfig: BGP is on, and the reply has no session",
		`"LocalAsn":65001,"LocalBgpIp":"169.254.11.1","PeerAsn":45104,"TunnelCidr":"169.254.11.0/30"`:           `PeerAsn "45104": it is Alibaba's`,
		`"LocalAsn":65001,"LocalBgpIp":"169.254.11.1","PeerAsn":65001,"TunnelCidr":"169.254.11.0/30"`:           `PeerAsn "65001": both ends have it`,
		`"LocalBgpIp":"169.254.11.3","PeerAsn":65001,"TunnelCidr":"169.254.11.0/30"`:                            `LocalBgpIp "169.254.11.3": not a host's address in TunnelCidr 169.254.11.0/30`,
		`"LocalBgpIp":"169.254.11.1","PeerAsn":65001,"PeerBgpIp":"169.254.11.1","TunnelCidr":"169.254.11.0/30"`: `PeerBgpIp "169.254.11.1": both ends have it`,
		`"LocalBgpIp":"169.254.11.1","PeerAsn":65001,"TunnelCidr":"169.254.11.0/29"`:                            `TunnelCidr "169.254.11.0/29": not a /30 network in 169.254.0.0/16`,
		`"LocalBgpIp":"10.0.0.1","PeerAsn":65001,"TunnelCidr":"10.0.0.0/30"`:                                    `TunnelCidr "10.0.0.0/30": not a /30 network in 169.254.0.0/16`,
		`"LocalBgpIp":"169.254.6.1","PeerAsn":65001,"TunnelCidr":"169.254.6.0/30"`:                              `TunnelCidr "169.254.6.0/30": the cloud keeps it for itself`,
		`"LocalBgpIp":"169.254.169.253","PeerAsn":65001,"TunnelCidr":"169.254.169.252/30"`:                      `TunnelCidr "169.254.169.252/30": the cloud keeps it for itself`,
		`"LocalBgpIp":"169.254.11.1","PeerAsn":65001`:                                                           `TunnelCidr: not a /30 network in 169.254.0.0/16`,
		`"LocalBgpIp":"169.254.11.1","PeerAsn":65001,"TunnelCidr":"169.254.11.0/30","AuthKey":"a k3y"`:          `AuthKey: not 1 to 64 ASCII characters`,
		`"LocalBgpIp":"169.254.11.1","PeerAsn":65001,"TunnelCidr":"169.254.11.0/30","AuthKey":"AuthKey****"`:    `AuthKey: the value is masked`,
	} {
		got, err := readAll(Options{}, memory("bgp", connectionJSON("203.0.113.9", "198.51.100.9", `,"VpnBgpConfig":{`+config+`}`)))
		is := ""
		switch {
		case err != nil:
			is = err.Error()
			if strings.Contains(is, "k3y") {
				t.Errorf("%s: the message holds the key", config)
			}
		case got[0].Tunnels[0].BGP == nil:
			is = "none"
		default:
			b := got[0].Tunnels[0].BGP
			is = fmt.Sprintf("%d %s %d %s", b.PeerASN, b.PeerAddress, b.CloudASN, b.CloudAddress)
		}
		if !strings.Contains(is, want) {
			t.Errorf("%s\n\tis   %s\n\twant %s", config, is, want)
		}
	}
}

// TestIdentities pins the identification type of each form.
func TestIdentities(t *testing.T) {
	for value, want := range map[string]vpn.IDKind{
		"203.0.113.1": vpn.IDIPv4, "vpn.example": vpn.IDFQDN, "branch-7": vpn.IDFQDN, "a_b": vpn.IDFQDN, "1.2.3": vpn.IDFQDN, "me@vpn.example": vpn.IDUserFQDN,
		"2001:db8::1": vpn.IDIPv6, "CN=x": 0, "@x": 0, "x@": 0, "a@b@c": 0, "a:b": 0, "a b": 0, "fe80::1%eth0": 0, "::ffff:1.2.3.4": 0, "a/b": 0, "杭州": 0, strings.Repeat("a", 101): 0,
	} {
		kind, reason := identityKind(value)
		if reason == "" && kind != want || (reason != "") != (want == 0) {
			t.Errorf("%q: %s, %q", value, kind, reason)
		}
	}
}

// TestMasked tells masked values from whole ones.
func TestMasked(t *testing.T) {
	for value, want := range map[string]bool{
		"116.62.XX.XX": true, "139.196.32.xxx": true, "116.xx.xx.64": true, "10.0.*.0/16": true, "vco-bp1****": true,
		"116.62.69.64": false, "xx.example.com": false, "x.x.example": false, "10.0.0.0/8": false,
	} {
		if masked(value) != want {
			t.Errorf("%q: %v", value, !want)
		}
	}
	for key, want := range map[string]bool{"pgw6dy7d1i8i****": true, "pgw6dyxxxxxxxx": true, "pgw6dy7d1i8in7x5": false, "pgw6****7x5": true, "pgw6dyXXXX": true, "a*b": false, "a**b": false, "xxx": false} {
		if maskedKey(key) != want {
			t.Errorf("key %q: %v", key, !want)
		}
	}
}

// TestWire holds our field names to the official SDK's: a name misspelled here
// would silently read as absent.
func TestWire(t *testing.T) {
	// The SDK's last release is older than BgpConfigs, and only the reply of
	// DescribeVpnConnection, which is flat, has ZoneNo.
	newer := map[string]bool{"fetch.wireDownload.BgpConfigs": true, "fetch.wireBGP.TunnelId": true, "fetch.wireConnection.ZoneNo": true}
	for _, pair := range []struct{ ours, theirs any }{
		{wireDownload{}, vpc.VpnConnectionConfig{}},
		{wireConnection{}, vpc.VpnConnection{}},
		{wireCustomerGateway{}, vpc.CustomerGateway{}},
		{wireVpnGateway{}, vpc.VpnGateway{}},
	} {
		missing(t, reflect.TypeOf(pair.ours), reflect.TypeOf(pair.theirs), newer)
	}
	fake := &testing.T{}
	if missing(fake, reflect.TypeOf(struct{ IpAdress text }{}), reflect.TypeOf(vpc.CustomerGateway{}), nil); !fake.Failed() {
		t.Error("a misspelled name would pass")
	}
}

func missing(t *testing.T, ours, theirs reflect.Type, newer map[string]bool) {
	if ours.Kind() == reflect.Slice && theirs.Kind() == reflect.Struct && theirs.NumField() == 1 { // a list in its container
		theirs = theirs.Field(0).Type
	}
	for ours.Kind() == reflect.Pointer || ours.Kind() == reflect.Slice {
		ours = ours.Elem()
	}
	for theirs.Kind() == reflect.Pointer || theirs.Kind() == reflect.Slice {
		theirs = theirs.Elem()
	}
	if ours.Kind() != reflect.Struct {
		return
	}
	named := map[string]reflect.StructField{}
	for i := range theirs.NumField() {
		f := theirs.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		named[name] = f
	}
	for i := range ours.NumField() {
		f := ours.Field(i)
		g, ok := named[f.Name]
		if !ok && !newer[ours.String()+"."+f.Name] {
			t.Errorf("%s.%s is not in the SDK's %s", ours, f.Name, theirs)
		}
		if ok {
			missing(t, f.Type, g.Type, newer)
		}
	}
}

// TestStops ends a reading half way: nothing is left running.
func TestStops(t *testing.T) {
	before := runtime.NumGoroutine()
	text := strings.Repeat(connectionJSON("203.0.113.9", "198.51.100.9", ""), 1000)
	for n := range 40 {
		for range Read([]Source{memory("many", text)}, Options{}) {
			if n--; n < 0 {
				break
			}
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// FuzzIdentity holds what passes as an identity to letters that no device's
// statement ends at, so that it needs no quoting anywhere.
func FuzzIdentity(f *testing.F) {
	for _, s := range []string{"203.0.113.1", "vpn.example", "me@vpn.example", "@x", "a/b+c~d@e@", "a b", "a\nb", "a#b", "a\"b", "a;b", "::1", "CN=x", "杭州"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		const ends = " \t\r\n\"'`#;=,{}[]()\\|&<>?*%$"
		for of, check := range map[string]func(string) (vpn.IDKind, string){":/": identityKind, ":": keyID} {
			kind, reason := check(value)
			if reason != "" || value == "" {
				continue // refused, or absent: then it is the address
			}
			if kind == vpn.IDIPv6 {
				of = "/"
			}
			if kind == 0 || len(value) > 100 || strings.ContainsAny(value, ends+of) || kind != vpn.IDKeyID && value[0] == '@' || !utf8.ValidString(value) {
				t.Errorf("%q passes as %s", value, kind)
			}
		}
	})
}

// FuzzRead holds the decoder to this for any input: it ends, and what it
// accepts is a connection with one or two tunnels and subnets on both sides.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"../testdata/*.*", "../testdata/*/*.*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			if b, err := os.ReadFile(path); err == nil && !strings.HasSuffix(path, ".txtar") {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		src := Source{"fuzz", func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
		for c, err := range Read([]Source{src}, Options{}) {
			if err != nil {
				continue
			}
			if n := len(c.Tunnels); n < 1 || n > 2 || len(c.PeerSubnets) == 0 || len(c.CloudSubnets) == 0 {
				t.Fatalf("accepted %+v", c)
			}
			for _, tunnel := range c.Tunnels {
				if !tunnel.CloudAddress.IP.Is4() || !tunnel.PeerAddress.IP.Is4() || tunnel.PeerIdentity.Kind == 0 || tunnel.CloudIdentity.Kind == 0 {
					t.Fatalf("accepted %+v", tunnel)
				}
			}
			_ = vpn.Check(c)
		}
	})
}

func TestRegionOfZone(t *testing.T) {
	for zone, want := range map[string]string{
		"cn-hangzhou-h": "cn-hangzhou", "ap-southeast-1a": "ap-southeast-1", "cn-shanghai-finance-1a": "cn-shanghai-finance-1",
		"cn-hangzhou": "", "": "", "cn-$(x)-h": "", "cn-hangzhou-h x": "",
	} {
		if got := ofZone(zone); got != want {
			t.Errorf("%q: %q", zone, got)
		}
	}
}
