package judge

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Cut says how a reader's connections end before their time. The zero Cut
// leaves them alone.
type Cut struct {
	Bytes      int64         `json:"bytes"`       // after so many bytes on average, at any byte
	Quiet      time.Duration `json:"quiet"`       // or after a silence of up to this
	EveryEvent bool          `json:"every_event"` // or after each single event
}

// silence is how long a stream may be quiet before a reader gives it up: two
// pings and more are missing by then.
const silence = 40 * time.Second

// reader follows one log, or several in one stream, over a raw connection,
// resumes on any of the servers whenever it ends, and records what it sees.
type reader struct {
	name    string
	servers []string // base URLs; each connection takes any of them
	logs    []string // build ids or [Feed]
	cut     Cut
	rng     *rand.Rand
	stats   *Stats
	seen    func(log string, n int64) // after each event; may be nil

	views  map[string]*View
	cursor string
	conns  int
}

// Stats counts what a load did. The fields are read while it runs.
type Stats struct {
	Acked       atomic.Int64 // write requests answered 2xx
	AckedBytes  atomic.Int64 // log text in them that was new to the writer
	Unknown     atomic.Int64 // write requests whose answer never came
	Later       atomic.Int64 // write requests answered 429 or 503
	Repeated    atomic.Int64 // write requests sent again though acknowledged, or to two servers at once
	Gaps        atomic.Int64 // answers that made a writer go back
	Seen        atomic.Int64 // events, by all readers
	Connections atomic.Int64 // of readers
	Resets      atomic.Int64 // reset frames
	Open        atomic.Int64 // streams open now
}

func newReader(c *Checker, name string, servers, logs []string, cut Cut, seed uint64, stats *Stats) *reader {
	r := &reader{name: name, servers: servers, logs: logs, cut: cut, stats: stats, views: map[string]*View{}}
	r.rng = rand.New(rand.NewPCG(seed, hashOf(name)))
	shape := Stream
	if len(logs) > 1 {
		shape = Streams
	}
	for _, log := range logs {
		r.views[log] = c.View(name, log, Watch{Shape: shape})
	}
	return r
}

// run follows the logs until all have ended, or ctx is done.
func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		r.conns++
		r.stats.Connections.Add(1)
		over, err := r.connect(ctx, r.servers[r.rng.IntN(len(r.servers))])
		if over {
			return
		}
		if err != nil {
			pause(ctx, r.rng, 100*time.Millisecond)
		}
	}
}

// pause waits for a random time up to d.
func pause(ctx context.Context, rng *rand.Rand, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(rng.Int64N(int64(d)) + 1)):
	}
}

var errCut = errors.New("cut by the reader itself")

