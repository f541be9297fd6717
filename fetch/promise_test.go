package fetch

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"peerconf/fetch/apitest"
)

// watched looks at requests on their way.
type watched struct {
	next          http.RoundTripper
	under, most   atomic.Int32
	notPost, seen atomic.Int32
}

func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	w.seen.Add(1)
	if r.Method != http.MethodPost {
		w.notPost.Add(1)
	}
	n := w.under.Add(1)
	defer w.under.Add(-1)
	for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
	}
	return w.next.RoundTrip(r)
}

// TestCallsAtATime holds the calls under way to the number given, and every
// call to the method that keeps its parameters out of logs of URLs.
func TestCallsAtATime(t *testing.T) {
	s, q := start(t, 40)
	s.Fault = func(apitest.Call) *apitest.Fault { return &apitest.Fault{Delay: 2 * time.Millisecond} }
	w := &watched{next: q.seams.transport}
	q.seams.transport, q.Concurrency = w, 3
	if _, err := Fetch(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	if most := w.most.Load(); most != 3 {
		t.Errorf("%d calls at a time, want 3", most)
	}
	if w.notPost.Load() > 0 || w.seen.Load() < 40 {
		t.Errorf("%d of %d calls are no POST", w.notPost.Load(), w.seen.Load())
	}
}

// TestTunnelsOwnGateways asks for a customer gateway that only a tunnel names.
func TestTunnelsOwnGateways(t *testing.T) {
	s, q := start(t, 5)
	options := s.Connections[4].Describe["TunnelOptionsSpecification"].(map[string]any)["TunnelOptions"].([]any)
	options[1].(map[string]any)["CustomerGatewayId"] = "cgw-own"
	s.Gateways["cgw-own"] = map[string]any{"CustomerGatewayId": "cgw-own", "IpAddress": "139.196.99.9"}
	if _, err := Fetch(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	if answered(s, "DescribeCustomerGateway")["cgw-own"] != 1 {
		t.Error("the tunnel's gateway was not asked for")
	}
}

// TestAnswersOfOthers refuses an answer that is of another id than asked for.
func TestAnswersOfOthers(t *testing.T) {
	for action, body := range map[string]any{
		"DescribeVpnConnection":   map[string]any{"VpnConnectionId": "vco-other", "IkeConfig": map[string]any{"Psk": "k"}},
		"DescribeCustomerGateway": map[string]any{"CustomerGatewayId": "cgw-other", "IpAddress": "7.7.7.7"},
		"DescribeVpnGateway":      map[string]any{"VpnGatewayId": "vpn-other", "InternetIp": "7.7.7.7"},
	} {
		s, q := start(t, 1)
		text, _ := json.Marshal(body)
		s.Fault = func(c apitest.Call) *apitest.Fault {
			if c.Action == action {
				return &apitest.Fault{Status: http.StatusOK, Body: string(text)}
			}
			return nil
		}
		q.All, q.Connections = false, []string{"vco-0000"}
		if _, err := Fetch(context.Background(), q); err == nil || !strings.Contains(err.Error(), "not a reply of this operation") {
			t.Errorf("%s: %v", action, err)
		}
	}
}

// TestTurnedAway retries every way in which the API says that it is too much.
func TestTurnedAway(t *testing.T) {
	for name, f := range map[string]apitest.Fault{
		"dot":    {Status: 400, Code: "Throttling.Api"},
		"word":   {Status: 400, Code: "ThrottlingException"},
		"status": {Status: 429, Code: "TooManyRequests"},
	} {
		s, q := start(t, 1)
		s.Fault = func(c apitest.Call) *apitest.Fault {
			if c.N < 3 {
				return &f
			}
			return nil
		}
		if _, err := Fetch(context.Background(), q); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEmptyLists reads every form in which a list has nothing, or one thing.
func TestEmptyLists(t *testing.T) {
	for body, want := range map[string]string{
		`{"TotalCount":0,"VpnConnections":[]}`:    "no connection there",
		`{"TotalCount":"0","VpnConnections":""}`:  "no connection there",
		`{"VpnConnections":{"VpnConnection":[]}}`: "no connection there",
		`{"TotalCount":1,"VpnConnections":{"VpnConnection":{"VpnConnectionId":"vco-0000","VpnGatewayId":"vpn-1"}}}`: "",
		`{"TotalCount":-5,"VpnConnections":[]}`: "not a reply of this operation",
	} {
		s, q := start(t, 1)
		s.Fault = func(c apitest.Call) *apitest.Fault {
			if c.Action == "DescribeVpnConnections" {
				return &apitest.Fault{Status: http.StatusOK, Body: body}
			}
			return nil
		}
		_, err := Fetch(context.Background(), q)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
