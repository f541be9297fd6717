package apitest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Connection is a connection as the two replies show it.
type Connection struct {
	ID, Region         string
	Describe, Download map[string]any
}

// Region is where Connections are.
const Region = "cn-hangzhou"

// Key is the pre-shared key of the i-th connection.
func Key(i int) string { return fmt.Sprintf("psk-%04d-Secret", i) }

// Connections makes n connections, every fifth with two tunnels, on two VPN
// gateways and a customer gateway for each ten.
func Connections(n int) (all []*Connection, gateways map[string]any) {
	gateways = map[string]any{}
	for i := range 2 {
		id := fmt.Sprintf("vpn-%d", i+1)
		gateways[id] = map[string]any{"RequestId": RequestID, "VpnGatewayId": id, "Status": "active",
			"InternetIp": fmt.Sprintf("116.62.69.%d", 64+i), "DisasterRecoveryInternetIp": fmt.Sprintf("116.62.70.%d", 64+i)}
	}
	for i := range n {
		cgw := fmt.Sprintf("cgw-%d", i/10)
		gateways[cgw] = map[string]any{"RequestId": RequestID, "CustomerGatewayId": cgw, "Name": "site",
			"IpAddress": fmt.Sprintf("139.196.32.%d", 100+i/10), "Asn": 65001}
		all = append(all, connection(i, cgw))
	}
	return all, gateways
}

func connection(i int, cgw string) *Connection {
	gateway := 64 + i%2
	cloud, peer := fmt.Sprintf("116.62.69.%d", gateway), fmt.Sprintf("139.196.32.%d", 100+i/10)
	c := &Connection{ID: fmt.Sprintf("vco-%04d", i), Region: Region}
	subnet := fmt.Sprintf("10.%d.%d.0/24", i/250, i%250)
	c.Describe = map[string]any{
		"VpnConnectionId": c.ID, "Name": fmt.Sprintf("连接 %d", i), "VpnGatewayId": fmt.Sprintf("vpn-%d", i%2+1), "CustomerGatewayId": cgw,
		"LocalSubnet": "172.16.0.0/24,172.16.1.0/24", "RemoteSubnet": subnet, "EffectImmediately": true, "CreateTime": 1492753817000,
		"EnableDpd": true, "EnableNatTraversal": true, "FieldOfTomorrow": map[string]any{"Kept": i},
		"IkeConfig": ike(i, cloud, peer), "IpsecConfig": ipsec(),
	}
	c.Download = map[string]any{
		"Local": peer, "Remote": cloud, "LocalSubnet": subnet, "RemoteSubnet": "172.16.0.0/24,172.16.1.0/24",
		"IkeConfig": ike(i, peer, cloud), "IpsecConfig": ipsec(),
	}
	if i%5 == 4 {
		other := fmt.Sprintf("116.62.70.%d", gateway)
		c.Describe["TunnelOptionsSpecification"] = map[string]any{"TunnelOptions": []any{
			tunnel(i, 1, "master", cloud, peer, cgw), tunnel(i, 2, "slave", other, peer, cgw)}}
		c.Download["TunnelsConfig"] = map[string]any{"TunnelConfig": []any{ // in another order
			downloadTunnel(i, 2, other, peer), downloadTunnel(i, 1, cloud, peer)}}
	}
	return c
}

func ike(i int, local, remote string) map[string]any {
	return map[string]any{"Psk": Key(i), "IkeVersion": "ikev2", "IkeMode": "main", "IkeEncAlg": "aes256", "IkeAuthAlg": "sha256",
		"IkePfs": "group14", "IkeLifetime": 86400, "LocalId": local, "RemoteId": remote}
}

func ipsec() map[string]any {
	return map[string]any{"IpsecEncAlg": "aes256", "IpsecAuthAlg": "sha256", "IpsecPfs": "group14", "IpsecLifetime": 28800}
}

func tunnel(i, n int, role, cloud, peer, cgw string) map[string]any {
	words := ike(i, cloud, peer)
	words["IkeLifetime"] = "86400"
	return map[string]any{"TunnelId": fmt.Sprintf("tun-%04d-%d", i, n), "Role": role, "CustomerGatewayId": cgw, "InternetIp": cloud,
		"EnableDpd": "true", "EnableNatTraversal": "true", "TunnelIkeConfig": words, "TunnelIpsecConfig": ipsec()}
}

func downloadTunnel(i, n int, cloud, peer string) map[string]any {
	return map[string]any{"TunnelId": fmt.Sprintf("tun-%04d-%d", i, n), "Local": peer, "Remote": cloud,
		"IkeConfig": ike(i, peer, cloud), "IpsecConfig": ipsec()}
}

func notFound(code string) (int, any) {
	return http.StatusNotFound, failed(code+".NotFound", "The specified instance does not exist.")
}

// reply is the right answer to a call.
func (s *Server) reply(call Call, p url.Values) (int, any) {
	switch call.Action {
	case "DescribeVpnConnections":
		return http.StatusOK, s.page(call, p)
	case "DescribeVpnConnection", "DownloadVpnConnectionConfig":
		for _, c := range s.Connections {
			if c.ID != call.ID || c.Region != call.Region {
				continue
			}
			if call.Action == "DownloadVpnConnectionConfig" {
				return http.StatusOK, map[string]any{"RequestId": RequestID, "VpnConnectionConfig": c.Download}
			}
			flat := maps.Clone(c.Describe)
			flat["RequestId"] = RequestID
			return http.StatusOK, flat
		}
		return notFound("InvalidVpnConnectionInstanceId")
	case "DescribeVpnGateway", "DescribeCustomerGateway":
		if g, ok := s.Gateways[call.ID]; ok {
			return http.StatusOK, g
		}
		return notFound("Invalid" + strings.TrimPrefix(call.Action, "Describe") + "InstanceId")
	}
	return http.StatusBadRequest, failed("InvalidParameter", "The specified parameter \"Action or Version\" is not valid.")
}

func (s *Server) page(call Call, p url.Values) any {
	var listed []*Connection
	for _, c := range s.Connections {
		if c.Region == call.Region && matches(c, p) {
			listed = append(listed, c)
		}
	}
	size, _ := strconv.Atoi(p.Get("PageSize"))
	from := min((call.Page-1)*size, len(listed))
	shown := listed[from:min(from+size, len(listed))]
	if s.Pages != nil {
		shown = s.Pages(call, shown)
	}
	elements := []any{}
	for _, c := range shown {
		elements = append(elements, c.Describe)
	}
	return map[string]any{"RequestId": RequestID, "PageNumber": call.Page, "PageSize": size, "TotalCount": len(listed),
		"VpnConnections": map[string]any{"VpnConnection": elements}}
}

// matches applies the filters: ids, and tags of the form TagKey, TagValue.
func matches(c *Connection, p url.Values) bool {
	for _, name := range []string{"VpnGatewayId", "CustomerGatewayId"} {
		if want := p.Get(name); want != "" && c.Describe[name] != want {
			return false
		}
	}
	tags, _ := c.Describe["Tags"].(map[string]string)
	for i := 1; p.Has(fmt.Sprintf("Tag.%d.Key", i)); i++ {
		if tags[p.Get(fmt.Sprintf("Tag.%d.Key", i))] != p.Get(fmt.Sprintf("Tag.%d.Value", i)) {
			return false
		}
	}
	return true
}
