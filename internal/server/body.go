package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/turns"
)

// Bounds of a body. It has slowStart to begin with, and then must come at the
// least pace.
const (
	maxBody   = 1 << 20   // bytes, unpacked
	maxWindow = 8 << 20   // bytes, of zstd
	maxBlock  = 128 << 10 // bytes, of zstd (RFC 8878, 3.1.1.2.4)
	slowStart = 5 * time.Second
	leastPace = 32 << 10 // bytes a second
)

// answerWait is how long a whole answer may take to be written. What is long
// goes out in pieces that each have a deadline of their own.
const answerWait = time.Minute

// paced holds the body of every request to the least pace, until a handler says
// otherwise, and gives every answer a deadline.
func paced(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		conn := http.NewResponseController(innermost(c.Response()))
		c.Response().Before(func() { conn.SetWriteDeadline(time.Now().Add(answerWait)) })
		if len(r.TransferEncoding) > 0 {
			// A length beside the encoding, which net/http drops without a word, may
			// be what a proxy goes by: nothing follows on this connection (RFC 9112,
			// section 6.3).
			c.Response().Header().Set("Connection", "close")
		}
		if r.ContentLength == 0 {
			return next(c)
		}
		body := &pacedBody{ReadCloser: r.Body, conn: conn, start: time.Now()}
		r.Body = body
		body.extend()
		err := next(c)
		if body.late {
			c.Response().Header().Set("Connection", "close")
		}
		return err
	}
}

// A pacedBody gives its connection a deadline that each byte read postpones.
type pacedBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	start time.Time
	n     int64
	until time.Time
	late  bool
	whole bool // all of it was read
	free  bool // of the pace
}

// unpaced lets the rest of a body take all the time that it likes.
func unpaced(r *http.Request) {
	if b, ok := r.Body.(*pacedBody); ok {
		b.free = true
		b.conn.SetReadDeadline(time.Time{})
	}
}

func (b *pacedBody) extend() {
	until := b.start.Add(slowStart + time.Duration(b.n)*time.Second/leastPace)
	if until.Sub(b.until) > 100*time.Millisecond { // not for every few bytes
		b.until = until
		b.conn.SetReadDeadline(until) // best effort: a test's writer has none
	}
}

func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	b.whole = err == io.EOF
	if b.free {
		return n, err
	}
	switch {
	case err == io.EOF:
		// What follows is the wait for the next request, or for this one's
		// peer to go away: no deadline.
		b.conn.SetReadDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.late = true
		err = &ci.Problem{Code: tooSlow, Detail: fmt.Sprintf("Only %d bytes of the body arrived in %v; send all of it at once. Text that grows goes to PATCH …/log, or in several requests.", b.n, time.Since(b.start).Round(time.Second))}
	default:
		b.extend()
	}
	return n, err
}

// pacedOf is the body of a request that is held to the pace; nil: it has none.
func pacedOf(r *http.Request) *pacedBody {
	body := r.Body
	if counted, ok := body.(*countedBody); ok {
		body = counted.ReadCloser
	}
	paced, _ := body.(*pacedBody)
	return paced
}

// waitsForAnswer tells whether whoever sends a body waits to be asked for it, as curl does,
// and was not.
func waitsForAnswer(r *http.Request) bool {
	b := pacedOf(r)
	return b != nil && b.n == 0 && r.Header.Get("Expect") != "" && r.ProtoMajor == 1
}

// shortRest is how much of a body net/http itself reads before it answers.
const shortRest = 256 << 10

// leftLong tells whether there may be more of a body than that.
func leftLong(r *http.Request) bool {
	b := pacedOf(r)
	return b != nil && !b.late && !b.whole && r.ProtoMajor == 1 && (r.ContentLength < 0 || r.ContentLength-b.n > shortRest)
}

// Of a refused body so much is read, for so long, after the answer; and of all of them
// together so much a second: who sends hundreds as fast as a machine can is not to keep its
// processors from others.
const (
	mostReadOn  = 256 << 20
	readOnTime  = 5 * time.Second
	readOnPace  = 64 << 20
	readOnAhead = 4 << 20 // at once, if there was none before
)

