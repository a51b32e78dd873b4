package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/sse"
)

const (
	// silence after which a stream is dead: three of the server's pings.
	silence = 45 * time.Second
	// reconnectAfter is the wait before the stream is opened again when it has
	// not said how long.
	reconnectAfter = time.Second
)

// ErrNoBuild means that there is no such build, or none that the caller may
// see.
var ErrNoBuild = errors.New("the server has no such build")

// errBusy is what a stream ends with that the server had no room for, or could not go on with.
var errBusy = errors.New("it takes no readers now")

// FollowEvent is an event of a build's stream. Of a kind that is not known here
// nothing but the event itself is set.
type FollowEvent struct {
	ID   string // to go on from
	Kind string // build, step, log …
	Data []byte // as the server said it; good until Handle returns

	Build *struct {
		Project    string     `json:"project"`
		Number     int64      `json:"number"`
		Title      string     `json:"title"`
		Status     ci.Status  `json:"status"`
		StartedAt  *time.Time `json:"started_at"`
		FinishedAt *time.Time `json:"finished_at"`
	}
	Step *struct {
		Key        ci.StepKey `json:"key"`
		Name       string     `json:"name"`
		Status     ci.Status  `json:"status"`
		ExitCode   *int       `json:"exit_code"`
		StartedAt  *time.Time `json:"started_at"`
		FinishedAt *time.Time `json:"finished_at"`

		Tests       *ci.Tests       `json:"tests"`
		Annotations *ci.Annotations `json:"annotations"`
	}
	Log *struct {
		Step   ci.StepKey `json:"step"`
		Line   int64      `json:"line"` // that the text begins in, from 1
		Offset int64      `json:"offset"`
		Bytes  int64      `json:"bytes"`
		Lost   int64      `json:"lost"`
		Quota  ci.Quota   `json:"quota"` // of Lost: which one was used up
		Text   string     `json:"text"`
	}
	Live  bool          // what comes now happens now
	Ahead time.Duration // with Live: the server's clock before ours, 0 if that is less than can be told
	Reset string        // why everything so far is to be forgotten; what is kept follows
}

// AppendJSON appends the event as one line of JSON, as the server said it:
//
//	{"id":"k3f9qa-7","event":"step","data":{…}}
//
// Control characters are escaped, so that a terminal is safe from them too.
func (e *FollowEvent) AppendJSON(dst []byte) []byte {
	data := e.Data
	if !json.Valid(data) {
		data = mustJSON(string(data))
	}
	if bytes.ContainsAny(data, "\r\n") { // between its members
		var b bytes.Buffer
		if err := json.Compact(&b, data); err != nil {
			panic("runner: " + err.Error()) // it is valid
		}
		data = b.Bytes()
	}
	dst = AppendPrintable(append(dst, `{"id":`...), mustJSON(e.ID))
	dst = AppendPrintable(append(dst, `,"event":`...), mustJSON(e.Kind))
	dst = AppendPrintable(append(dst, `,"data":`...), data)
	return append(dst, "}\n"...)
}

// AppendPrintable appends JSON for a terminal: of what may stand in a string as it
// is, it escapes the control characters, DEL and those from 0x80 on, and those that
// turn the direction of what follows. What is not UTF-8 becomes U+FFFD, as for every
// reader of JSON.
func AppendPrintable(dst, data []byte) []byte {
	for len(data) > 0 {
		n := 0
		for n < len(data) && data[n] < ansi.DEL {
			n++
		}
		dst, data = append(dst, data[:n]...), data[n:]
		if len(data) == 0 {
			break
		}
		r, n := utf8.DecodeRune(data)
		if unicode.IsControl(r) || ci.TurnsText(r) {
			dst = fmt.Appendf(dst, `\u%04x`, r)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		data = data[n:]
	}
	return dst
}

// Follow follows a build until its end.
type Follow struct {
	Client *Client
	Build  ci.BuildID
	Steps  []ci.StepKey // log text of these only; nil: of all
	Lines  int          // begin with the last lines of each step; negative: with the first
	After  string       // begin after the event with this id; Lines does not count then
	// Handle gets every event once and in order, across any number of
	// connections. Those that are about a connection (ping, unavailable) are not
	// among them.
	Handle func(*FollowEvent)
	// Away, if set, is told why there is no connection, once each time.
	Away func(error)
	// Back, if set, is told that there is one again.
	Back func()

	away bool // Away was told, and Back was not
	// first is the line of each step to begin with; the server begins with the
	// piece of text that it is in.
	first map[ci.StepKey]int64
	ahead time.Duration           // the server's clock before ours
	lost  bool                    // the build is, by the last word of it
	steps map[ci.StepKey]struct{} // that were told of
}

// Do returns nil when the build has ended, or is lost, and everything was handed
// over, or
// ctx's error, or the server's refusal (ErrNoBuild among them).
func (f *Follow) Do(ctx context.Context) error {
	var pause backoff
	cursor := f.After
	for {
		retry, live, done, err := f.connection(ctx, &cursor)
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case hasCode(err, ci.NotFound):
			return ErrNoBuild
		case err != nil && !Passing(err):
			return err
		}
		if retry > 0 && (live || !errors.Is(err, errBusy)) { // it was connected
			pause, f.away = backoff{}, false
		}
		if err != nil && !f.away && f.Away != nil {
			f.away = true
			f.Away(err)
		}
		if err := pause.waitAtLeast(ctx, err, retry); err != nil {
			return err
		}
	}
}

