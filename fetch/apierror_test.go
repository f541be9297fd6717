package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"peerconf/fetch/apitest"
	"peerconf/vpn"
)

const policyHint = `have this policy granted: {"Version":"1","Statement":[{"Effect":"Allow","Action":["vpc:DescribeVpnConnections","vpc:DescribeVpnConnection",` +
	`"vpc:DownloadVpnConnectionConfig","vpc:DescribeVpnGateway","vpc:DescribeCustomerGateway"],"Resource":"*"}]}`

// apiErrors pins what is said of each code, and after how many calls.
var apiErrors = []struct {
	status             int
	code, reason, hint string
	calls              int
}{
	{403, "Forbbiden.SubUser", "RAM does not allow vpc:DownloadVpnConnectionConfig", policyHint, 1},
	{403, "Forbidden", "RAM does not allow vpc:DownloadVpnConnectionConfig", policyHint, 1},
	{403, "Forbidden.RAM", "RAM does not allow vpc:DownloadVpnConnectionConfig", policyHint, 1},
	{403, "NoPermission", "RAM does not allow vpc:DownloadVpnConnectionConfig", policyHint, 1},
	{404, "InvalidVpnConnectionInstanceId.NotFound", "there is no connection vco-0000 in region cn-hangzhou", "it may be gone, or in another region: --region", 1},
	{404, "InvalidVpnGatewayInstanceId.NotFound", "there is no VPN gateway vco-0000 in region cn-hangzhou", "it may just have been deleted: fetch again", 1},
	{404, "InvalidCustomerGatewayInstanceId.NotFound", "there is no customer gateway vco-0000 in region cn-hangzhou", "it may just have been deleted: fetch again", 1},
	{404, "InvalidAccessKeyId.NotFound", "the AccessKey ID does not exist, or is disabled",
		"correct it: aliyun configure, or ALIBABA_CLOUD_ACCESS_KEY_ID; an expired STS token can look like this too", 1},
	{400, "SignatureDoesNotMatch", "the AccessKey secret does not belong to the AccessKey ID",
		"set both again: aliyun configure, or ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET", 1},
	{400, "InvalidSecurityToken.Expired", "the STS token has expired", "get a new one and set it with its key, or sign in again: aliyun configure", 1},
	{400, "InvalidSecurityToken.MismatchWithAccessKey", "the STS token is not one of this AccessKey ID", "take key and token from the same answer of STS", 1},
	{400, "IllegalTimestamp", "this machine's clock is off: a request is valid for 15 minutes", "set the clock, e.g. timedatectl set-ntp true", 1},
	{400, "InvalidTimeStamp.Expired", "this machine's clock is off: a request is valid for 15 minutes", "set the clock, e.g. timedatectl set-ntp true", 1},
	{404, "InvalidRegionId.NotFound", "there is no region cn-hangzhou", "aliyun vpc DescribeRegions lists them", 1},
	{400, "InvalidRegion.NotFound", "there is no region cn-hangzhou", "aliyun vpc DescribeRegions lists them", 1},
	{400, "Throttling.User", "still turned away after 9 tries", "try again later, or ask less often: --rate 5", tries},
	{400, "Throttling", "still turned away after 9 tries", "try again later, or ask less often: --rate 5", tries},
	{400, "Rejected.Throttling", "still turned away after 9 tries", "try again later, or ask less often: --rate 5", tries},
	{503, "ServiceUnavailable", "still turned away after 9 tries", "try again later, or ask less often: --rate 5", tries},
	{503, "ServiceUnavailableTemporary", "still turned away after 9 tries", "try again later, or ask less often: --rate 5", tries},
	{500, "InternalError", "the API still fails after 9 tries", "try again later", tries},
	{500, "InternalFailure", "the API still fails after 9 tries", "try again later", tries},
	{502, "SomethingNew", "the API still fails after 9 tries", "try again later", tries},
	{400, "SomethingElse", "what the API says of it", "look the code up in Alibaba Cloud's API error center", 1},
}

func TestEachErrorCode(t *testing.T) {
	left := map[string]bool{}
	for code := range causes {
		left[code] = true
	}
	for _, test := range apiErrors {
		t.Run(test.code, func(t *testing.T) {
			for code := range causes {
				if test.code == code || strings.HasPrefix(test.code, code+".") {
					delete(left, code)
				}
			}
			s, q := start(t, 1)
			q.All, q.Connections = false, []string{"vco-0000"}
			calls := 0
			s.Fault = func(c apitest.Call) *apitest.Fault {
				if c.Action != "DownloadVpnConnectionConfig" {
					return nil
				}
				calls++
				return &apitest.Fault{Status: test.status, Code: test.code, Message: "what the API says of it"}
			}
			_, err := Fetch(context.Background(), q)
			p := onlyProblem(t, err)
			where := "cn-hangzhou, connection vco-0000: "
			if p.Connection == "" {
				where = "cn-hangzhou: " // every connection would fail alike
			}
			pin(t, p, where+"DownloadVpnConnectionConfig \""+test.code+"\": "+test.reason+" (request "+apitest.RequestID+")", test.hint)
			if calls != test.calls {
				t.Errorf("asked %d times, want %d", calls, test.calls)
			}
		})
	}
	for code := range left {
		t.Errorf("no test pins what is said of %s", code)
	}
}

