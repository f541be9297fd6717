package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/go-json-experiment/json/jsontext"

	"peerconf/vpn"
)

// failure is why a call brought no reply.
type failure struct {
	problem   vpn.Problem
	transient bool // worth another try
	shared    bool // every other call of the run would fail alike
}

func (f *failure) Error() string { return f.problem.Error() }

// Policy lets a RAM user do what fetch does, and nothing else.
const Policy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":["vpc:DescribeVpnConnections","vpc:DescribeVpnConnection",` +
	`"vpc:DownloadVpnConnectionConfig","vpc:DescribeVpnGateway","vpc:DescribeCustomerGateway"],"Resource":"*"}]}`

// cause is a way to fail, and what to say of it. {operation}, {id},
// {region} and {host} stand for those of the call.
type cause struct {
	reason, hint      string
	transient, shared bool
}

var (
	denied   = cause{reason: "RAM does not allow vpc:{operation}", hint: "have this policy granted: " + Policy}
	busy     = cause{reason: fmt.Sprintf("still turned away after %d tries", tries), hint: "try again later, or ask less often: --rate 5", transient: true}
	broken   = cause{reason: fmt.Sprintf("the API still fails after %d tries", tries), hint: "try again later", transient: true}
	skewed   = cause{reason: "this machine's clock is off: a request is valid for 15 minutes", hint: "set the clock, e.g. timedatectl set-ntp true", shared: true}
	noKey    = cause{reason: "the AccessKey ID does not exist, or is disabled", hint: "correct it: aliyun configure, or ALIBABA_CLOUD_ACCESS_KEY_ID; an expired STS token can look like this too", shared: true}
	alien    = cause{reason: "the STS token is not one of this AccessKey ID", hint: "take key and token from the same answer of STS", shared: true}
	noRegion = cause{reason: "there is no region {region}", hint: "aliyun vpc DescribeRegions lists them", shared: true}
)

// causes are the API's error codes. A code stands for the longer ones that
// go on behind it with a dot, unless they have a row of their own.
var causes = map[string]cause{
	"Forbbiden":    denied, // sic
	"Forbidden":    denied,
	"NoPermission": denied,
	"InvalidVpnConnectionInstanceId": {reason: "there is no connection {id} in region {region}",
		hint: "it may be gone, or in another region: --region"},
	"InvalidVpnGatewayInstanceId":      {reason: "there is no VPN gateway {id} in region {region}", hint: "it may just have been deleted: fetch again"},
	"InvalidCustomerGatewayInstanceId": {reason: "there is no customer gateway {id} in region {region}", hint: "it may just have been deleted: fetch again"},
	"InvalidAccessKeyId":               noKey,
	"SignatureDoesNotMatch": {reason: "the AccessKey secret does not belong to the AccessKey ID",
		hint: "set both again: aliyun configure, or ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET", shared: true},
	"InvalidSecurityToken":         alien,
	"InvalidSecurityToken.Expired": {reason: "the STS token has expired", hint: "get a new one and set it with its key, or sign in again: aliyun configure", shared: true},
	"IllegalTimestamp":             skewed,
	"InvalidTimeStamp":             skewed,
	"InvalidRegionId":              noRegion,
	"InvalidRegion":                noRegion,
	"Throttling":                   busy,
	"Rejected.Throttling":          busy,
	"ServiceUnavailable":           busy,
	"ServiceUnavailableTemporary":  busy,
	"InternalError":                broken,
	"InternalFailure":              broken,
}

var errNotAnAnswer = errors.New("not an answer of the API")

// valid tells whether an answer is JSON at all.
func valid(answer []byte) error {
	if !jsontext.Value(answer).IsValid() {
		return errNotAnAnswer
	}
	return nil
}

