package fetch

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"golang.org/x/time/rate"

	"peerconf/vpn"
)

const (
	connectTimeout = 5 * time.Second
	callTimeout    = 20 * time.Second // one try, to the last byte of the answer
)

// session is what the calls of one run share.
type session struct {
	regions     []string
	endpoint    endpoint // none means the region's own
	signer      *signer
	limiter     *rate.Limiter
	concurrency int
	progress    progress

	transport http.RoundTripper
	pause     func(context.Context, time.Duration) error
	timeout   time.Duration
	clients   sync.Pool // of *client: an SDK client must not be shared between calls under way
}

func newSession(ctx context.Context, q Query) (*session, error) {
	if err := refuseDebug(); err != nil {
		return nil, err
	}
	if err := refuseProxy(); err != nil {
		return nil, err
	}
	endpoint, err := parseEndpoint(q.Endpoint)
	if err != nil {
		return nil, err
	}
	regions, err := regions(q)
	if err != nil {
		return nil, err
	}
	signer, err := newSigner(q.Profile)
	if err != nil {
		return nil, err
	}
	limit := rate.Limit(q.Rate)
	if q.Rate == 0 {
		limit = rate.Inf
	}
	s := &session{
		regions: regions, endpoint: endpoint, signer: signer,
		limiter: rate.NewLimiter(limit, 1), concurrency: q.Concurrency,
		progress:  progress{report: q.Progress},
		transport: q.seams.transport, pause: q.seams.pause, timeout: cmp.Or(q.seams.timeout, callTimeout),
	}
	if s.transport == nil {
		s.transport = newTransport(q.Concurrency)
	}
	if s.pause == nil {
		s.pause = pause
	}
	s.clients.New = func() any { return s.newClient() }
	return s, ctx.Err()
}

// refuseDebug keeps the SDK from printing requests, keys and all, on stdout.
func refuseDebug() error {
	for _, word := range strings.Split(os.Getenv("DEBUG"), ",") {
		if word == "sdk" || word == "credential" {
			return vpn.Problem{Field: "DEBUG", Value: word, Reason: "it makes Alibaba's SDK print signatures and keys", Hint: "unset DEBUG"}
		}
	}
	return nil
}

// refuseProxy checks the proxy of the environment: a value that is no URL is
// taken for something else further on, and told with its password.
func refuseProxy() error {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		value := os.Getenv(name)
		if !strings.Contains(value, "://") {
			value = "http://" + value
		}
		if u, err := url.Parse(value); err != nil || u.Host == "" && os.Getenv(name) != "" {
			return vpn.Problem{Field: name, Reason: "not a URL", Hint: "write it as in http://user:password@proxy:3128, with odd characters of the password as %XX"}
		}
	}
	return nil
}

func newTransport(concurrency int) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connectTimeout}).DialContext
	t.MaxIdleConnsPerHost = concurrency
	return t
}

func (s *session) close() {
	if t, ok := s.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// client is an SDK client and the gate that its requests leave by.
type client struct {
	sdk  *sdk.Client
	gate *gate
	err  error
}

// gate lets requests out only encrypted, except to this machine, and ties them
// to a context, which the SDK does not know.
type gate struct {
	next  http.RoundTripper
	ctx   context.Context
	plain bool // --endpoint asks for plain HTTP to this machine
}

var errPlain = errors.New("a request in plain text")

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !(g.plain && loopback(r.URL.Hostname())) {
		return nil, errPlain
	}
	return g.next.RoundTrip(r.WithContext(g.ctx))
}

func (s *session) newClient() *client {
	c := &client{gate: &gate{next: s.transport, plain: s.endpoint.scheme == "http"}}
	config := sdk.NewConfig().WithScheme("HTTPS").WithAutoRetry(false).WithUserAgent("peerconf").WithTimeout(s.timeout)
	config.Transport = c.gate
	c.sdk, c.err = sdk.NewClientWithOptions("", config, s.signer)
	return c
}

// try makes one call once and returns the reply as it came.
func (s *session) try(ctx context.Context, asked *request) (reply []byte, err error) {
	c := s.clients.Get().(*client)
	if c.err != nil {
		return nil, c.err
	}
	defer s.clients.Put(c)
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	c.gate.ctx = ctx
	// The SDK asserts that the fields of an error answer are strings.
	defer func() {
		if recover() != nil {
			err = errNotAnAnswer
		}
	}()
	r := requests.NewCommonRequest()
	r.Product, r.Version, r.ApiName, r.Method = "Vpc", "2016-04-28", asked.operation, requests.POST
	at := s.at(asked.region)
	r.Scheme, r.Domain, r.RegionId = at.scheme, at.host, asked.region
	r.QueryParams["RegionId"] = asked.region
	for name, value := range asked.parameters {
		r.QueryParams[name] = value
	}
	response, err := c.sdk.ProcessCommonRequest(r)
	if err != nil {
		return nil, err
	}
	return response.GetHttpContentBytes(), valid(response.GetHttpContentBytes())
}

// at is where calls about a region go.
func (s *session) at(region string) endpoint {
	if s.endpoint != (endpoint{}) {
		return s.endpoint
	}
	return regionEndpoint(region)
}

// progress counts calls for whoever watches.
type progress struct {
	mu          sync.Mutex
	done, total int
	report      func(done, total int)
}

func (p *progress) expect(calls int) { p.count(0, calls) }
func (p *progress) step()            { p.count(1, 0) }

func (p *progress) count(done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = p.done+done, p.total+total
	if p.report != nil {
		p.report(p.done, p.total)
	}
}