// connect reads one stream to its end; over means that nothing more will come
// (204). The error is nil when the reader itself cut the stream.
func (r *reader) connect(ctx context.Context, server string) (over bool, err error) {
	host := strings.TrimPrefix(server, "http://")
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", host)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	request := "GET " + r.path() + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: text/event-stream\r\n"
	if r.cursor != "" {
		request += "Last-Event-ID: " + r.cursor + "\r\n"
	}
	if _, err := conn.Write([]byte(request + "\r\n")); err != nil {
		return false, err
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(r.limit(conn), 4<<10), nil)
	if err != nil {
		return false, r.excuse(err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNoContent:
		for _, v := range r.views {
			v.over()
		}
		return true, nil
	default:
		detail, _ := io.ReadAll(io.LimitReader(response.Body, 300))
		for _, v := range r.views {
			v.Refused(r.conns, response.StatusCode, string(detail), r.resumes())
		}
		return false, fmt.Errorf("stream answered %d", response.StatusCode)
	}
	r.stats.Open.Add(1)
	defer r.stats.Open.Add(-1)
	in := newFrames(response.Body)
	in.id = r.cursor
	for {
		f, err := in.next()
		if err != nil {
			return false, r.excuse(err)
		}
		if f.event == "unavailable" {
			return false, errors.New("unavailable")
		}
		event, err := r.take(f)
		if err != nil {
			return false, err
		}
		if event && r.cut.EveryEvent {
			if r.rng.IntN(2) == 0 {
				conn.(*net.TCPConn).SetLinger(0)
			}
			return false, nil
		}
	}
}

// resumes tells whether the reader has seen something of each of its logs.
func (r *reader) resumes() bool { return !slices.Contains(strings.Split(r.cursor, "."), "") }

func (r *reader) excuse(err error) error {
	if errors.Is(err, errCut) {
		return nil
	}
	return err
}

func (r *reader) path() string {
	switch {
	case len(r.logs) > 1:
		query := url.Values{"log": r.logs}
		return "/api/v1/streams?" + query.Encode()
	case r.logs[0] == Feed:
		return "/api/v1/events"
	}
	return "/api/v1/builds/" + r.logs[0] + "/events"
}

// take records a frame, and says whether it was an event of a log.
func (r *reader) take(f frame) (event bool, err error) {
	log := r.logs[0]
	if len(r.logs) > 1 && f.event != "ping" {
		var names struct{ Log string }
		if err := json.Unmarshal(f.data, &names); err != nil || r.views[names.Log] == nil {
			r.views[log].Refused(r.conns, 200, fmt.Sprintf("a %s frame that names none of the logs: %.200s", f.event, f.data), true)
			return false, errors.New("a frame without a log")
		}
		log = names.Log
	}
	id, ok := r.idOf(log, f.id)
	if !ok {
		r.views[log].Refused(r.conns, 200, fmt.Sprintf("%q is no list of %d cursors", f.id, len(r.logs)), true)
		return false, errors.New("unreadable id")
	}
	v := r.views[log]
	switch f.event {
	case "build", "step", "log", "note":
		event = true
		r.stats.Seen.Add(1)
		v.Event(r.conns, id, f.event, f.data)
		if r.seen != nil {
			r.seen(log, v.Last())
		}
	case "snapshot":
		v.Snapshot(r.conns, id)
	case "live":
		v.Mark(r.conns, id, f.event)
	case "ping":
		if len(r.logs) == 1 {
			v.Mark(r.conns, id, f.event)
		}
	case "end":
		v.End(r.conns, id)
	case "reset":
		r.stats.Resets.Add(1)
		var why struct{ Reason string }
		_ = json.Unmarshal(f.data, &why)
		v.Reset(r.conns, id, why.Reason)
	}
	r.cursor = f.id
	return event, nil
}

// idOf takes a log's own id out of the id of a frame. To clients the list that
// a stream of several logs gives is opaque; the judge takes it apart, because
// it is the only place where such a stream says the events' numbers.
func (r *reader) idOf(log, id string) (string, bool) {
	if len(r.logs) == 1 {
		return id, true
	}
	ids := strings.Split(id, ".") // empty for a log of which nothing was sent yet
	if len(ids) != len(r.logs) {
		return "", false
	}
	for i, name := range r.logs {
		if name == log {
			return ids[i], true
		}
	}
	return "", false
}

// limit makes a connection end where the reader's [Cut] says.
func (r *reader) limit(conn net.Conn) io.Reader {
	left := int64(-1)
	if r.cut.Bytes > 0 {
		left = int64(r.rng.ExpFloat64()*float64(r.cut.Bytes)) + 1
	}
	return &limited{conn: conn, left: left, quiet: r.cut.Quiet, rng: r.rng}
}

type limited struct {
	conn  net.Conn
	left  int64 // -1: any number
	quiet time.Duration
	rng   *rand.Rand
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left == 0 {
		if l.rng.IntN(2) == 0 {
			l.conn.(*net.TCPConn).SetLinger(0) // a reset instead of a goodbye
		}
		return 0, errCut
	}
	wait := silence
	if l.quiet > 0 {
		wait = time.Duration(l.rng.Int64N(int64(l.quiet)) + 1)
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return 0, err
	}
	if l.left > 0 {
		p = p[:min(int64(len(p)), l.left)]
	}
	n, err := l.conn.Read(p)
	if l.left > 0 {
		l.left -= int64(n)
	}
	var timeout net.Error
	if l.quiet > 0 && errors.As(err, &timeout) && timeout.Timeout() {
		return n, errCut
	}
	return n, err
}
