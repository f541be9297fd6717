package fetch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"peerconf/fetch/apitest"
	"peerconf/vpn"
)

// start gives a server over TLS, and a query that trusts it, signs with its
// key and waits for nothing.
func start(t testing.TB, n int) (*apitest.Server, Query) {
	t.Helper()
	signIn(t)
	s := apitest.New(n, true)
	t.Cleanup(s.Close)
	q := Query{Regions: []string{apitest.Region}, All: true, Endpoint: s.URL, Concurrency: 8}
	transport := s.Client().Transport.(*http.Transport)
	transport.MaxIdleConnsPerHost = q.Concurrency
	q.seams.transport = transport
	q.seams.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return s, q
}

// noLeak fails the test if it leaves a goroutine; call it first.
func noLeak(t *testing.T) {
	current := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, current) })
}

// signIn sets the server's key and nothing else of the environment's.
func signIn(t testing.TB) {
	t.Helper()
	for _, name := range []string{"ALIBABA_CLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_PROFILE", "ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
		"ALIBABA_CLOUD_CREDENTIALS_URI", "ALIBABA_CLOUD_CONFIG_FILE", "DEBUG"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", apitest.KeyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", apitest.Secret)
}

// asked counts the right answers to an operation by id.
func answered(s *apitest.Server, action string) map[string]int {
	n := map[string]int{}
	for _, c := range s.Answered {
		if c.Action == action {
			n[c.ID]++
		}
	}
	return n
}

func ids(f Fetched) (ids []string) {
	for _, r := range f.records {
		ids = append(ids, r.id)
	}
	return ids
}

func want(s *apitest.Server) (ids []string) {
	for _, c := range s.Connections {
		ids = append(ids, c.ID)
	}
	return ids
}

// seeded gives the same chance to the same call, whoever comes first.
func seeded(c apitest.Call) float64 {
	h := uint64(14695981039346656037)
	for _, b := range fmt.Sprint(c) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(h, 1)).Float64()
}