// connection follows the build over one connection, and moves the cursor along.
// It returns how long to wait before the next one, 0 if it was never connected, and whether
// it had caught up.
func (f *Follow) connection(ctx context.Context, cursor *string) (retry time.Duration, live, done bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	dead := time.AfterFunc(silence, func() { cancel(errors.New("the stream has gone silent")) })
	defer dead.Stop()

	if f.Lines >= 0 && *cursor == "" {
		if err := f.findFirst(ctx); err != nil {
			return 0, false, false, because(ctx, err)
		}
	}
	req, err := f.Client.request(ctx, http.MethodGet, f.path(*cursor), nil)
	if err != nil {
		return 0, false, false, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if *cursor != "" {
		req.Header.Set("Last-Event-ID", *cursor)
	}
	began := time.Now()
	resp, err := f.Client.ask(req)
	if err != nil {
		return 0, false, false, because(ctx, plain(err, began))
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNoContent: // the end was here already
		return 0, live, true, nil
	case resp.StatusCode != http.StatusOK:
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		return 0, false, false, refused(resp, answer)
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream"):
		return 0, false, false, notStepcast()
	}

	f.ahead = ahead(resp.Header, time.Now())
	stream := sse.NewReader(watched{resp.Body, dead}, 0)
	for busy := false; ; {
		event, err := stream.Next()
		if id := stream.LastID(); id != "" {
			*cursor = id
		}
		if err != nil {
			if retry = min(stream.Retry(), maxRetryAfter); retry == 0 {
				retry = reconnectAfter
			}
			switch {
			case err == io.EOF && busy:
				err = errBusy
			case err == io.EOF:
				err = nil
			default:
				f.Client.unheard.Store(true)
			}
			return retry, live, false, because(ctx, err)
		}
		if f.away && event.Name != "unavailable" {
			f.away = false
			if f.Back != nil {
				f.Back()
			}
		}
		if err := f.handle(event); err != nil {
			return reconnectAfter, live, false, err
		}
		live, busy = live || event.Name == "live", busy || event.Name == "unavailable"
		// A lost build may go on for a day. Whoever waits for its end has it.
		if event.Name == "end" || live && f.lost {
			return 0, live, true, nil
		}
	}
}

func (f *Follow) handle(event sse.Event) error {
	e := FollowEvent{ID: event.ID, Kind: event.Name, Data: event.Data}
	var err error
	switch event.Name {
	case "ping", "unavailable":
		return nil
	case "build":
		if err = readObject(event.Data, &e.Build); err == nil {
			f.lost = e.Build.Status == ci.Lost
		}
	case "step":
		err = readObject(event.Data, &e.Step)
	case "log":
		err = readObject(event.Data, &e.Log)
	case "live":
		e.Live, e.Ahead = true, f.ahead
	case "reset":
		var reset struct{ Reason string }
		err = json.Unmarshal(event.Data, &reset)
		e.Reset = strings.ReplaceAll(label(reset.Reason, 100), "_", " ")
		if e.Reset == "" {
			e.Reset = "unknown"
		}
		f.first, f.steps = nil, nil
	}
	if err != nil {
		return &refusal{status: http.StatusBadGateway, index: -1, detail: "an event cannot be read: " + err.Error()}
	}
	if e.Log != nil && f.isTooMany(e.Log.Step) || e.Step != nil && f.isTooMany(e.Step.Key) {
		return &refusal{status: http.StatusBadGateway, index: -1, detail: "it tells of more steps than a build may have"}
	}
	if e.Log != nil && !f.cut(&e) {
		return nil
	}
	f.Handle(&e)
	return nil
}

// isTooMany tells of a step that is one more than a build of a server of ours has: of each
// something is kept.
func (f *Follow) isTooMany(key ci.StepKey) bool {
	if f.steps == nil {
		f.steps = make(map[ci.StepKey]struct{})
	}
	if len(f.steps) < ci.MaxSteps {
		f.steps[key] = struct{}{}
	}
	_, known := f.steps[key]
	return !known
}

// readObject reads a JSON object into what points to one, and nothing else: null would
// leave it nil.
func readObject(data []byte, into any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return errors.New("it is no object")
	}
	return json.Unmarshal(data, into)
}

// findFirst finds where the last lines begin.
func (f *Follow) findFirst(ctx context.Context) error {
	var build BuildState
	if err := f.Client.do(ctx, http.MethodGet, "/api/v1/builds/"+f.Build.String(), nil, &build); err != nil {
		return err
	}
	f.first = make(map[ci.StepKey]int64)
	for _, s := range build.Steps {
		f.first[s.Key] = s.LogLines - int64(f.Lines) + 1
	}
	return nil
}

// cut takes the lines before the first off a piece of text; false if nothing is
// left of it. Its place in the log stays that of the whole piece.
func (f *Follow) cut(e *FollowEvent) bool {
	line, text := e.Log.Line, e.Log.Text
	for ; line < f.first[e.Log.Step]; line++ {
		_, rest, found := strings.Cut(text, "\n")
		if !found || rest == "" {
			return false
		}
		text = rest
	}
	e.Log.Text = text
	return true
}

func (f *Follow) path(cursor string) string {
	query := url.Values{}
	for _, key := range f.Steps {
		query.Add("step", string(key))
	}
	if f.Lines >= 0 && cursor == "" {
		query.Set("tail", strconv.Itoa(max(f.Lines, 1)))
	}
	path := "/api/v1/builds/" + f.Build.String() + "/events"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// ahead is how far the clock of whoever answered is before ours; 0 when it does
// not say, or by no more than what a date in seconds and the way here explain.
func ahead(h http.Header, now time.Time) time.Duration {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	d := date.Add(time.Second / 2).Sub(now)
	if d.Abs() < 2*time.Second {
		return 0
	}
	return d
}

// watched puts off the moment at which a stream counts as dead with every byte.
type watched struct {
	io.Reader
	dead *time.Timer
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.dead.Reset(silence)
	}
	return n, err
}

// because names the reason for which we broke off a connection ourselves.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}
