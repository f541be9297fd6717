package fetch

import (
	"bytes"
	"encoding/xml"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"peerconf/vpn"
)

// containers are the names around what the wire structs hold. The children of
// those marked are one list.
var containers = map[string]bool{
	"VpnConnectionConfig": false, "VpnConnection": false, "CustomerGateway": false, "VpnGateway": false,
	"VpnConnections": true, "CustomerGateways": true, "VpnGateways": true, "VpnAttachments": true,
	"TunnelsConfig": true, "BgpConfigs": true, "TunnelOptionsSpecification": true,
	"TunnelConfig": false, "BgpConfig": false, "TunnelOptions": false,
	"TotalCount": false, "RequestId": false, "Code": false, "Message": false,
}

// known maps the lower case of every element that is read to whether it is a
// list. Others are passed over, and may repeat.
var known = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, t := range []any{wireDownload{}, wireDownloadTunnel{}, wireConnection{}, wireTunnel{}, wireIKE{}, wireIPsec{}, wireBGP{}, wireVpnBGP{}, wireCustomerGateway{}, wireVpnGateway{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(t)) {
			all[strings.ToLower(f.Name)] = false
		}
	}
	for name, isList := range containers {
		all[strings.ToLower(name)] = isList
	}
	return all
})

// xmlReader rewrites XML replies as the JSON the API sends for them, so that
// there is one way to understand a reply. An element with children becomes an
// object, one without becomes a string or, empty, null. The root's name, which
// differs between documents of one operation, is dropped.
type xmlReader struct {
	dec   *xml.Decoder
	out   bytes.Buffer
	stack []element
	err   error
}

type element struct {
	name  string
	list  bool // its children are elements of one list
	open  bool // it has had a child
	chars []byte
}

func newXMLReader(r io.Reader) *xmlReader {
	x := &xmlReader{dec: xml.NewDecoder(r)}
	x.dec.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, vpn.Problem{Field: "encoding", Value: charset, Reason: "XML in another encoding than UTF-8", Hint: "convert the file: iconv -f " + charset + " -t UTF-8"}
	}
	return x
}

func (x *xmlReader) Read(p []byte) (int, error) {
	for x.out.Len() == 0 && x.err == nil {
		x.err = x.step()
	}
	if x.out.Len() > 0 {
		return x.out.Read(p)
	}
	return 0, x.err
}

func (x *xmlReader) step() error {
	token, err := x.dec.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case xml.StartElement:
		if _, ok := known()[strings.ToLower(token.Name.Local)]; !ok && len(x.stack) > 0 {
			return x.dec.Skip()
		}
		x.start(token.Name.Local)
	case xml.CharData:
		if n := len(x.stack); n > 0 {
			x.stack[n-1].chars = append(x.stack[n-1].chars, token...)
		}
	case xml.EndElement:
		x.end()
	}
	return nil
}

func (x *xmlReader) start(name string) {
	if n := len(x.stack); n > 0 {
		x.separate(&x.stack[n-1], name)
	}
	x.stack = append(x.stack, element{name: name, list: known()[strings.ToLower(name)]})
}

// separate writes what stands between a parent and its next child.
func (x *xmlReader) separate(parent *element, child string) {
	first := !parent.open
	parent.open = true
	if first {
		x.out.WriteByte('{')
	} else {
		x.out.WriteByte(',')
	}
	if parent.list && !first {
		return
	}
	x.quote([]byte(child))
	x.out.WriteByte(':')
	if parent.list {
		x.out.WriteByte('[')
	}
}

func (x *xmlReader) end() {
	last := x.stack[len(x.stack)-1]
	x.stack = x.stack[:len(x.stack)-1]
	chars := bytes.TrimSpace(last.chars)
	switch {
	case last.open && last.list:
		x.out.WriteString("]}")
	case last.open:
		x.out.WriteByte('}')
	case len(chars) == 0:
		x.out.WriteString("null")
	default:
		x.quote(chars)
	}
	if len(x.stack) == 0 {
		x.out.WriteByte('\n')
	}
}

func (x *xmlReader) quote(s []byte) {
	quoted, _ := jsontext.AppendQuote(nil, s) // the XML decoder lets only UTF-8 through
	x.out.Write(quoted)
}
