package runner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/stepcast/stepcast/internal/ci"
)

const (
	attemptTimeout = 30 * time.Second // of one request and its answer
	connectTimeout = 5 * time.Second  // of a connection
	firstBackoff   = 50 * time.Millisecond
	maxBackoff     = 30 * time.Second
	maxAwaited     = time.Second     // of a pause for whose end somebody waits
	maxRetryAfter  = 5 * time.Minute // what a Retry-After, or a stream, may ask for
	sayAwayAfter   = time.Second / 2 // of attempts without an answer
	maxAnswer      = 8 << 20         // bytes of an answer that are read
	minCompress    = 1 << 10         // bytes of a body below which compression does not pay
)

// Client talks to a Stepcast server as the HTTP contract says.
type Client struct {
	URL   string // such as http://127.0.0.1:8080, without a slash at the end
	Token string // empty: none is sent
	// Exchange gets the tokens with which builds are reported; nil: that is Token.
	Exchange *Exchange
	HTTP     *http.Client
	// Say shows one line to the user, who waits for an answer; nil: nobody does.
	Say func(line string)
	// unheard is set by what was not answered in time, and has the next request go over another
	// connection: over HTTP/2 all would share the one, which may bring nothing but pings.
	unheard *atomic.Bool
}

// NewClient returns a client for the server at an address such as
// http://127.0.0.1:8080.
func NewClient(server, token string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the server's address %q is not one such as http://127.0.0.1:8080", server)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token holds characters that no token has")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = dial
	transport.ResponseHeaderTimeout = attemptTimeout
	// Else a connection over HTTP/2 that a router on the way has forgotten is used again by
	// each attempt, for as long as there are any. Given up before the attempt is, it is not
	// there for the next one.
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: attemptTimeout / 2, PingTimeout: attemptTimeout / 3}
	return &Client{
		URL:   strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/"),
		Token: token, unheard: new(atomic.Bool),
		HTTP: &http.Client{
			Transport: transport,
			// A redirected POST arrives as a GET: better to say it.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// dial connects. Names below localhost are this machine, as for browsers and curl, whatever
// its resolver knows of them (RFC 6761, section 6.3).
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}
	if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".localhost") {
		address = net.JoinHostPort("localhost", port)
	}
	return dialer.DialContext(ctx, network, address)
}

// TrustFile takes the authorities in a PEM file for as good as those that the
// machine knows. It is for this client alone: what a command does that it runs is
// the command's.
func (c *Client) TrustFile(path string) error {
	pem, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the authorities: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil { // the file is what counts
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	c.HTTP.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
	return nil
}

// Distrust lets connections lead to one HOST:PORT only, unless that is empty, and has
// check asked when one stands and before anything is sent over it: its error is that of
// the connection.
func (c *Client) Distrust(only string, check func() error) {
	transport := c.HTTP.Transport.(*http.Transport)
	connect := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := connect(ctx, network, cmp.Or(only, address))
		if err != nil {
			return nil, err
		}
		if err := check(); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

// BuildURL is the address of a build's page.
func (c *Client) BuildURL(id ci.BuildID) string { return c.URL + "/builds/" + id.String() }

// refusal is an answer that is no 2xx.
type refusal struct {
	status  int
	code    ci.Code // of the problem; empty when the answer is none of Stepcast's
	detail  string
	index   int           // of the update that was refused; -1 when no single one was
	offset  *int64        // bytes that the server has of the step's log
	number  *int64        // of the note that the server expects
	wait    time.Duration // that it asks for
	moved   string        // where a redirect points to
	https   bool          // it speaks HTTPS, and was spoken to in plain HTTP
	present ci.Status
	unsent  bool // the server was not asked, and would say so
}

func (r *refusal) Error() string {
	switch {
	case r.unsent:
		return strings.TrimSuffix(r.detail, ".")
	case r.detail != "":
		return fmt.Sprintf("%s (%d)", strings.TrimSuffix(r.detail, "."), r.status)
	case r.moved != "":
		return fmt.Sprintf("it redirects to %s (%d); if that is the server, give --url or STEPCAST_URL its address up to /api", r.moved, r.status)
	}
	hint := ""
	if r.https {
		hint = "; its address begins with https://"
	}
	if r.status == http.StatusNotFound { // Stepcast's own have a detail
		hint = "; is that Stepcast's address?"
	}
	return fmt.Sprintf("it answers %d %s%s", r.status, http.StatusText(r.status), hint)
}

// Passing tells whether an error is one that time may heal: no connection, no
// answer, 5xx and the like, and any answer that does not come from Stepcast
// itself, such as that of a proxy whose server is being replaced.
func Passing(err error) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return true
	}
	switch s := r.status; {
	case s >= 500, s == http.StatusTooManyRequests, s == http.StatusRequestTimeout, s == http.StatusTooEarly:
		return true
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusRequestEntityTooLarge, s < 400:
		return false
	}
	return r.code == ""
}

