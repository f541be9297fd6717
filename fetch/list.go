package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"peerconf/vpn"
)

// connection is one that was found, with the gateways to ask for.
type connection struct {
	region, id string
	raw        []byte // as the API gave it
	gateways   []gatewayRef
}

type gatewayRef struct{ operation, id string }

const (
	pageSize = 50 // the most that DescribeVpnConnections gives at a time
	listings = 4  // how often a list is read that changes meanwhile
)

// list gives the connections of a region that the filters leave. A list that
// changes between two of its pages may drop a connection or repeat one, so it
// is then read again.
func (s *session) list(ctx context.Context, region string, q Query) ([]connection, error) {
	for range listings {
		found, settled, err := s.listOnce(ctx, region, q)
		if err != nil {
			return nil, err
		}
		if settled {
			return found, nil
		}
	}
	return nil, vpn.Problem{Source: region, Field: "DescribeVpnConnections",
		Reason: fmt.Sprintf("the list changed each of the %d times it was read", listings), Hint: "fetch again when no connection is being made or deleted"}
}

// listOnce reads all pages once: the first, which tells how many there are,
// then the others. settled tells whether they fit together: as many connections
// as every page promises, each of them once.
func (s *session) listOnce(ctx context.Context, region string, q Query) (found []connection, settled bool, err error) {
	first := pageRequest(region, q, 1)
	total, elements, err := s.pages(ctx, first)
	if err != nil {
		return nil, false, err
	}
	var others []*request
	for n := 2; (n-1)*pageSize < total[0]; n++ {
		others = append(others, pageRequest(region, q, n))
	}
	totals, more, err := s.pages(ctx, others...)
	if err != nil {
		return nil, false, err
	}
	seen := map[string]bool{}
	for _, raw := range append(elements, more...) {
		c, err := understood(raw, region)
		if err != nil {
			return nil, false, notAReply(region, first.operation)
		}
		seen[c.id] = true
		found = append(found, c)
	}
	changed := slices.ContainsFunc(totals, func(n int) bool { return n != total[0] })
	return found, !changed && len(found) == total[0] && len(seen) == total[0], nil
}

func pageRequest(region string, q Query, number int) *request {
	parameters := filters(q)
	parameters["PageNumber"], parameters["PageSize"] = strconv.Itoa(number), strconv.Itoa(pageSize)
	return &request{operation: "DescribeVpnConnections", region: region, parameters: parameters}
}

// pages asks for pages of a list: the total that each promises, and what all
// of them hold.
func (s *session) pages(ctx context.Context, requests ...*request) (totals []int, elements []jsontext.Value, err error) {
	if err := s.all(ctx, requests); err != nil {
		return nil, nil, err
	}
	for _, r := range requests {
		if r.problem != nil {
			return nil, nil, *r.problem
		}
		page, total, err := pageOf(r.reply)
		if err != nil {
			return nil, nil, notAReply(r.region, r.operation)
		}
		totals, elements = append(totals, total), append(elements, page...)
	}
	return totals, elements, nil
}

// filters are the parameters that make the list a part of all.
func filters(q Query) map[string]string {
	parameters := map[string]string{}
	for name, value := range map[string]string{"VpnGatewayId": q.Gateway, "CustomerGatewayId": q.CustomerGateway} {
		if value != "" {
			parameters[name] = value
		}
	}
	for i, tag := range q.Tags {
		key, value, _ := strings.Cut(tag, "=")
		parameters[fmt.Sprintf("Tag.%d.Key", i+1)], parameters[fmt.Sprintf("Tag.%d.Value", i+1)] = key, value
	}
	return parameters
}

// pageOf takes a page apart without changing a byte of its elements.
func pageOf(reply []byte) (elements []jsontext.Value, total int, err error) {
	var page struct {
		VpnConnections struct{ VpnConnection []jsontext.Value }
		TotalCount     *int
	}
	if err := json.Unmarshal(reply, &page, anyCase); err != nil {
		return nil, 0, err
	}
	if page.TotalCount == nil {
		return nil, 0, errors.New("no TotalCount")
	}
	return page.VpnConnections.VpnConnection, *page.TotalCount, nil
}

// understand reads what DescribeVpnConnection answered.
func (s *session) understand(r *request) (connection, *vpn.Problem) {
	c, err := understood(r.reply, r.region)
	if err == nil && c.id == r.id {
		return c, nil
	}
	p := notAReply(r.region, r.operation)
	p.Connection = r.connection
	return connection{}, &p
}

// understood reads which connection a reply describes, flat or wrapped, and
// which gateways that names: its own and its tunnels'.
func understood(raw []byte, region string) (connection, error) {
	var described []*wireConnection
	err := walk(bytes.NewReader(raw), visitor{connection: func(w *wireConnection) bool { described = append(described, w); return true }})
	if err != nil {
		return connection{}, err
	}
	if len(described) != 1 || !plainID(string(described[0].VpnConnectionId)) {
		return connection{}, errors.New("want one connection with an id")
	}
	w := described[0]
	c := connection{region: region, id: string(w.VpnConnectionId), raw: raw}
	c.name("DescribeVpnGateway", w.VpnGatewayId)
	c.name("DescribeCustomerGateway", w.CustomerGatewayId)
	for _, t := range w.TunnelOptionsSpecification.TunnelOptions {
		c.name("DescribeCustomerGateway", t.CustomerGatewayId)
	}
	return c, nil
}

// name notes a gateway that the connection names, once.
func (c *connection) name(operation string, id text) {
	ref := gatewayRef{operation, string(id)}
	if id != "" && !slices.Contains(c.gateways, ref) {
		c.gateways = append(c.gateways, ref)
	}
}

// plainID tells whether an id can be a file's name.
func plainID(id string) bool {
	return id != "" && strings.Trim(strings.ToLower(id), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func notAReply(source, operation string) vpn.Problem {
	return vpn.Problem{Source: source, Field: operation, Reason: "the answer is not a reply of this operation",
		Hint: "something between here and Alibaba Cloud may answer in its place: check --endpoint and the proxy"}
}
