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

// list gives the connections of a region that the filters leave. A list that
// changes between two of its pages may drop a connection or repeat one, so it
// is then read again.
func (s *session) list(ctx context.Context, region string, q Query) ([]connection, error) {
	for range listings {
		found, settled, err := s.listOnce(ctx, region, filters(q))
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

// listOnce reads all pages once. settled tells whether they fit together: as
// many connections as they promise, each of them once.
func (s *session) listOnce(ctx context.Context, region string, parameters map[string]string) (found []connection, settled bool, err error) {
	seen, total, repeated := map[string]bool{}, 0, false
	for page := 1; page == 1 || (page-1)*pageSize < total; page++ {
		s.progress.expect(1)
		parameters["PageNumber"], parameters["PageSize"] = strconv.Itoa(page), strconv.Itoa(pageSize)
		reply, err := s.call(ctx, "DescribeVpnConnections", region, "", parameters)
		if failed := new(failure); errors.As(err, &failed) {
			failed.problem.Source = region
			return nil, false, failed.problem
		}
		if err != nil {
			return nil, false, err
		}
		s.progress.step()
		var elements []jsontext.Value
		if elements, total, err = pageOf(reply); err != nil {
			return nil, false, notAReply(region, "DescribeVpnConnections")
		}
		for _, raw := range elements {
			c, err := understood(raw, region)
			if err != nil {
				return nil, false, notAReply(region, "DescribeVpnConnections")
			}
			repeated = repeated || seen[c.id]
			seen[c.id] = true
			found = append(found, c)
		}
	}
	return found, !repeated && len(found) == total, nil
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
	return vpn.Problem{Source: source, Field: cmp.Or(operation, "reply"), Reason: "the answer is not a reply of this operation",
		Hint: "something between here and Alibaba Cloud may answer in its place: check --endpoint and the proxy"}
}