// unwanted is what is read on into.
var unwanted = sync.Pool{New: func() any { return new([16 << 10]byte) }}

// readOn reads what is left of a body that was refused, or sent elsewhere. Many clients send more of it before
// they read an answer, and have none when the connection was closed meanwhile.
func (s *Server) readOn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := next(c); err != nil {
			c.Error(err)
		}
		r, b := c.Request(), pacedOf(c.Request())
		if c.Response().Status < http.StatusMultipleChoices || !leftLong(r) || waitsForAnswer(r) || b.conn.Flush() != nil {
			return nil
		}
		var rest io.Reader = b.ReadCloser
		if conn, ok := r.Context().Value(connKey{}).(net.Conn); ok && b.free && r.ContentLength < 0 {
			rest = bare(conn) // its chunks cannot be told apart any more: until its peer goes
		}
		b.conn.SetReadDeadline(time.Now().Add(readOnTime))
		until, cancel := context.WithTimeout(r.Context(), readOnTime)
		defer cancel()
		buf := unwanted.Get().(*[16 << 10]byte)
		defer unwanted.Put(buf)
		for left := mostReadOn; left > 0; {
			n, err := rest.Read(buf[:])
			if left -= n; err != nil || s.readingOn.WaitN(until, n) != nil {
				break
			}
		}
		return nil
	}
}

// announced is the media type that a body says it is of: JSON, if it says none.
func announced(r *http.Request) string {
	text := r.Header.Get("Content-Type")
	if text == "" {
		return "application/json"
	}
	kind, _, err := mime.ParseMediaType(text)
	if err != nil {
		return text
	}
	return kind
}

// unannounced tells whether a request has no body, not even an empty one, and no header
// that names one.
func unannounced(r *http.Request) bool {
	return r.ContentLength == 0 && r.Header["Content-Length"] == nil
}

// headersEnd says what mostly became of a body that no header announces.
const headersEnd = "a line end in a header, such as a token from a file may have, ended the headers there; tr -d '\\r\\n' takes it off."

// readBody reads and unpacks the whole body, of which the request may keep
// parts.
func readBody(r *http.Request) ([]byte, error) {
	a, err := receive(r)
	if err != nil {
		return nil, err
	}
	return a.unpack()
}

// An arrived body takes about as much memory as its peer has sent.
type arrived struct {
	encoding string // "": none
	body     []byte
}

// mostArriving is how many bytes of bodies that have arrived and were not decoded yet, or
// are still arriving, there may be of one token, or of one address.
const mostArriving = 64 << 20

// receiveOf receives a body as long as there is room for it among all of the same sender
// that arrive. It does not wait for room: over HTTP/2 the bodies that are to make some
// share their connection's window with this one. done is called when it was decoded, or
// is not wanted any more.
func (s *Server) receiveOf(r *http.Request, who string) (a arrived, done func(), err error) {
	hold := s.arriving.Begin(who)
	r.Body = &countedBody{r.Body, hold, s.limits.refused[limitArriving]}
	if a, err = receive(r); err != nil {
		hold.Keep(0)
		return a, nil, err
	}
	return a, func() { hold.Keep(0) }, nil
}

// A countedBody takes room for what comes of it.
type countedBody struct {
	io.ReadCloser
	hold    *turns.Hold
	refused *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if !b.hold.Grow(n) {
		b.refused.Add(1)
		return n, &ci.Problem{Code: ci.Overloaded, Limit: mostArriving, Detail: "Too many bodies of the same sender arrive at once; send the same request again."}
	}
	return n, err
}

func receive(r *http.Request) (a arrived, err error) {
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		a.body, err = readPlain(r)
	case "gzip", "zstd":
		a.encoding = encoding
		a.body, err = readPacked(r)
	default:
		err = &ci.Problem{Code: badEncoding, Detail: fmt.Sprintf("The body is encoded as %s; send it plain, or as gzip or zstd.", printable(encoding))}
	}
	return a, err
}

// unpack returns what arrived, unpacked.
func (a arrived) unpack() ([]byte, error) {
	if a.encoding == "" {
		return a.body, nil
	}
	return unpack(a.body, a.encoding)
}