// notStepcast is a 2xx that is not Stepcast's, such as a proxy's friendly page:
// time may heal it.
func notStepcast() error {
	return &refusal{status: http.StatusBadGateway, index: -1, detail: "the answer is not Stepcast's"}
}

// create sends a new build; created is false if it was there already.
func (c *Client) create(ctx context.Context, body []byte, build *BuildState) (created bool, err error) {
	status, err := c.send(ctx, http.MethodPost, "/api/v1/builds", body, build)
	if err == nil && build.ID == (ci.BuildID{}) {
		err = notStepcast()
	}
	return status == http.StatusCreated, err
}

// do is send, for those who have no use for the status.
func (c *Client) do(ctx context.Context, method, path string, body []byte, out any) error {
	_, err := c.send(ctx, method, path, body, out)
	return err
}

// send sends one request and reads its answer into out, unless that is nil. The
// error is a *refusal, or the connection's.
func (c *Client) send(ctx context.Context, method, path string, body []byte, out any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	resp, err := c.ask(req)
	if err != nil {
		return 0, plain(err, began)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		c.unheard.Store(true)
		return 0, plain(err, began)
	}
	if resp.StatusCode/100 != 2 {
		return resp.StatusCode, refused(resp, answer)
	}
	if out != nil && json.Unmarshal(answer, out) != nil {
		err = notStepcast()
	}
	return resp.StatusCode, err
}

// ask sends a request.
func (c *Client) ask(req *http.Request) (*http.Response, error) {
	if c.unheard.Swap(false) {
		c.HTTP.CloseIdleConnections()
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		c.unheard.Store(true)
	}
	return resp, err
}

// request puts a request together. A token that cannot be one is refused here as
// the server would, and is sent nowhere.
func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	if c.Token != "" {
		if _, err := ci.ParseToken(c.Token); err != nil {
			return nil, &refusal{status: http.StatusUnauthorized, code: ci.TokenMalformed, detail: ci.AsProblem(err).Detail, index: -1, unsent: true}
		}
	}
	packed := body
	if len(body) >= minCompress && !c.Local() { // on this machine it would only cost
		if z := zstdEncoder.EncodeAll(body, make([]byte, 0, len(body)/4)); len(z) < len(body)*9/10 {
			packed = z
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if len(packed) < len(body) {
		req.Header.Set("Content-Encoding", "zstd")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	req.Header.Set("User-Agent", "stepcast")
	return req, nil
}

// zstdEncoder is made once: it is safe for concurrent EncodeAll.
var zstdEncoder = func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic("runner: " + err.Error()) // the options are constants
	}
	return e
}()

// Local tells whether the server is on this machine.
func (c *Client) Local() bool {
	u, err := url.Parse(c.URL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// plain takes the method and the address off the error of an attempt that began then:
// whoever reads it knows them.
func plain(err error, began time.Time) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var op *net.OpError
	switch {
	case !errors.As(err, &op):
	case op.Op == "proxyconnect":
		return unconnected{err}
	case op.Op == "dial" && op.Timeout() && !errors.As(err, new(*net.DNSError)):
		return unconnected{fmt.Errorf("no connection within %v", connectTimeout)}
	case op.Op == "dial":
		return unconnected{op.Err}
	}
	if strings.Contains(err.Error(), "TLS handshake timeout") {
		return unconnected{errors.New("it begins no TLS")}
	}
	if errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "timeout awaiting response headers") {
		return fmt.Errorf("no answer within %v", max(time.Since(began).Round(time.Second), time.Second))
	}
	if strings.Contains(err.Error(), "http2: client connection lost") { // which net/http has no name for
		return errors.New("the connection brings nothing any more")
	}
	return untrusted(err)
}

// unconnected says why there is no connection.
type unconnected struct{ error }

func (u unconnected) Unwrap() error { return u.error }

// untrusted says of a certificate that is not trusted what to do about it.
func untrusted(err error) error {
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("its certificate is signed by nobody whom this machine knows; name the authority with --ca-file or STEPCAST_CA_FILE: %w", err)
	case errors.As(err, &other):
		return fmt.Errorf("its certificate is for %s, so that is what its address has to have in it: %w", label(strings.Join(namesIn(other.Certificate), ", "), 200), err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("its certificate was good from %s to %s; is this machine's clock right: %w", invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly), err)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("it speaks plain HTTP; its address begins with http://: %w", err)
	}
	return err
}