func TestThrottledCallsAllArriveOnce(t *testing.T) {
	noLeak(t)
	s, q := start(t, 120)
	throttled := 0
	var mu sync.Mutex
	s.Fault = func(c apitest.Call) *apitest.Fault {
		if seeded(c) >= 0.3 {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		throttled++
		return &apitest.Fault{Status: 400, Code: "Throttling.User", Message: "Request was denied due to user flow control."}
	}
	f, err := Fetch(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids(f), want(s)) {
		t.Errorf("connections are not those of the list, each once and in its order: %v", ids(f))
	}
	for action, distinct := range map[string]int{"DownloadVpnConnectionConfig": 120, "DescribeVpnGateway": 2, "DescribeCustomerGateway": 12} {
		calls := answered(s, action)
		if len(calls) != distinct {
			t.Errorf("%s was asked about %d, want %d", action, len(calls), distinct)
		}
		for id, n := range calls {
			if n != 1 {
				t.Errorf("%s %s answered %d times", action, id, n)
			}
		}
	}
	if pages := answered(s, "DescribeVpnConnections")[""]; pages != 3 {
		t.Errorf("%d pages, want 3", pages)
	}
	if throttled < 30 {
		t.Errorf("only %d calls were throttled", throttled)
	}
	readBack(t, f, 120)
}

// readBack reads what was fetched as a saved file, and as one file a connection.
func readBack(t *testing.T, f Fetched, n int) {
	t.Helper()
	count := 0
	for c, err := range Read([]Source{f.Source()}, Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if key := c.Tunnels[0].PSK.Reveal(); key != apitest.Key(count) {
			t.Errorf("%s has another connection's key", c.ID)
		}
		count++
	}
	if count != n || len(f.Files()) != n {
		t.Errorf("read %d connections, %d files, want %d", count, len(f.Files()), n)
	}
}

func TestRepliesAreKeptAsTheyCame(t *testing.T) {
	_, q := start(t, 6)
	q.All, q.Connections = false, []string{"vco-0004", "vco-0000", "vco-0004"}
	f, err := Fetch(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(f); !slices.Equal(got, []string{"vco-0004", "vco-0000"}) {
		t.Errorf("got %v", got)
	}
	saved := string(f.JSON())
	for _, part := range []string{`"FieldOfTomorrow":{"Kept":4}`, `"CreateTime":1492753817000`, `"IkeLifetime":"86400"`, `"RequestId":"` + apitest.RequestID, "连接 4"} {
		if !strings.Contains(saved, part) {
			t.Errorf("saved replies lack %s", part)
		}
	}
}

func TestFilters(t *testing.T) {
	s, q := start(t, 20)
	s.Connections[3].Describe["Tags"] = map[string]string{"site": "berlin", "tier": "1"}
	s.Connections[5].Describe["Tags"] = map[string]string{"site": "berlin"}
	for _, test := range []struct {
		set  func(*Query)
		want int
	}{
		{func(q *Query) { q.Gateway = "vpn-2" }, 10},
		{func(q *Query) { q.CustomerGateway = "cgw-1" }, 10},
		{func(q *Query) { q.Gateway, q.CustomerGateway = "vpn-1", "cgw-0" }, 5},
		{func(q *Query) { q.Tags = []string{"site=berlin"} }, 2},
		{func(q *Query) { q.Tags = []string{"site=berlin", "tier=1"} }, 1},
	} {
		filtered := q
		filtered.All = false
		test.set(&filtered)
		f, err := Fetch(context.Background(), filtered)
		if err != nil || len(f.records) != test.want {
			t.Errorf("%+v: %d connections, %v; want %d", filtered, len(f.records), err, test.want)
		}
	}
}

func TestRegionsInTheOrderGiven(t *testing.T) {
	s, q := start(t, 4)
	s.Connections[0].Region, s.Connections[2].Region = "eu-central-1", "eu-central-1"
	q.Regions = []string{"eu-central-1", apitest.Region}
	f, err := Fetch(context.Background(), q)
	if want := []string{"vco-0000", "vco-0002", "vco-0001", "vco-0003"}; err != nil || !slices.Equal(ids(f), want) {
		t.Errorf("got %v, %v; want %v", ids(f), err, want)
	}
}

func TestDeletedAfterItWasListed(t *testing.T) {
	s, q := start(t, 12)
	s.Fault = func(c apitest.Call) *apitest.Fault {
		if c.Action == "DownloadVpnConnectionConfig" && c.ID == "vco-0007" {
			return &apitest.Fault{Status: 404, Code: "InvalidVpnConnectionInstanceId.NotFound", Message: "gone"}
		}
		return nil
	}
	f, err := Fetch(context.Background(), q)
	const text = `cn-hangzhou, connection vco-0007: DownloadVpnConnectionConfig "InvalidVpnConnectionInstanceId.NotFound": ` +
		`there is no connection vco-0007 in region cn-hangzhou (request 0C68048B-0F70-40DA-B8AE-1B79B5CF62E3)`
	if err == nil || err.Error() != text {
		t.Errorf("got  %v\nwant %s", err, text)
	}
	if got := ids(f); len(got) != 11 || slices.Contains(got, "vco-0007") {
		t.Errorf("the others are hidden: %v", got)
	}
}

// TestOneFailureHidesNoOther has a list, a gateway and a download fail.
func TestOneFailureHidesNoOther(t *testing.T) {
	s, q := start(t, 12)
	q.Regions = []string{"eu-central-1", apitest.Region}
	s.Fault = func(c apitest.Call) *apitest.Fault {
		switch {
		case c.Region == "eu-central-1":
			return &apitest.Fault{Status: 403, Code: "Forbidden"}
		case c.ID == "cgw-1":
			return &apitest.Fault{Status: 200, Body: `{"CustomerGatewayId":"cgw-1"}`}
		case c.ID == "vco-0003":
			return &apitest.Fault{Status: 200, Body: `{"VpnConnectionConfig":1}`}
		}
		return nil
	}
	f, err := Fetch(context.Background(), q)
	const want = `eu-central-1: DescribeVpnConnections "Forbidden": RAM does not allow vpc:DescribeVpnConnections (request 0C68048B-0F70-40DA-B8AE-1B79B5CF62E3)
cn-hangzhou, connection vco-0010: DescribeCustomerGateway: the answer is not a reply of this operation
cn-hangzhou, connection vco-0003: DownloadVpnConnectionConfig: the answer is not a reply of this operation`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if len(f.records) != 11 || len(f.gateways) != 3 {
		t.Errorf("%d connections and %d gateways came", len(f.records), len(f.gateways))
	}
	for _, err := range Read([]Source{f.Source()}, Options{}) {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestListThatChangesWhileRead(t *testing.T) {
	tests := map[string]func(c apitest.Call, shown, all []*apitest.Connection) []*apitest.Connection{
		"page repeated": func(c apitest.Call, shown, all []*apitest.Connection) []*apitest.Connection {
			if c.Page == 2 {
				return all[:50]
			}
			return shown
		},
		"connection lost between pages": func(c apitest.Call, shown, _ []*apitest.Connection) []*apitest.Connection {
			if c.Page == 2 {
				return shown[1:]
			}
			return shown
		},
		"connection twice": func(c apitest.Call, shown, all []*apitest.Connection) []*apitest.Connection {
			if c.Page == 2 {
				return append([]*apitest.Connection{all[49]}, shown...)
			}
			return shown
		},
	}
	for name, disturb := range tests {
		t.Run(name, func(t *testing.T) {
			s, q := start(t, 120)
			q.All, q.Gateway = true, ""
			times := 1
			s.Pages = func(c apitest.Call, shown []*apitest.Connection) []*apitest.Connection {
				if c.N < times {
					return disturb(c, shown, s.Connections)
				}
				return shown
			}
			f, err := Fetch(context.Background(), q)
			if err != nil || !slices.Equal(ids(f), want(s)) {
				t.Errorf("read again: %v, %d connections", err, len(f.records))
			}
			times = 1 << 20
			_, err = Fetch(context.Background(), q)
			if err == nil || err.Error() != "cn-hangzhou: DescribeVpnConnections: the list changed each of the 4 times it was read" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	noLeak(t)
	s, q := start(t, 40)
	ctx, cancel := context.WithCancel(context.Background())
	s.Fault = func(c apitest.Call) *apitest.Fault {
		if c.ID == "vco-0020" {
			cancel()
			return &apitest.Fault{Hang: true}
		}
		return nil
	}
	f, err := Fetch(ctx, q)
	if !errors.Is(err, context.Canceled) || !f.Empty() {
		t.Errorf("got %v, %d connections", err, len(f.records))
	}
}

func TestQueryIsChecked(t *testing.T) {
	for text, q := range map[string]Query{
		"which connections?": {Concurrency: 1},
		"--connection, --all and the filters exclude each other":            {Connections: []string{"vco-1"}, All: true, Concurrency: 1},
		"--concurrency: want at least 1":                                    {All: true},
		"--rate: want calls a second, 0 for no limit":                       {All: true, Concurrency: 1, Rate: -1},
		`--tag "berlin": not KEY=VALUE`:                                     {Tags: []string{"berlin"}, Concurrency: 1},
		"--region: given more than once, and a connection is in one region": {Connections: []string{"vco-1"}, Regions: []string{"a", "b"}, Concurrency: 1},
		`--region "evil.example/": not a region's id`:                       {All: true, Regions: []string{"evil.example/"}, Concurrency: 1},
		`--region "a": given twice`:                                         {All: true, Regions: []string{"a", "a"}, Concurrency: 1},
	} {
		signIn(t)
		if _, err := Fetch(context.Background(), q); err == nil || err.Error() != text {
			t.Errorf("got  %v\nwant %s", err, text)
		}
	}
}

func TestNothingThere(t *testing.T) {
	_, q := start(t, 3)
	q.All, q.Gateway = false, "vpn-9"
	_, err := Fetch(context.Background(), q)
	if err == nil || err.Error() != "cn-hangzhou: no connection there that the filters let through" {
		t.Errorf("got %v", err)
	}
}

func TestProgressCountsEveryCall(t *testing.T) {
	_, q := start(t, 60)
	var done, total, reports int
	q.Progress = func(d, n int) { done, total, reports = d, n, reports+1 }
	if _, err := Fetch(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	if calls := 2 + 60 + 2 + 6; done != calls || total != calls || reports < calls {
		t.Errorf("%d of %d in %d reports, want %d", done, total, reports, calls)
	}
}

func TestRateLimit(t *testing.T) {
	_, q := start(t, 8)
	q.Rate, q.Concurrency = 400, 8 // the rate holds from the first call on
	began := time.Now()
	if _, err := Fetch(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	if least := 11 * time.Second / 400; time.Since(began) < least {
		t.Errorf("12 calls took %v, want at least %v", time.Since(began), least)
	}
}

// TestNoPlainHTTP holds the SDK, which defaults to plain HTTP, to TLS.
func TestNoPlainHTTP(t *testing.T) {
	signIn(t)
	var seen []string
	q := Query{Regions: []string{"cn-shanghai", apitest.Region}, All: true, Concurrency: 1}
	q.seams.pause = func(context.Context, time.Duration) error { return nil }
	q.seams.transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r.URL.Scheme+"://"+r.URL.Host)
		return nil, vpn.Problem{Reason: "no network here"}
	})
	Fetch(context.Background(), q)
	if !slices.Equal(seen, []string{"https://vpc.cn-shanghai.aliyuncs.com", "https://vpc.aliyuncs.com"}) {
		t.Errorf("asked %v", seen)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// BenchmarkFetch500 compares with the ideal: every call takes as long as the
// server takes to answer, and as many as allowed are always under way.
func BenchmarkFetch500(b *testing.B) {
	const n, latency = 500, 20 * time.Millisecond
	s, q := start(b, n)
	s.Fault = func(apitest.Call) *apitest.Fault { return &apitest.Fault{Delay: latency} }
	for b.Loop() {
		if _, err := Fetch(context.Background(), q); err != nil {
			b.Fatal(err)
		}
	}
	calls := len(s.Answered) / b.N
	ideal := latency.Seconds() * float64(calls) / float64(q.Concurrency)
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/fetch")
	b.ReportMetric(ideal, "s/ideal")
}
