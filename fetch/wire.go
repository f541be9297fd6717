package fetch

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The wire structs name what is read from a reply, by Alibaba's names. Fields
// a reply has beside them are ignored.

// text is a scalar as the API may send it: a string, a number or a boolean.
// Absent, null and empty mean alike that Alibaba's default holds.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case 'n':
		*t = ""
	case '"':
		if bytes.IndexByte(b, '\\') < 0 { // as nearly all are
			*t = text(b[1 : len(b)-1])
			return nil
		}
		s, err := jsontext.AppendUnquote(nil, b)
		*t = text(s)
		return err
	case '{', '[':
		return errors.New("want a string, a number or a boolean")
	default:
		*t = text(b)
	}
	return nil
}

// list is a list as the API nests it, {"TunnelConfig": [ … ]}. Empty, it may be
// sent as null, "", {} or []; of one element, as the element.
type list[T any] []T

func (l *list[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '{':
		return members(dec, func(string) error { return l.elements(dec) })
	default:
		return l.elements(dec)
	}
}

func (l *list[T]) elements(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '[':
		return json.UnmarshalDecode(dec, (*[]T)(l), anyCase)
	case '{':
		var one T
		err := json.UnmarshalDecode(dec, &one, anyCase)
		*l = append(*l, one)
		return err
	}
	var none text
	if err := json.UnmarshalDecode(dec, &none); err != nil {
		return err
	}
	if none != "" {
		return errors.New("want a list")
	}
	return nil
}

// UnmarshalJSON is for encoding/json, which reading is measured against.
func (l *list[T]) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, l, anyCase) }

type wireIKE struct {
	Psk         text
	IkeVersion  text
	IkeMode     text
	IkeEncAlg   text
	IkeAuthAlg  text
	IkePfs      text
	IkeLifetime text
	LocalId     text
	RemoteId    text
}

type wireIPsec struct {
	IpsecEncAlg   text
	IpsecAuthAlg  text
	IpsecPfs      text
	IpsecLifetime text
}

type wireBGP struct {
	TunnelId   text // DownloadVpnConnectionConfig only
	LocalAsn   text
	LocalBgpIp text
	PeerAsn    text
	PeerBgpIp  text
	TunnelCidr text
}

// wireDownload is VpnConnectionConfig of DownloadVpnConnectionConfig. It
// speaks from the customer's side: Local is the device, Remote is Alibaba.
type wireDownload struct {
	Local         text
	Remote        text
	LocalSubnet   text
	RemoteSubnet  text
	IkeConfig     *wireIKE
	IpsecConfig   *wireIPsec
	TunnelsConfig list[wireDownloadTunnel]
	BgpConfigs    list[wireBGP]
}

type wireDownloadTunnel struct {
	TunnelId    text
	Local       text
	Remote      text
	IkeConfig   *wireIKE
	IpsecConfig *wireIPsec
}

// wireConnection is a connection in DescribeVpnConnections and
// DescribeVpnConnection. It speaks from Alibaba's side: Local is the VPC.
type wireConnection struct {
	VpnConnectionId            text
	Name                       text
	VpnGatewayId               text
	CustomerGatewayId          text
	LocalSubnet                text
	RemoteSubnet               text
	InternetIp                 text
	EffectImmediately          text
	ZoneNo                     text
	EnableDpd                  text
	EnableNatTraversal         text
	EnableTunnelsBgp           text
	VcoHealthCheck             *wireHealthCheck
	IkeConfig                  *wireIKE
	IpsecConfig                *wireIPsec
	VpnBgpConfig               *wireVpnBGP
	TunnelOptionsSpecification list[wireTunnel]
}

// wireVpnBGP is the BGP session of a single-tunnel connection.
type wireVpnBGP struct {
	EnableBgp  text
	LocalAsn   text
	LocalBgpIp text
	PeerAsn    text
	PeerBgpIp  text
	TunnelCidr text
	AuthKey    text
}

// wireHealthCheck is of a connection, as a whole: the API documents it for
// those of one tunnel. Sip is of the VPC, Dip of the data center.
type wireHealthCheck struct {
	Enable   text
	Sip      text
	Dip      text
	Interval text
	Retry    text
	Policy   text
}

type wireTunnel struct {
	TunnelId           text
	TunnelIndex        text
	ZoneNo             text
	Role               text
	InternetIp         text
	CustomerGatewayId  text
	EnableDpd          text
	EnableNatTraversal text
	TunnelIkeConfig    *wireIKE
	TunnelIpsecConfig  *wireIPsec
	TunnelBgpConfig    *wireBGP
}

// wireCustomerGateway is an element of DescribeCustomerGateways, and
// DescribeCustomerGateway whole.
type wireCustomerGateway struct {
	CustomerGatewayId text
	IpAddress         text
	Asn               text
	AuthKey           text
}

// wireVpnGateway is an element of DescribeVpnGateways, and DescribeVpnGateway
// whole.
type wireVpnGateway struct {
	VpnGatewayId               text
	InternetIp                 text
	DisasterRecoveryInternetIp text
}
