// Package vpn holds the nouns of an IPsec-VPN connection that reading and
// writing share. A connection has two ends: the peer, the customer's device
// that a configuration is written for, and the cloud, Alibaba's gateway. No
// field here is called local or remote: those words change their meaning with
// the end that says them.
package vpn

import (
	"net/netip"
	"slices"
	"strings"
)

// Connection is an IPsec-VPN connection as both ends see it.
type Connection struct {
	ID                string   `json:"id,omitempty"`   // vco-…; a Download reply has none
	Name              string   `json:"name,omitempty"` // free text of the owner
	Label             string   `json:"-"`              // what the caller asked to call it; see Title
	Interfaces        bool     `json:"-"`              // the peer is to route its traffic into an interface for each tunnel, whatever the subnets
	VPNGatewayID      string   `json:"vpnGatewayId,omitempty"`
	CustomerGatewayID string   `json:"customerGatewayId,omitempty"`
	Region            string   `json:"region,omitempty"` // cn-hangzhou; few replies tell
	PeerSubnets       []Subnet `json:"peerSubnets"`
	CloudSubnets      []Subnet `json:"cloudSubnets"`
	// CloudInitiates is EffectImmediately: the cloud negotiates at once, not
	// only when it has traffic to send.
	CloudInitiates bool         `json:"cloudInitiates"`
	HealthCheck    *HealthCheck `json:"healthCheck,omitempty"` // nil: off, or the reply does not tell
	Tunnels        []Tunnel     `json:"tunnels"`               // one or two, the active one first
	Warnings       []string     `json:"warnings,omitempty"`    // what the reply's reader is in doubt of
	Notices        []string     `json:"notices,omitempty"`     // what else it noticed
}

// HealthCheck is how the cloud tests a connection: it pings an address of the
// peer's side through the tunnel. Unanswered, it takes the tunnel for broken.
type HealthCheck struct {
	PeerAddress  Address  `json:"peerAddress"`  // Dip: what has to answer
	CloudAddress Address  `json:"cloudAddress"` // Sip: what asks, and gets the answer
	Interval     Lifetime `json:"intervalSeconds"`
	Retries      int      `json:"retries"`
	KeepsRoutes  bool     `json:"keepsRoutes"` // Policy reserve_route: a failure withdraws no routes
}

// Tunnel is one IKE peering of a connection with the ESP traffic it protects.
type Tunnel struct {
	ID                string   `json:"id,omitempty"`                // tun-…
	Number            int      `json:"number"`                      // 1 or 2
	CustomerGatewayID string   `json:"customerGatewayId,omitempty"` // where it is not the connection's
	PeerAddress       Address  `json:"peerAddress"`
	CloudAddress      Address  `json:"cloudAddress"`
	PeerIdentity      Identity `json:"peerIdentity"`
	CloudIdentity     Identity `json:"cloudIdentity"`
	PSK               Secret   `json:"psk"`
	IKE               IKE      `json:"ike"`
	ESP               ESP      `json:"esp"`
	DPD               bool     `json:"dpd"`  // the cloud probes a silent peer (RFC 3706, RFC 7296 §2.4)
	NATT              bool     `json:"natt"` // the cloud detects NAT and encapsulates in UDP (RFC 3948)
	BGP               *BGP     `json:"bgp,omitempty"`
}

// IKE is what negotiates the IKE SA (phase 1).
type IKE struct {
	Version    Version    `json:"version"`
	Mode       Mode       `json:"mode"` // means something for IKEv1 only
	Encryption Encryption `json:"encryption"`
	Integrity  Integrity  `json:"integrity"` // the PRF uses the same hash
	Group      Group      `json:"group"`
	Lifetime   Lifetime   `json:"lifetimeSeconds"`
}

// ESP is what negotiates the IPsec SAs (phase 2, CHILD_SA).
type ESP struct {
	Encryption Encryption `json:"encryption"`
	Integrity  Integrity  `json:"integrity"`
	PFS        Group      `json:"pfs"` // NoGroup: no perfect forward secrecy
	Lifetime   Lifetime   `json:"lifetimeSeconds"`
}

// BGP is a BGP session inside a tunnel. All but the key is known.
type BGP struct {
	PeerASN      uint32       `json:"peerAsn"`
	CloudASN     uint32       `json:"cloudAsn"`
	PeerAddress  netip.Addr   `json:"peerAddress"`
	CloudAddress netip.Addr   `json:"cloudAddress"`
	Network      netip.Prefix `json:"network"`      // the /30 both addresses are in
	Key          Secret       `json:"key,omitzero"` // TCP MD5 (RFC 2385); zero: none
}

// BGPKeyUntold is a warning of a connection, but of no removal of it, where no
// key is.
const BGPKeyUntold = "BGP: whether the session has an MD5 key is told by the DescribeCustomerGateway reply, which is not here"

// Title is the word that stands for the connection in names and errors: what
// the caller called it, else its id, else the cloud address it ends on.
func (c Connection) Title() string {
	switch {
	case c.Label != "":
		return c.Label
	case c.ID != "":
		return c.ID
	case len(c.Tunnels) > 0 && c.Tunnels[0].CloudAddress.IP.IsValid():
		return "alibaba-" + strings.ReplaceAll(c.Tunnels[0].CloudAddress.String(), ".", "-")
	}
	return "alibaba"
}

// RouteBased tells whether both sides are 0.0.0.0/0, Alibaba's destination
// routing mode: the tunnel takes what is routed into it. Otherwise the
// subnets are the protected data flows, to be negotiated as they stand.
func (c Connection) RouteBased() bool {
	return all(c.PeerSubnets) && all(c.CloudSubnets)
}

// masked tells whether a preview has words for subnets.
func (c Connection) masked() bool {
	return slices.ContainsFunc(append(slices.Clone(c.PeerSubnets), c.CloudSubnets...), func(s Subnet) bool { return s.Word != "" })
}

func all(s []Subnet) bool { return len(s) == 1 && s[0].Word == "" && s[0].Prefix.Bits() == 0 }

// Dual tells whether the connection has an active and a standby tunnel.
func (c Connection) Dual() bool { return len(c.Tunnels) == 2 }