// namesIn are what a certificate is good for.
func namesIn(cert *x509.Certificate) []string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// speakHTTPS is what Go, nginx and Apache say to who speaks HTTP where HTTPS is spoken.
var speakHTTPS = []string{"HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port", "speaking plain HTTP to an SSL-enabled server port"}

func refused(resp *http.Response, answer []byte) *refusal {
	r := &refusal{status: resp.StatusCode, index: -1, wait: retryAfter(resp.Header.Get("Retry-After"))}
	if r.status/100 == 3 {
		r.moved = label(resp.Header.Get("Location"), 300)
	}
	var p struct {
		Type   string    `json:"type"`
		Detail string    `json:"detail"`
		Index  *int      `json:"index"`
		Offset *int64    `json:"offset"`
		Number *int64    `json:"number"`
		Status ci.Status `json:"current_status"`
	}
	r.https = r.status == http.StatusBadRequest && slices.ContainsFunc(speakHTTPS, func(said string) bool { return bytes.Contains(answer, []byte(said)) })
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(answer, &p) != nil {
		return r
	}
	r.code = ci.Code(p.Type[strings.LastIndexByte(p.Type, '/')+1:])
	r.detail, r.offset, r.number, r.present = label(p.Detail, 300), p.Offset, p.Number, ci.Status(label(string(p.Status), ci.MaxShort))
	if p.Index != nil {
		r.index = *p.Index
	}
	return r
}

func retryAfter(header string) time.Duration {
	wait := time.Duration(0)
	if s, err := strconv.Atoi(header); err == nil && s > 0 {
		wait = time.Duration(min(s, int(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// backoff is the wait between attempts: random below a bound that doubles, so
// that many runners do not come back at one moment. The zero value begins.
type backoff struct {
	began   time.Time // the first wait
	bound   time.Duration
	awaited <-chan struct{} // closed once somebody waits: pauses are short then; nil: nobody will
}

// wait sleeps before the next attempt after err, at least as long as the server
// asked for.
func (b *backoff) wait(ctx context.Context, err error) error {
	return b.waitAtLeast(ctx, err, 0)
}

func (b *backoff) waitAtLeast(ctx context.Context, err error, least time.Duration) error {
	most, begins := maxBackoff, b.awaited
	select {
	case <-b.awaited:
		most, begins = maxAwaited, nil
	default:
	}
	if b.began.IsZero() {
		b.began = time.Now()
	}
	// Who has waited for some seconds does not want to wait for as long again once the server is back.
	b.bound = min(max(2*b.bound, firstBackoff), most, max(time.Since(b.began)/2, time.Second))
	delay := rand.N(b.bound)
	switch r := (*refusal)(nil); {
	case errors.As(err, &r) && (r.code != "" || r.status == http.StatusTooManyRequests):
		least = max(least, r.wait)
	case r != nil: // a proxy does not know when the server is back
		delay = max(delay, min(r.wait, most))
	}
	delay = max(delay, least)
	if err := sleep(ctx, least, nil); err != nil {
		return err
	}
	return sleep(ctx, delay-least, begins)
}

// sleep returns after so long, or once enough is closed. The error is that of ctx, which
// has ended.
func sleep(ctx context.Context, d time.Duration, enough <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-enough:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// already is closed: somebody waits from the beginning.
var already = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// until repeats a request until it is answered for good or ctx ends; the error
// is then the last attempt's.
func (c *Client) until(ctx context.Context, method, path string, body []byte, out any) error {
	return c.retry(ctx, func() error { return c.do(ctx, method, path, body, out) })
}

// untilAbout is until, for a request about a build.
func (c *Client) untilAbout(ctx context.Context, project string, build ci.BuildID, method, path string, body []byte, out any) error {
	return c.retry(ctx, func() error {
		return c.about(ctx, project, build, func(c *Client) error { return c.do(ctx, method, path, body, out) })
	})
}

// retry repeats a request, and says so once to whoever has waited for a moment.
func (c *Client) retry(ctx context.Context, request func() error) error {
	b := backoff{awaited: already}
	begin, told := time.Now(), c.Say == nil
	for {
		err := request()
		if err == nil || !Passing(err) || ctx.Err() != nil {
			return err
		}
		if !told && time.Since(begin) >= sayAwayAfter {
			told = true
			until := ""
			if end, ok := ctx.Deadline(); ok {
				until = fmt.Sprintf(" for %v", time.Until(end).Round(time.Second))
			}
			c.Say(fmt.Sprintf("%s is away (%v); trying on%s", c.URL, err, until))
		}
		if b.wait(ctx, err) != nil {
			return err
		}
	}
}