// transportCauses are the ways a call can fail on its way, the first that
// fits. Their own texts are not printed: they hold the signed URL.
var transportCauses = []struct {
	is func(error) bool
	cause
}{
	{isA[*credentialsError], cause{reason: "no credentials", shared: true}},
	{is(errPlain), cause{reason: "the answer redirects to plain HTTP", hint: "check --endpoint and the proxy", shared: true}},
	{is(errNotAnAnswer), cause{reason: "the answer of {host} is not the API's", hint: "something between here and Alibaba Cloud may answer in its place: check --endpoint and the proxy"}},
	{noSuchHost, cause{reason: "there is no host {host}", hint: "check the region's spelling ({region}) and this machine's name server", shared: true}},
	{isA[*tls.CertificateVerificationError], cause{reason: "TLS: the certificate of {host} cannot be trusted",
		hint: "check this machine's clock; if a proxy here inspects TLS, name its CA: SSL_CERT_FILE=/path/to/ca.pem", shared: true}},
	{plainServer, cause{reason: "TLS: {host} does not speak it", hint: "check --endpoint and the proxy", shared: true}},
	{timedOut, cause{reason: "{host} did not answer in time", hint: "try again; behind a proxy set HTTPS_PROXY", transient: true}},
	{is(syscall.ECONNREFUSED), cause{reason: "{host} refuses the connection", hint: "check --endpoint and the proxy (HTTPS_PROXY)", shared: true}},
	{dropped, cause{reason: "{host} dropped the connection", hint: "try again", transient: true}},
}

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

func isA[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func noSuchHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func plainServer(err error) bool {
	return isA[tls.RecordHeaderError](err) || errors.Is(err, http.ErrSchemeMismatch)
}

func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func dropped(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return isA[*net.DNSError](err) || strings.Contains(err.Error(), "server closed idle connection")
}

// explain turns what the SDK returned into a failure that holds no secret.
func (s *session) explain(err error, r *request) *failure {
	var answer *sdkerrors.ServerError
	var c cause
	var code, request string
	if errors.As(err, &answer) {
		code, request = s.signer.scrub(answer.ErrorCode()), s.signer.scrub(answer.RequestId())
		c = s.causeOf(answer)
	} else {
		c = s.transportCause(err)
	}
	fill := strings.NewReplacer("{operation}", r.operation, "{id}", r.id, "{region}", r.region, "{host}", s.at(r.region).host)
	p := vpn.Problem{Source: r.region, Field: r.operation, Value: code, Reason: fill.Replace(c.reason), Hint: fill.Replace(c.hint)}
	if request != "" {
		p.Reason += " (request " + request + ")"
	}
	return &failure{p, c.transient, c.shared}
}

// causeOf finds the row of an error answer: by its code, then by the code cut
// at its dots, then by its status.
func (s *session) causeOf(answer *sdkerrors.ServerError) cause {
	for code := answer.ErrorCode(); code != ""; {
		if c, ok := causes[code]; ok {
			return c
		}
		code = code[:max(strings.LastIndexByte(code, '.'), 0)]
	}
	switch status := answer.HttpStatus(); {
	case strings.HasPrefix(answer.ErrorCode(), "Throttling"), status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return busy
	case status >= http.StatusInternalServerError:
		return broken
	}
	message := "HTTP status " + http.StatusText(answer.HttpStatus())
	if answer.ErrorCode() != "" {
		message, _, _ = strings.Cut(answer.Message(), "\n")
	}
	return cause{reason: cmp.Or(s.signer.scrub(message), "refused"), hint: "look the code up in Alibaba Cloud's API error center"}
}

func (s *session) transportCause(err error) cause {
	for _, row := range transportCauses {
		if row.is(err) {
			var why *credentialsError
			if errors.As(err, &why) {
				row.reason, row.hint = why.reason, why.hint
			}
			return row.cause
		}
	}
	var number syscall.Errno // the only text that holds nothing of the request or the proxy
	if errors.As(err, &number) {
		return cause{reason: "{host} cannot be reached: " + number.Error(), hint: "check the network and the proxy"}
	}
	return cause{reason: "{host} cannot be reached", hint: "check the network and the proxy"}
}
