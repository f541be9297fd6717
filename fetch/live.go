package fetch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"peerconf/vpn"
)

// Query says which connections to fetch from the live API, and how.
type Query struct {
	// Regions to look in, in this order; none means the region that the
	// environment, else the profile names.
	Regions []string
	// Connections are ids, vco-…. Without any, it is the list of all that the
	// filters below leave, and one of them or All must be set.
	Connections              []string
	Gateway, CustomerGateway string
	Tags                     []string // key=value
	All                      bool

	Profile     string  // of ~/.aliyun/config.json; "" goes by the order of Credentials
	Endpoint    string  // instead of the region's; https, or http to this machine
	Rate        float64 // calls a second, 0 for no limit
	Concurrency int     // calls at a time, at least 1

	Progress func(done, total int) // called after each call, one at a time; may be nil

	seams seams
}

// seams are where tests take the place of the world.
type seams struct {
	transport http.RoundTripper
	pause     func(context.Context, time.Duration) error
	timeout   time.Duration
}

// request is one call of a run, and what came of it.
type request struct {
	operation  string
	region     string
	id         string // of what is asked for
	connection string // on whose behalf
	parameters map[string]string
	reply      []byte
	problem    *vpn.Problem
}

// about makes a request about one id.
func about(operation, region, id, connection string) *request {
	return &request{operation: operation, region: region, id: id, connection: connection, parameters: map[string]string{idParameters[operation]: id}}
}

// idParameters names, for each operation, the parameter that takes the id.
var idParameters = map[string]string{
	"DescribeVpnConnection":       "VpnConnectionId",
	"DownloadVpnConnectionConfig": "VpnConnectionId",
	"DescribeVpnGateway":          "VpnGatewayId",
	"DescribeCustomerGateway":     "CustomerGatewayId",
}

// Fetch asks the API for connections and for the gateways they name, each
// gateway once. What could not be had is in the error, which is vpn.Problems;
// what could is in Fetched all the same. A cancelled context, or a failure
// that every call would share, leaves Fetched empty.
func Fetch(ctx context.Context, q Query) (Fetched, error) {
	if err := q.check(); err != nil {
		return Fetched{}, err
	}
	s, err := newSession(ctx, q)
	if err != nil {
		return Fetched{}, err
	}
	defer s.close()
	fetched, problems, err := s.fetch(ctx, q)
	if shared := new(failure); errors.As(err, &shared) {
		return Fetched{}, shared.problem
	}
	return fetched, cmp.Or(err, problems.OrNil())
}

func (s *session) fetch(ctx context.Context, q Query) (Fetched, vpn.Problems, error) {
	found, problems, err := s.find(ctx, q)
	if err != nil {
		return Fetched{}, nil, err
	}
	downloads, gateways := follow(found)
	if err := s.all(ctx, slices.Concat(downloads, gateways)); err != nil {
		return Fetched{}, nil, err
	}
	fetched, more := assemble(found, downloads, gateways)
	return fetched, append(problems, more...), nil
}

func (q Query) check() error {
	filtered := q.Gateway != "" || q.CustomerGateway != "" || len(q.Tags) > 0
	switch {
	case len(q.Connections) > 0 && (filtered || q.All), filtered && q.All:
		return vpn.Problem{Reason: "--connection, --all and the filters exclude each other", Hint: "give ids, or filters, or --all"}
	case len(q.Connections) == 0 && !filtered && !q.All:
		return vpn.Problem{Reason: "which connections?", Hint: "--connection vco-…, --gateway vpn-…, --customer-gateway cgw-…, --tag KEY=VALUE or --all"}
	case len(q.Connections) > 0 && len(q.Regions) > 1:
		return vpn.Problem{Field: "--region", Reason: "given more than once, and a connection is in one region", Hint: "fetch region by region"}
	case q.Concurrency < 1:
		return vpn.Problem{Field: "--concurrency", Reason: "want at least 1", Hint: "leave it out for 8"}
	case !(q.Rate >= 0) || math.IsInf(q.Rate, 1):
		return vpn.Problem{Field: "--rate", Reason: "want calls a second, 0 for no limit", Hint: "leave it out for 20"}
	}
	for _, id := range q.Connections {
		if !plainID(id) {
			return vpn.Problem{Field: "--connection", Value: id, Reason: "not a connection's id", Hint: "write it as in --connection vco-bp10lz7aejumd2vxoqgev; give the option once for each"}
		}
	}
	for _, tag := range q.Tags {
		if key, _, ok := strings.Cut(tag, "="); !ok || key == "" {
			return vpn.Problem{Field: "--tag", Value: tag, Reason: "not KEY=VALUE", Hint: "write it as in --tag site=berlin"}
		}
	}
	return nil
}

