// Package apitest is an endpoint of the VPC API for tests. It checks
// signatures as Alibaba Cloud does, and fails when a test wants it to.
package apitest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The credentials the server knows.
const (
	KeyID  = "LTAI5tTestAccessKeyId"
	Secret = "testAccessKeySecret+/=30chars"
	Token  = "CAIStest/SecurityToken+0123456789=="
)

// Call is one request that was signed well.
type Call struct {
	Action, Region, ID string
	Page               int
	N                  int // how often this was asked before
}

// Fault is an answer other than the right one.
type Fault struct {
	Status        int
	Code, Message string
	Body          string        // instead of an API error
	Drop          bool          // close the connection without an answer
	Hang          bool          // never answer
	Location      string        // redirect there
	Delay         time.Duration // and then answer rightly
}

// Server is the endpoint. Its fields are not to be set while calls are under
// way; for calls of another process, set them before it starts.
type Server struct {
	*httptest.Server
	Connections []*Connection
	Gateways    map[string]any // replies by id
	Token       string         // the session token a call must bring
	Clock       func() time.Time
	Fault       func(Call) *Fault
	Pages       func(Call, []*Connection) []*Connection // what is listed, if not all

	mu       sync.Mutex
	asked    map[Call]int
	nonces   map[string]bool
	Answered []Call // rightly
	quit     chan struct{}
}

// New starts a server with n connections, over TLS or not, when setup is done.
func New(n int, tls bool, setup ...func(*Server)) *Server {
	s := &Server{Clock: time.Now, asked: map[Call]int{}, nonces: map[string]bool{}, quit: make(chan struct{})}
	s.Connections, s.Gateways = Connections(n)
	for _, f := range setup {
		f(s)
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	return s
}

// Close ends calls that hang, then the server.
func (s *Server) Close() {
	close(s.quit)
	s.Server.Close()
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		answer(w, http.StatusBadRequest, failed("InvalidParameter", err.Error()))
		return
	}
	if status, code, message := s.refuse(r); code != "" {
		answer(w, status, failed(code, message))
		return
	}
	call := s.note(r.Form)
	if s.Fault != nil {
		if f := s.Fault(call); f != nil && s.fail(w, r, f) {
			return
		}
	}
	status, body := s.reply(call, r.Form)
	if status == http.StatusOK {
		s.mu.Lock()
		s.Answered = append(s.Answered, call)
		s.mu.Unlock()
	}
	answer(w, status, body)
}

// refuse checks what every API checks first.
func (s *Server) refuse(r *http.Request) (status int, code, message string) {
	p := r.Form
	at, err := time.Parse("2006-01-02T15:04:05Z", p.Get("Timestamp"))
	switch {
	case p.Get("AccessKeyId") != KeyID:
		return 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."
	case err != nil:
		return 400, "IllegalTimestamp", "The input parameter \"Timestamp\" that is mandatory for processing this request is not supplied."
	case s.Clock().Sub(at).Abs() > 15*time.Minute:
		return 400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."
	case p.Get("SecurityToken") != s.Token:
		return 400, "InvalidSecurityToken.Expired", "Specified SecurityToken " + p.Get("SecurityToken") + " is expired."
	case p.Get("Signature") != Sign(r.Method, p, Secret):
		return 400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:" + stringToSign(r.Method, p)
	case p.Get("Version") != "2016-04-28" || p.Get("SignatureMethod") != "HMAC-SHA1" || p.Get("Format") != "JSON":
		return 400, "InvalidParameter", "The specified parameter \"Action or Version\" is not valid."
	case p.Get("RegionId") == "" || strings.HasPrefix(p.Get("RegionId"), "xx-"):
		return 404, "InvalidRegionId.NotFound", "The specified RegionId does not exist."
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nonces[p.Get("SignatureNonce")] {
		return 400, "SignatureNonceUsed", "Specified signature nonce was used already."
	}
	s.nonces[p.Get("SignatureNonce")] = true
	return 0, "", ""
}

// Sign gives the signature, version 1.0, of a call of an RPC API.
func Sign(method string, p url.Values, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(stringToSign(method, p)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func stringToSign(method string, p url.Values) string {
	var pairs []string
	for name := range p {
		if name != "Signature" {
			pairs = append(pairs, escape(name)+"="+escape(p.Get(name)))
		}
	}
	slices.Sort(pairs)
	return method + "&%2F&" + escape(strings.Join(pairs, "&"))
}

func escape(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

func (s *Server) note(p url.Values) Call {
	page, _ := strconv.Atoi(p.Get("PageNumber"))
	c := Call{Action: p.Get("Action"), Region: p.Get("RegionId"), Page: page}
	for _, name := range []string{"VpnConnectionId", "VpnGatewayId", "CustomerGatewayId"} {
		if c.Action != "DescribeVpnConnections" && p.Get(name) != "" {
			c.ID = p.Get(name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.asked[c]
	s.asked[c]++
	c.N = n
	return c
}

// fail makes the fault happen, and tells whether the call is over with it.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, f *Fault) bool {
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
		panic(http.ErrAbortHandler)
	case f.Delay > 0:
		time.Sleep(f.Delay)
		return false
	case f.Location != "":
		w.Header().Set("Location", f.Location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	case f.Body != "":
		w.WriteHeader(f.Status)
		fmt.Fprint(w, f.Body)
	default:
		answer(w, f.Status, failed(f.Code, f.Message))
	}
	return true
}

// RequestID is that of every answer.
const RequestID = "0C68048B-0F70-40DA-B8AE-1B79B5CF62E3"

func failed(code, message string) any {
	return map[string]any{"Code": code, "Message": message, "RequestId": RequestID, "HostId": "vpc.aliyuncs.com",
		"Recommend": "https://next.api.aliyun.com/troubleshoot?q=" + code}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
