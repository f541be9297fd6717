package fetch

import (
	"bytes"
	"cmp"
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

// list gives the connections of a region that the filters leave, or the
// problem of that region. A list that changes between two of its pages may drop
// a connection or repeat one, so it is then read again.
func (s *session) list(ctx context.Context, region string, q Query) ([]connection, *vpn.Problem, error) {
	for range listings {
		l := listing{session: s, region: region, query: q}
		found, err := l.read(ctx)
		if err != nil || l.problem != nil {
			return nil, l.problem, err
		}
		if l.settled(found) {
			return found, nil, nil
		}
	}
	return nil, &vpn.Problem{Source: region, Field: "DescribeVpnConnections",
		Reason: fmt.Sprintf("the list changed each of the %d times it was read", listings), Hint: "fetch again when no connection is being made or deleted"}, nil
}

// listing is one reading of a list.
type listing struct {
	*session
	region  string
	query   Query
	totals  []int // that the pages promise
	problem *vpn.Problem
}

// read reads the first page, which tells how many there are, then the others.
func (l *listing) read(ctx context.Context) (found []connection, err error) {
	if found, err = l.pages(ctx, pageRequest(l.region, l.query, 1)); err != nil || l.problem != nil {
		return nil, err
	}
	var others []*request
	for n := 2; (n-1)*pageSize < l.totals[0]; n++ {
		others = append(others, pageRequest(l.region, l.query, n))
	}
	more, err := l.pages(ctx, others...)
	return append(found, more...), err
}

// settled tells whether the pages fit together: as many connections as each
// page promises, each of them once.
func (l *listing) settled(found []connection) bool {
	seen := map[string]bool{}
	for _, c := range found {
		seen[c.id] = true
	}
	for _, total := range l.totals {
		if len(found) != total || len(seen) != total {
			return false
		}
	}
	return true
}

func (l *listing) pages(ctx context.Context, requests ...*request) (found []connection, err error) {
	if err := l.all(ctx, requests); err != nil {
		return nil, err
	}
	for _, r := range requests {
		if r.problem == nil {
			var page []connection
			var total int
			if page, total, err = pageOf(r); err != nil {
				r.problem = r.notAReply()
			}
			found, l.totals = append(found, page...), append(l.totals, total)
		}
		l.problem = cmp.Or(l.problem, r.problem)
	}
	return found, nil
}

func pageRequest(region string, q Query, number int) *request {
	parameters := filters(q)
	parameters["PageNumber"], parameters["PageSize"] = strconv.Itoa(number), strconv.Itoa(pageSize)
	return &request{operation: "DescribeVpnConnections", region: region, parameters: parameters}
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
func pageOf(r *request) (found []connection, total int, err error) {
	var page struct {
		VpnConnections list[jsontext.Value]
		TotalCount     text
	}
	if err := json.Unmarshal(r.reply, &page, anyCase); err != nil {
		return nil, 0, err
	}
	total = len(page.VpnConnections)
	if page.TotalCount != "" {
		total, err = strconv.Atoi(string(page.TotalCount))
	}
	if err != nil || total < 0 {
		return nil, 0, errors.New("want a TotalCount")
	}
	for _, raw := range page.VpnConnections {
		c, err := understood(raw, r.region)
		if err != nil {
			return nil, 0, err
		}
		found = append(found, c)
	}
	return found, total, nil
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
	for _, t := range w.TunnelOptionsSpecification {
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
