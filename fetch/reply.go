package fetch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"peerconf/vpn"
)

// visitor takes what a source holds, one piece at a time. A nil function has
// its pieces skipped. The functions report whether to go on.
type visitor struct {
	download        func(*wireDownload) bool
	connection      func(*wireConnection) bool
	record          func(*wireConnection, *wireDownload) bool
	customerGateway func(*wireCustomerGateway)
	vpnGateway      func(*wireVpnGateway)
	page            func(listed, total int) // of a list of connections
}

var errStop = errors.New("stop")

// anyCase is how replies are matched: the API has said both status and Status.
var anyCase = json.MatchCaseInsensitiveNames(true)

// walker finds the known replies in a stream of JSON values. Its buffers serve
// one stream after another.
type walker struct {
	visitor
	in   bufio.Reader
	dec  *jsontext.Decoder
	flat []byte            // the members of a reply that are no known container
	seen map[string]string // their names, lower case to as written

	listed      int // connections of a list
	connections int // met so far, visited or skipped
}

// walk visits every reply in r, JSON or XML: one, several one after another,
// or arrays of them.
func walk(r io.Reader, v visitor) error { return newWalker().walk(r, v) }

func newWalker() *walker { return &walker{dec: new(jsontext.Decoder)} }

func (w *walker) walk(r io.Reader, v visitor) error {
	w.visitor = v
	w.in.Reset(r)
	buffered := &w.in
	if mark, _ := buffered.Peek(2); len(mark) == 2 && mark[0] >= 0xef { // no reply begins so without a BOM
		buffered = bufio.NewReader(transform.NewReader(buffered, unicode.BOMOverride(transform.Nop)))
	}
	first, err := firstByte(buffered)
	if err != nil {
		return err
	}
	switch first {
	case '<':
		w.dec.Reset(newXMLReader(buffered))
	case '{', '[':
		w.dec.Reset(buffered)
	default:
		return vpn.Problem{Reason: "neither JSON nor XML", Hint: knownReplies}
	}
	for {
		err := w.value()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errStop):
			return nil
		case err != nil:
			return err
		}
	}
}

// firstByte peeks at the first byte that is not white space.
func firstByte(r *bufio.Reader) (byte, error) {
	for {
		b, err := r.ReadByte()
		if errors.Is(err, io.EOF) {
			return 0, vpn.Problem{Reason: "empty", Hint: knownReplies}
		}
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(b)) {
			return b, r.UnreadByte()
		}
	}
}

func (w *walker) value() error {
	switch w.dec.PeekKind() {
	case '[':
		return w.each(w.value)
	case '{':
		return w.reply()
	case 0:
		_, err := w.dec.ReadToken()
		return err
	}
	return vpn.Problem{Reason: "a bare value where a reply should be", Hint: knownReplies}
}

