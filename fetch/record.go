package fetch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"peerconf/vpn"
)

// recordReader reads what fetch saves of a connection: an object of two
// replies under the names of their operations, Describe and Download.
type recordReader struct {
	describe *wireConnection
	download *wireDownload
	count    int // replies read
}

// read takes the next half, or skips it where nobody asks for records.
func (r *recordReader) read(w *walker) error {
	r.count++
	if w.visitor.record == nil {
		return w.dec.SkipValue()
	}
	var held int
	half := walker{dec: w.dec, visitor: visitor{
		connection: func(c *wireConnection) bool { r.describe = c; held++; return true },
		download:   func(d *wireDownload) bool { r.download = d; held++; return true },
	}}
	if err := half.value(); err != nil {
		return err
	}
	if held != 1 {
		return vpn.Problem{Reason: fmt.Sprintf("a record with %d connections where one should be", held), Hint: "fetch again"}
	}
	return nil
}

// deliver hands the record on; half of one is a reply like any other.
func (r *recordReader) deliver(v visitor) error {
	goOn := true
	switch {
	case v.record == nil:
	case r.describe != nil && r.download != nil:
		goOn = v.record(r.describe, r.download)
	case r.describe != nil && v.connection != nil:
		goOn = v.connection(r.describe)
	case r.download != nil && v.download != nil:
		goOn = v.download(r.download)
	}
	if !goOn {
		return errStop
	}
	return nil
}

// dispute is where the replies of a record contradict each other.
type dispute struct {
	tunnel int
	name   string
	reason string
}

// agreed is what both replies of a record say: the Describe reply, completed
// by what the Download reply alone has, with all their contradictions noted.
func agreed(said, download statement) statement {
	a := agreement{said: &said}
	a.value("LocalSubnet", &said.cloudSubnet.value, download.cloudSubnet.value, sameSubnets)
	a.value("RemoteSubnet", &said.peerSubnet.value, download.peerSubnet.value, sameSubnets)
	switch {
	case len(said.tunnels) == 0 && len(download.tunnels) == 0:
		a.tunnelOf(&said.top, download.top)
	case len(said.tunnels) < len(download.tunnels):
		a.dispute("TunnelsConfig", "DownloadVpnConnectionConfig lists %d tunnels, DescribeVpnConnection %d", len(download.tunnels), len(said.tunnels))
	default:
		a.tunnels(said.tunnels, download.tunnels)
	}
	return said
}

type agreement struct {
	said   *statement
	tunnel int
}

func (a *agreement) dispute(name, format string, args ...any) {
	a.said.disputes = append(a.said.disputes, dispute{a.tunnel, name, fmt.Sprintf(format, args...)})
}

// tunnels matches tunnels, whose order may differ, by id, else by number.
func (a *agreement) tunnels(said, download []tunnelStatement) {
	a.said.tunnels = slices.Clone(said)
	for i, d := range download {
		at := slices.IndexFunc(said, func(t tunnelStatement) bool { return t.id != "" && t.id == d.id })
		for j, t := range said {
			if n, _ := t.number(j); at < 0 && n == i+1 && (t.id == "" || d.id == "") {
				at = j
			}
		}
		if at < 0 {
			a.dispute("TunnelId", "DownloadVpnConnectionConfig has tunnel %q, DescribeVpnConnection has not", d.id)
			continue
		}
		a.tunnel, _ = said[at].number(at)
		a.tunnelOf(&a.said.tunnels[at], d)
		a.tunnel = 0
	}
}

func (a *agreement) tunnelOf(said *tunnelStatement, download tunnelStatement) {
	said.cloudEnd, said.peerEnd = download.cloudEnd, download.peerEnd
	said.bgp = a.session(said.bgp, download.bgp)
	a.value("LocalId", &said.cloudID.value, download.cloudID.value, identical)
	a.value("RemoteId", &said.peerID.value, download.peerID.value, identical)
	said.cloudID.name, said.peerID.name = "LocalId", "RemoteId"
	said.ike = agree(a, ikeSettings, said.ike, download.ike)
	said.ipsec = agree(a, ipsecSettings, said.ipsec, download.ipsec)
}

// session takes the Describe reply's BGP session, which the Download reply's has
// to be too, from whichever side it speaks. What is off may still be there.
func (a *agreement) session(said, download *bgpStatement) *bgpStatement {
	if said == nil || download == nil || said.off {
		return cmp.Or(said, download)
	}
	if said.unset() != download.unset() || !said.agrees(download) && !said.agrees(download.mirrored()) {
		a.dispute(said.name, "DescribeVpnConnection says %q, DownloadVpnConnectionConfig %q", said, download)
	}
	return said
}

// agree compares and completes a group of settings.
func agree[T any](a *agreement, settings []setting[T], said, download *T) *T {
	if said == nil || download == nil {
		return cmp.Or(said, download)
	}
	whole := *said
	for _, set := range settings {
		equal := sameWord
		if set.name == "Psk" {
			equal = identical
		}
		value := string(*set.of(&whole))
		a.value(set.name, &value, string(*set.of(download)), equal)
		*set.of(&whole) = text(value)
	}
	return &whole
}

// value completes one value, or notes that it is disputed. A key is never
// repeated.
func (a *agreement) value(name string, said *string, download string, equal func(a, b string) bool) {
	switch {
	case *said == "":
		*said = download
	case download == "" || equal(*said, download):
	case name == "Psk":
		a.dispute(name, "DescribeVpnConnection and DownloadVpnConnectionConfig give different keys")
	default:
		there := ""
		if other, ok := mirrored[name]; ok {
			there = ", there " + other
		}
		a.dispute(name, "DescribeVpnConnection says %q, DownloadVpnConnectionConfig %q%s", *said, download, there)
	}
}

// mirrored are the fields of Describe replies that Download replies, which
// speak from the other side, call otherwise.
var mirrored = map[string]string{
	"LocalSubnet": "RemoteSubnet", "RemoteSubnet": "LocalSubnet",
	"LocalId": "RemoteId", "RemoteId": "LocalId",
}

func identical(a, b string) bool { return a == b }
func sameWord(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// sameSubnets compares lists of networks in whatever order.
func sameSubnets(a, b string) bool {
	list := func(s string) []string {
		out := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
		slices.Sort(out)
		return out
	}
	return slices.Equal(list(a), list(b))
}
