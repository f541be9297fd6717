package fetch

import (
	"cmp"
	"strings"
)

// statement is what one reply says of a connection, with the sides named. This
// is the only place where local and remote turn into peer and cloud.
type statement struct {
	source            string
	id, name          text
	vpnGateway        text
	customerGateway   text
	effectImmediately text
	zone              text
	peerSubnet        field
	cloudSubnet       field
	healthCheck       *healthStatement
	top               tunnelStatement // the connection-level settings
	tunnels           []tunnelStatement
	disputes          []dispute // between the two replies of a record
}

// tunnelStatement is what a reply says of one tunnel.
type tunnelStatement struct {
	id, role, index text
	customerGateway text
	internetIP      field // the cloud's address by its own field
	cloudEnd        field // Remote of a Download reply: an id, an address as a rule
	peerEnd         field // Local, likewise
	cloudID, peerID field
	ike             *wireIKE
	ipsec           *wireIPsec
	dpd, natt       text
	bgp             *bgpStatement
}

// number is the tunnel's by its index or role, else by its position, from 0, in
// the reply: that is the console's order. known is false for another role.
func (t tunnelStatement) number(position int) (n int, known bool) {
	switch {
	case t.index == "1", strings.EqualFold(string(t.role), "master"):
		return 1, true
	case t.index == "2", strings.EqualFold(string(t.role), "slave"):
		return 2, true
	}
	return position + 1, t.role == "" && t.index == ""
}

// field is a value with the name its reply has for it.
type field struct {
	name  string
	value string
}

// bgpStatement is a BGP session by the sides of its reply: near is the side
// the reply calls local.
type bgpStatement struct {
	name                                    string // of the field that holds it
	nearASN, nearIP, farASN, farIP, network text
	key                                     text
	keyTold                                 bool // the reply is of a kind that has the key, if there is one
	on, off                                 bool // BGP is said to be on, or off, whatever else is there
	nearIsCloud                             bool // known of Describe, unknown of Download
}

// healthStatement is the health check, whose two ends only Describe names.
type healthStatement struct {
	cloud, peer                     field
	enable, interval, retry, policy text
}

func (d *wireDownload) statement(source string) statement {
	s := statement{
		source:      source,
		peerSubnet:  field{"LocalSubnet", string(d.LocalSubnet)},
		cloudSubnet: field{"RemoteSubnet", string(d.RemoteSubnet)},
		top:         downloadTunnel("", d.Local, d.Remote, d.IkeConfig, d.IpsecConfig),
	}
	for _, t := range d.TunnelsConfig {
		s.tunnels = append(s.tunnels, downloadTunnel(t.TunnelId, t.Local, t.Remote, t.IkeConfig, t.IpsecConfig))
	}
	for _, b := range d.BgpConfigs {
		session := b.statement("BgpConfigs")
		if len(s.tunnels) == 0 {
			s.top.bgp = session
		}
		for i := range s.tunnels {
			if s.tunnels[i].id == b.TunnelId {
				s.tunnels[i].bgp = session
			}
		}
	}
	return s
}

func downloadTunnel(id, local, remote text, ike *wireIKE, ipsec *wireIPsec) tunnelStatement {
	t := tunnelStatement{id: id, ike: ike, ipsec: ipsec,
		peerEnd:  field{"Local", string(local)},
		cloudEnd: field{"Remote", string(remote)},
	}
	if ike != nil {
		t.peerID = field{"LocalId", string(ike.LocalId)}
		t.cloudID = field{"RemoteId", string(ike.RemoteId)}
	}
	return t
}

func (c *wireConnection) statement(source string) statement {
	s := statement{
		source: source,
		id:     c.VpnConnectionId, name: c.Name,
		vpnGateway: c.VpnGatewayId, customerGateway: c.CustomerGatewayId,
		effectImmediately: c.EffectImmediately,
		zone:              c.ZoneNo,
		cloudSubnet:       field{"LocalSubnet", string(c.LocalSubnet)},
		peerSubnet:        field{"RemoteSubnet", string(c.RemoteSubnet)},
		top: describeTunnel(wireTunnel{
			InternetIp: c.InternetIp, EnableDpd: c.EnableDpd, EnableNatTraversal: c.EnableNatTraversal,
			TunnelIkeConfig: c.IkeConfig, TunnelIpsecConfig: c.IpsecConfig,
		}),
	}
	if h := c.VcoHealthCheck; h != nil {
		s.healthCheck = &healthStatement{enable: h.Enable, cloud: field{"Sip", string(h.Sip)}, peer: field{"Dip", string(h.Dip)},
			interval: h.Interval, retry: h.Retry, policy: h.Policy}
	}
	if b := c.VpnBgpConfig; b != nil && off(b.EnableBgp) {
		s.top.bgp = &bgpStatement{off: true}
	} else if b != nil {
		s.top.bgp = wireBGP{"", b.LocalAsn, b.LocalBgpIp, b.PeerAsn, b.PeerBgpIp, b.TunnelCidr}.statement("VpnBgpConfig")
		s.top.bgp.nearIsCloud, s.top.bgp.on = true, strings.EqualFold(string(b.EnableBgp), "true")
		s.top.bgp.key, s.top.bgp.keyTold = b.AuthKey, b.EnableBgp != "" // of DescribeVpnConnection, which alone has both
	}
	for _, t := range c.TunnelOptionsSpecification {
		tunnel := describeTunnel(t)
		switch {
		case off(c.EnableTunnelsBgp):
			tunnel.bgp = &bgpStatement{off: true}
		case strings.EqualFold(string(c.EnableTunnelsBgp), "true"):
			tunnel.bgp = cmp.Or(tunnel.bgp, &bgpStatement{name: "TunnelBgpConfig"})
			tunnel.bgp.on = true
		}
		s.tunnels = append(s.tunnels, tunnel)
		s.zone = cmp.Or(s.zone, t.ZoneNo)
	}
	return s
}

// off tells whether a switch is there and not on.
func off(t text) bool { return strings.EqualFold(string(t), "false") }

func (b wireBGP) statement(name string) *bgpStatement {
	return &bgpStatement{name: name, nearASN: b.LocalAsn, nearIP: b.LocalBgpIp, farASN: b.PeerAsn, farIP: b.PeerBgpIp, network: b.TunnelCidr}
}

func describeTunnel(w wireTunnel) tunnelStatement {
	t := tunnelStatement{
		id: w.TunnelId, role: w.Role, index: w.TunnelIndex, customerGateway: w.CustomerGatewayId,
		internetIP: field{"InternetIp", string(w.InternetIp)},
		ike:        w.TunnelIkeConfig, ipsec: w.TunnelIpsecConfig,
		dpd: w.EnableDpd, natt: w.EnableNatTraversal,
	}
	if w.TunnelIkeConfig != nil {
		t.cloudID = field{"LocalId", string(w.TunnelIkeConfig.LocalId)}
		t.peerID = field{"RemoteId", string(w.TunnelIkeConfig.RemoteId)}
	}
	if b := w.TunnelBgpConfig; b != nil {
		t.bgp = b.statement("TunnelBgpConfig")
		t.bgp.nearIsCloud = true
	}
	return t
}