// find gives the connections that are asked for, in order.
func (s *session) find(ctx context.Context, q Query) (found []connection, problems vpn.Problems, err error) {
	if len(q.Connections) > 0 {
		return s.describe(ctx, q.Connections)
	}
	for _, region := range s.regions {
		listed, problem, err := s.list(ctx, region, q)
		if err != nil {
			return nil, nil, err
		}
		if problem != nil {
			problems = append(problems, *problem)
		}
		found = append(found, listed...)
	}
	if len(found) == 0 && len(problems) == 0 {
		problems = vpn.Problems{{Source: strings.Join(s.regions, ", "), Reason: "no connection there that the filters let through",
			Hint: "look in another region, or with --all"}}
	}
	return found, problems, nil
}

// describe asks for connections by id.
func (s *session) describe(ctx context.Context, ids []string) (found []connection, problems vpn.Problems, err error) {
	var requests []*request
	for i, id := range ids {
		if !slices.Contains(ids[:i], id) {
			requests = append(requests, about("DescribeVpnConnection", s.regions[0], id, id))
		}
	}
	if err := s.all(ctx, requests); err != nil {
		return nil, nil, err
	}
	for _, r := range requests {
		if r.problem == nil {
			c, err := understood(r.reply, r.region)
			if err == nil && c.id == r.id {
				found = append(found, c)
				continue
			}
			r.problem = r.notAReply()
		}
		problems = append(problems, *r.problem)
	}
	return found, problems, nil
}

// follow gives the calls that complete the connections: a download for each,
// and every gateway they name.
func follow(found []connection) (downloads, gateways []*request) {
	asked := map[string]bool{}
	for _, c := range found {
		downloads = append(downloads, about("DownloadVpnConnectionConfig", c.region, c.id, c.id))
		for _, g := range c.gateways {
			if asked[g.id] {
				continue
			}
			asked[g.id] = true
			gateways = append(gateways, about(g.operation, c.region, g.id, c.id))
		}
	}
	return downloads, gateways
}

// all makes the calls, some at a time. A call's own failure stays with it; one
// that all share ends the run and is returned.
func (s *session) all(ctx context.Context, requests []*request) error {
	s.progress.expect(len(requests))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency)
	for _, r := range requests {
		group.Go(func() error {
			if err := inner.Err(); err != nil {
				return err
			}
			reply, err := s.call(inner, r)
			if failed := new(failure); errors.As(err, &failed) {
				if failed.shared {
					return failed
				}
				failed.problem.Connection = r.connection
				r.problem, err = &failed.problem, nil
			} else if err == nil && r.id != "" && !holds(reply, r.id) {
				r.problem = r.notAReply()
			}
			r.reply = reply
			s.progress.step()
			return err
		})
	}
	return group.Wait()
}

// holds tells whether a reply can be read back later, as one thing, and is of
// the id asked for where it says of which it is.
func holds(reply []byte, id string) bool {
	n := 0
	is := func(said text) bool { n++; return said == "" || string(said) == id }
	ok := true
	err := walk(bytes.NewReader(reply), visitor{
		download:        func(*wireDownload) bool { n++; return true },
		connection:      func(w *wireConnection) bool { ok = ok && is(w.VpnConnectionId); return true },
		customerGateway: func(w *wireCustomerGateway) { ok = ok && is(w.CustomerGatewayId) },
		vpnGateway:      func(w *wireVpnGateway) { ok = ok && is(w.VpnGatewayId) },
	})
	return err == nil && n == 1 && ok
}

func (r *request) notAReply() *vpn.Problem {
	return &vpn.Problem{Source: r.region, Connection: r.connection, Field: r.operation, Reason: "the answer is not a reply of this operation",
		Hint: "something between here and Alibaba Cloud may answer in its place: check --endpoint and the proxy"}
}

// assemble puts the replies together: gateways first, a record for each
// connection whose two halves came.
func assemble(found []connection, downloads, gateways []*request) (f Fetched, problems vpn.Problems) {
	replies := map[string][]byte{}
	for _, g := range gateways {
		if g.problem != nil {
			problems = append(problems, *g.problem)
			continue
		}
		f.gateways = append(f.gateways, g.reply)
		replies[g.id] = g.reply
	}
	for i, c := range found {
		if p := downloads[i].problem; p != nil {
			problems = append(problems, *p)
			continue
		}
		r := record{id: c.id, text: recordJSON(c.raw, downloads[i].reply)}
		for _, g := range c.gateways {
			if reply, ok := replies[g.id]; ok {
				r.gateways = append(r.gateways, reply)
			}
		}
		f.records = append(f.records, r)
	}
	return f, problems
}