func bodyTooLarge() error {
	return &ci.Problem{Code: tooLarge, Limit: maxBody, Detail: fmt.Sprintf("The body is larger than %d bytes, unpacked; split the request.", maxBody)}
}

// readPlain reads into memory that grows with what arrives, so that a header
// alone reserves little.
func readPlain(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, bodyTooLarge()
	}
	body := make([]byte, 0, max(512, min(r.ContentLength, 4<<10)+1)) // + 1: to see the end without growing
	return readInto(body, r.Body, max(r.ContentLength, 0))
}

// readInto appends all of r, which is thought to have expect bytes.
func readInto(body []byte, r io.Reader, expect int64) ([]byte, error) {
	for {
		if len(body) == cap(body) {
			grown := make([]byte, len(body), max(min(4*len(body), int(expect)+1), 2*len(body)))
			copy(grown, body)
			body = grown
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > maxBody:
			return body, bodyTooLarge()
		case err == io.EOF:
			return body, nil
		case ci.AsProblem(err) != nil:
			return body, err
		case err != nil:
			return body, brokenBody(err, len(body))
		}
	}
}

// brokenBody tells a body that did not arrive, which may the next time, from one that is
// no HTTP.
func brokenBody(err error, n int) *ci.Problem {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &ci.Problem{Code: brokenOff, Detail: fmt.Sprintf("The body broke off after %d bytes; send it again.", n)}
	}
	p := &ci.Problem{Code: ci.Invalid, Detail: fmt.Sprintf("After %d bytes the body is not valid HTTP.", n)}
	if n == 0 { // what should begin it was a header
		p.Detail += " Mostly " + headersEnd
	}
	return p
}

// Unpacking works in memory that is used again; what is handed on is a copy of
// exactly the right size. Bodies are unpacked as many at once as there are
// processors, into as many places, so that no number of bombs takes more than
// those.
var (
	scratches = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}
	gzips     = sync.Pool{New: func() any { return new(gzip.Reader) }}

	// places are what bodies are unpacked into: a block more than a body may
	// have, so that one that is too large has begun to be when its next block has
	// no room. They are made when they are first needed.
	places = func() chan []byte {
		places := make(chan []byte, runtime.GOMAXPROCS(0))
		for range cap(places) {
			places <- nil
		}
		return places
	}()

	// unzstd unpacks whole bodies, by any number of goroutines. It gives up
	// at the window that zstd -19 announces, however little there is to
	// unpack, and where its place is full.
	unzstd = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderMaxMemory(maxWindow), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic("server: " + err.Error())
		}
		return d
	})
)

// readPacked reads a body as it was sent. One that is larger than what it may unpack
// to is one that unpacks to nothing for ever.
func readPacked(r *http.Request) ([]byte, error) {
	packed := scratches.Get().(*[]byte)
	defer scratches.Put(packed)
	var err error
	if *packed, err = readInto((*packed)[:0], r.Body, r.ContentLength); err != nil {
		return nil, err
	}
	return bytes.Clone(*packed), nil
}

func unpack(packed []byte, encoding string) (body []byte, err error) {
	place := <-places
	defer func() { places <- place }()
	if place == nil {
		place = make([]byte, 0, maxBody+maxBlock)
	}
	if encoding == "zstd" {
		body, err = unzstd().DecodeAll(packed, place)
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
			return nil, bodyTooLarge()
		}
	} else {
		body, err = gunzip(place, packed)
	}
	switch {
	case len(body) > maxBody:
		return nil, bodyTooLarge()
	case err != nil:
		return nil, &ci.Problem{Code: badEncoding, Detail: fmt.Sprintf("The body is announced as %s but cannot be unpacked as such.", encoding)}
	}
	return bytes.Clone(body), nil
}

// gunzip unpacks into dst as much as there is room for.
func gunzip(dst, packed []byte) ([]byte, error) {
	z := gzips.Get().(*gzip.Reader)
	defer gzips.Put(z)
	if err := z.Reset(bytes.NewReader(packed)); err != nil {
		return dst, err
	}
	for len(dst) < cap(dst) {
		n, err := z.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
	return dst, nil
}