// each calls f at each element of an array, or once where a lone element
// stands in for an array of one.
func (w *walker) each(f func() error) error {
	if w.dec.PeekKind() != '[' {
		return f()
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	for w.dec.PeekKind() != ']' {
		if err := f(); err != nil {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

// members calls f with each name of an object; f reads the value.
func members(dec *jsontext.Decoder, f func(name string) error) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := f(name.String()); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// reply reads one reply. Containers are streamed; what else it has is kept,
// for the replies that are one flat object.
func (w *walker) reply() error {
	w.flat, w.seen, w.listed = append(w.flat[:0], '{'), map[string]string{}, 0
	contained := false
	var halves recordReader
	err := members(w.dec, func(name string) error {
		lower := strings.ToLower(name)
		switch lower {
		case "describevpnconnection", "downloadvpnconnectionconfig":
			contained = true
			w.connections++
			return halves.read(w)
		case "vpnconnectionconfig":
			contained = true
			w.connections++
			return decode(w.dec, w.download)
		case "vpnconnections":
			contained = true
			return w.list("vpnconnection", func() error {
				w.listed++
				w.connections++
				return decode(w.dec, w.connection)
			})
		case "customergateways":
			contained = true
			return w.list("customergateway", func() error { return decode(w.dec, always(w.customerGateway)) })
		case "vpngateways":
			contained = true
			return w.list("vpngateway", func() error { return decode(w.dec, always(w.vpnGateway)) })
		}
		return w.keep(lower, name)
	})
	switch {
	case err != nil:
		return err
	case halves.count > 0:
		return halves.deliver(w.visitor)
	case contained:
		return w.count()
	}
	return w.flatReply()
}

// count reports how many connections a list has here and in all.
func (w *walker) count() error {
	var page struct{ TotalCount text }
	if w.page == nil || w.listed == 0 {
		return nil
	}
	if err := json.Unmarshal(append(w.flat, '}'), &page, anyCase); err != nil {
		return err
	}
	total, _ := strconv.Atoi(string(page.TotalCount))
	w.page(w.listed, total)
	return nil
}

func (w *walker) keep(lower, name string) error {
	value, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	if len(w.flat) > 1 {
		w.flat = append(w.flat, ',')
	}
	w.flat, _ = jsontext.AppendQuote(w.flat, name)
	w.flat = append(append(w.flat, ':'), value...)
	w.seen[lower] = name
	return nil
}

// list reads {"Element": [ … ]}, or the bare array.
func (w *walker) list(element string, f func() error) error {
	if w.dec.PeekKind() == '[' {
		return w.each(f)
	}
	if w.dec.PeekKind() != '{' {
		return w.dec.SkipValue()
	}
	return members(w.dec, func(name string) error {
		if strings.EqualFold(name, element) {
			return w.each(f)
		}
		return w.dec.SkipValue()
	})
}

// flatReply understands a reply that is one object without a container.
func (w *walker) flatReply() error {
	dec := jsontext.NewDecoder(bytes.NewReader(append(w.flat, '}')))
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := w.seen[n]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("vpnconnectionid"), has("ikeconfig"), has("tunneloptionsspecification"):
		w.connections++
		return decode(dec, w.connection)
	case has("customergatewayid", "ipaddress"):
		return decode(dec, always(w.customerGateway))
	case has("vpngatewayid", "internetip"), has("vpngatewayid", "vpcid"):
		return decode(dec, always(w.vpnGateway))
	}
	return w.unknown()
}

// unknown says what a reply is that brings neither a connection nor a gateway.
func (w *walker) unknown() error {
	if _, ok := w.seen["vpnattachments"]; ok {
		return vpn.Problem{Reason: "a DescribeVpnAttachments reply carries no keys",
			Hint: "save DescribeVpnConnection for each of its InstanceId values"}
	}
	if _, ok := w.seen["code"]; ok && len(w.seen) > 1 {
		var failure struct{ Code, Message, RequestId text }
		if err := json.Unmarshal(append(w.flat, '}'), &failure, anyCase); err == nil {
			return vpn.Problem{Field: "Code", Value: string(failure.Code),
				Reason: fmt.Sprintf("the API answered with an error: %s (request %s)", failure.Message, failure.RequestId),
				Hint:   "mend what it says and save the reply again"}
		}
	}
	return vpn.Problem{Reason: "not a reply peerconf knows", Hint: knownReplies}
}

const knownReplies = "give a reply of DownloadVpnConnectionConfig or DescribeVpnConnection(s), " +
	"beside it of DescribeVpnGateway(s) and DescribeCustomerGateway(s)"

// decode hands the next value to f as a T, or skips it where f is nil.
func decode[T any](dec *jsontext.Decoder, f func(*T) bool) error {
	if f == nil || dec.PeekKind() == 'n' {
		return dec.SkipValue()
	}
	var v T
	if err := json.UnmarshalDecode(dec, &v, anyCase); err != nil {
		return err
	}
	if !f(&v) {
		return errStop
	}
	return nil
}

func always[T any](f func(*T)) func(*T) bool {
	if f == nil {
		return nil
	}
	return func(v *T) bool { f(v); return true }
}