func onlyProblem(t *testing.T, err error) (one vpn.Problem) {
	t.Helper()
	var several vpn.Problems
	switch {
	case errors.As(err, &several) && len(several) == 1:
		return several[0]
	case !errors.As(err, &one):
		t.Fatalf("want one problem, got %v", err)
	}
	return one
}

// pin compares a problem's text, and looks for secrets in it.
func pin(t *testing.T, p vpn.Problem, text, hint string) {
	t.Helper()
	if p.Error() != text || p.Hint != hint {
		t.Errorf("\ngot  %s\n     %s\nwant %s\n     %s", p.Error(), p.Hint, text, hint)
	}
	noSecret(t, p.Error()+"\n"+p.Hint)
}

func noSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{apitest.Secret, apitest.Token, apitest.KeyID, "psk-0", "Signature=", "Signature%"} {
		for _, form := range []string{secret, url.QueryEscape(secret), url.QueryEscape(url.QueryEscape(secret))} {
			if strings.Contains(text, form) {
				t.Errorf("%q stands in: %s", secret, text)
			}
		}
	}
}

// TestRefusalsOfTheServer has the server refuse by itself, its texts full of
// what was signed.
func TestRefusalsOfTheServer(t *testing.T) {
	for _, test := range []struct {
		name, reason string
		set          func(*testing.T, *apitest.Server, *Query)
	}{
		{"unknown key", `"InvalidAccessKeyId.NotFound": the AccessKey ID does not exist, or is disabled`,
			func(t *testing.T, _ *apitest.Server, _ *Query) { t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAInone") }},
		{"wrong secret", `"SignatureDoesNotMatch": the AccessKey secret does not belong to the AccessKey ID`,
			func(t *testing.T, s *apitest.Server, _ *Query) {
				s.Token = apitest.Token
				t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", apitest.Token)
				t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong-"+apitest.Secret)
			}},
		{"old token", `"InvalidSecurityToken.Expired": the STS token has expired`,
			func(t *testing.T, _ *apitest.Server, _ *Query) {
				t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", apitest.Token)
			}},
		{"clock", `"InvalidTimeStamp.Expired": this machine's clock is off: a request is valid for 15 minutes`,
			func(_ *testing.T, s *apitest.Server, _ *Query) {
				s.Clock = func() time.Time { return time.Now().Add(time.Hour) }
			}},
		{"region", `"InvalidRegionId.NotFound": there is no region xx-north-1`,
			func(_ *testing.T, _ *apitest.Server, q *Query) { q.Regions = []string{"xx-north-1"} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, q := start(t, 1)
			test.set(t, s, &q)
			_, err := Fetch(context.Background(), q)
			p := onlyProblem(t, err)
			pin(t, p, q.Regions[0]+": DescribeVpnConnections "+test.reason+" (request "+apitest.RequestID+")", p.Hint)
			if p.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestTokenIsSigned(t *testing.T) {
	s, q := start(t, 1)
	s.Token = apitest.Token
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", apitest.Token)
	if _, err := Fetch(context.Background(), q); err != nil {
		t.Error(err)
	}
}

// TestFailuresOnTheWay pins what is said when no answer comes, with a token in
// every URL that the SDK could quote.
func TestFailuresOnTheWay(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	fault := func(f apitest.Fault) func(*apitest.Server, *Query) {
		return func(s *apitest.Server, _ *Query) { s.Fault = func(apitest.Call) *apitest.Fault { return &f } }
	}
	transport := func(err error) func(*apitest.Server, *Query) {
		return func(_ *apitest.Server, q *Query) {
			q.seams.transport = roundTrip(func(r *http.Request) (*http.Response, error) { return nil, err })
		}
	}
	const proxyHint = "something between here and Alibaba Cloud may answer in its place: check --endpoint and the proxy"
	for _, test := range []struct {
		name, reason, hint string
		set                func(*apitest.Server, *Query)
	}{
		{"time-out", "HOST did not answer in time", "try again; behind a proxy set HTTPS_PROXY", func(s *apitest.Server, q *Query) {
			q.seams.timeout = 20 * time.Millisecond
			fault(apitest.Fault{Hang: true})(s, q)
		}},
		{"dropped", "HOST dropped the connection", "try again", fault(apitest.Fault{Drop: true})},
		{"refused", "HOST refuses the connection", "check --endpoint and the proxy (HTTPS_PROXY)", transport(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})},
		{"no such host", "there is no host HOST", "check the region's spelling (cn-hangzhou) and this machine's name server",
			transport(&net.DNSError{Err: "no such host", IsNotFound: true})},
		{"name server down", "HOST did not answer in time", "try again; behind a proxy set HTTPS_PROXY", transport(&net.DNSError{Err: "i/o timeout", IsTimeout: true})},
		{"untrusted", "TLS: the certificate of HOST cannot be trusted",
			"check this machine's clock; if a proxy here inspects TLS, name its CA: SSL_CERT_FILE=/path/to/ca.pem",
			func(_ *apitest.Server, q *Query) {
				q.Endpoint, q.seams.transport = untrusted.URL, &http.Transport{DisableKeepAlives: true}
			}},
		{"no TLS", "TLS: HOST does not speak it", "check --endpoint and the proxy", func(_ *apitest.Server, q *Query) {
			plain := apitest.New(1, false)
			t.Cleanup(plain.Close)
			q.Endpoint, q.seams.transport = "https"+strings.TrimPrefix(plain.URL, "http"), &http.Transport{TLSClientConfig: &tls.Config{}, DisableKeepAlives: true}
		}},
		{"redirect to plain HTTP", "the answer redirects to plain HTTP", "check --endpoint and the proxy", fault(apitest.Fault{Location: "http://vpc.example.com/"})},
		{"a portal's page", "the answer of HOST is not the API's", proxyHint, fault(apitest.Fault{Status: 200, Body: "<html>sign in</html>"})},
		{"another's error", "the answer of HOST is not the API's", proxyHint, fault(apitest.Fault{Status: 400, Body: `{"Code":400,"Message":{}}`})},
		{"unforeseen", "HOST cannot be reached", "check the network and the proxy", transport(errors.New("tunnel closed"))},
		{"unreachable", "HOST cannot be reached: no route to host", "check the network and the proxy", transport(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)})},
		{"unforeseen, with a secret", "HOST cannot be reached", "check the network and the proxy", transport(errors.New("sent " + url.QueryEscape(apitest.Token)))},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, q := start(t, 1)
			s.Token = apitest.Token
			t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", apitest.Token)
			test.set(s, &q)
			_, err := Fetch(context.Background(), q)
			u, _ := url.Parse(q.Endpoint)
			pin(t, onlyProblem(t, err), "cn-hangzhou: DescribeVpnConnections: "+strings.ReplaceAll(test.reason, "HOST", u.Host), test.hint)
		})
	}
}

func TestNotAReply(t *testing.T) {
	for _, body := range []string{`{}`, `{"TotalCount":1}`, `[]`, `{"TotalCount":1,"VpnConnections":{"VpnConnection":[{"Name":"no id"}]}}`,
		`{"TotalCount":1,"VpnConnections":{"VpnConnection":[{"VpnConnectionId":"../../etc"}]}}`} {
		s, q := start(t, 1)
		s.Fault = func(c apitest.Call) *apitest.Fault { return &apitest.Fault{Status: 200, Body: body} }
		_, err := Fetch(context.Background(), q)
		if err == nil {
			t.Errorf("%s is taken for a list", body)
			continue
		}
		noSecret(t, err.Error())
		q.All, q.Connections = false, []string{"vco-0000"}
		if _, err := Fetch(context.Background(), q); err == nil {
			t.Errorf("%s is taken for a connection", body)
		}
	}
}

// TestWaits pins the schedule of retries: a random part of a doubling time.
func TestWaits(t *testing.T) {
	var sum time.Duration
	for n := 1; n < tries; n++ {
		most := min(200*time.Millisecond<<(n-1), 20*time.Second)
		sum += most
		for range 100 {
			if w := wait(n); w < 0 || w >= most {
				t.Errorf("try %d waits %v, want less than %v", n, w, most)
			}
		}
	}
	if sum > 46*time.Second {
		t.Errorf("waits %v in all", sum)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := pause(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait: %v", err)
	}
}

func TestEndpoints(t *testing.T) {
	for said, want := range map[string]string{
		"vpc.cn-shanghai.aliyuncs.com":         "https vpc.cn-shanghai.aliyuncs.com",
		"https://vpc.cn-shanghai.aliyuncs.com": "https vpc.cn-shanghai.aliyuncs.com",
		"https://10.0.0.1:8443/":               "https 10.0.0.1:8443",
		"http://127.0.0.1:80":                  "http 127.0.0.1:80",
		"http://[::1]:80":                      "http [::1]:80",
		"http://localhost:80":                  "http localhost:80",
		"http://vpc.aliyuncs.com":              `--endpoint "http://vpc.aliyuncs.com": plain HTTP would show keys to the network`,
		"http://127.0.0.1.example.com":         `--endpoint "http://127.0.0.1.example.com": plain HTTP would show keys to the network`,
		"ftp://127.0.0.1":                      `--endpoint "ftp://127.0.0.1": want https`,
		"https://me:secret@h":                  `--endpoint "…@h": not a host, or a URL of one alone`,
		"https://h/path":                       `--endpoint "https://h/path": not a host, or a URL of one alone`,
		"https://h?x=1":                        `--endpoint "https://h?x=1": not a host, or a URL of one alone`,
		"https://":                             `--endpoint "https://": not a host, or a URL of one alone`,
	} {
		got, err := parseEndpoint(said)
		text := got.scheme + " " + got.host
		if err != nil {
			text = err.Error()
		}
		if text != want {
			t.Errorf("%s:\ngot  %s\nwant %s", said, text, want)
		}
	}
}
