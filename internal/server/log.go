package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ansi"
	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/turns"
)

// getLog answers with the bytes of a step's log, or a part of them.
func (s *Server) getLog(c echo.Context, ref postgres.Ref) error {
	key, err := stepKey(c)
	if err != nil {
		return err
	}
	want, err := parseLogQuery(c)
	if err != nil {
		return err
	}
	if !s.readsText(c, ref) {
		want = logQuery{} // how long the log is, and nothing of what is in it
	}
	ctx, h := c.Request().Context(), c.Response().Header()
	extent, err := s.store.StepLog(ctx, ref.ID, key)
	if errors.Is(err, &ci.Problem{Code: ci.UnknownStep}) {
		h.Set("Upload-Offset", "0")
	}
	if err != nil {
		return fmt.Errorf("read the extent of a log: %w", err)
	}
	size := extent.Step.LogBytes
	h.Set("Upload-Offset", strconv.FormatInt(size, 10))
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	if want.download {
		h.Set("Content-Disposition", `attachment; filename="`+strings.ReplaceAll(string(key), "/", "_")+`.log"`)
	}
	h.Set("Cache-Control", "no-cache")
	if extent.Over {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if len(extent.Holes) > 0 {
		h.Set("Stepcast-Holes", holesHeader(&extent))
	}
	out := &logWriter{c: c, store: s.store, colours: s.colours, room: s.reading, payer: s.payer(c, s.who(c)), extent: extent, from: 0, to: size, end: want.last}
	if want.strip {
		out.strip = &ansi.Stripper{Bare: true}
	}
	if want.follow {
		h.Set("Cache-Control", "no-store")
		return s.followLog(c, ref, key, out, want)
	}
	etag := logETag(&extent, ref.ID)
	if notModified(c, etag) {
		return c.NoContent(http.StatusNotModified)
	}
	plain := !want.strip && want.first == 0 && len(extent.Holes) == 0
	status := http.StatusOK
	if plain {
		h.Set("Accept-Ranges", "bytes")
		from, to, partial, err := byteRange(c.Request(), size, etag)
		if err != nil {
			h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
			return err
		}
		if out.from, out.to = from, to; partial {
			status = http.StatusPartialContent
			h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
		}
		h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	}
	if want.first > 0 {
		if err := out.startAtLine(ctx, want.first); err != nil {
			return err
		}
	}
	c.Response().WriteHeader(status)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	return out.copy(ctx)
}

// logQuery is which part of a log is asked for, and how.
type logQuery struct {
	first, last             int64 // lines, 1-based; 0: from the first, to the last
	strip, follow, download bool
}

func parseLogQuery(c echo.Context) (want logQuery, err error) {
	q, err := query(c, "lines", "ansi", "follow", "download")
	if err != nil {
		return want, err
	}
	if text := q.Get("lines"); text != "" {
		first, last, dash := strings.Cut(text, "-")
		var bad, bad2 error
		want.first, bad = strconv.ParseInt(first, 10, 64)
		if want.last = want.first; dash {
			if want.last = 0; last != "" {
				want.last, bad2 = strconv.ParseInt(last, 10, 64)
			}
		}
		if bad != nil || bad2 != nil || want.first < 1 || want.last != 0 && want.last < want.first {
			return want, &ci.Problem{Code: ci.Invalid, Field: "lines", Detail: "The parameter lines is of the form 100-199, 100- or 100; the first line is 1."}
		}
	}
	switch q.Get("ansi") {
	case "", "keep":
	case "strip":
		want.strip = true
	default:
		return want, &ci.Problem{Code: ci.Invalid, Field: "ansi", Detail: "The parameter ansi is strip, or left out."}
	}
	if want.follow, err = flagParam(q, "follow"); err != nil {
		return want, err
	}
	want.download, err = flagParam(q, "download")
	return want, err
}

func holesHeader(extent *postgres.StepLog) string {
	parts := make([]string, len(extent.Holes), len(extent.Holes)+1)
	for i, hole := range extent.Holes {
		parts[i] = fmt.Sprintf("%d+%d", hole.Offset, hole.Bytes)
	}
	if extent.More {
		parts = append(parts, "more")
	}
	return strings.Join(parts, ", ")
}

// byteRange reads the Range header (RFC 9110, section 14). More than one range
// is answered with the whole, which is allowed.
func byteRange(r *http.Request, size int64, etag string) (from, to int64, partial bool, err error) {
	header := r.Header.Get("Range")
	spec, ok := strings.CutPrefix(header, "bytes=")
	if !ok || strings.Contains(spec, ",") {
		return 0, size, false, nil
	}
	if match := r.Header.Get("If-Range"); match != "" && match != etag {
		return 0, size, false, nil
	}
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	switch {
	case !dash || first == "" && last == "":
		return 0, size, false, nil // not a range at all
	case first == "":
		n, bad := strconv.ParseInt(last, 10, 64)
		if bad != nil || n < 0 {
			return 0, size, false, nil
		}
		from, to = max(0, size-n), size
	default:
		n, bad := strconv.ParseInt(first, 10, 64)
		m, bad2 := size-1, error(nil)
		if last != "" {
			m, bad2 = strconv.ParseInt(last, 10, 64)
		}
		if bad != nil || bad2 != nil || last != "" && m < n {
			return 0, size, false, nil
		}
		from, to = n, min(m, size-1)+1
	}
	if from >= to {
		return 0, 0, false, &ci.Problem{Code: badRange, Offset: &size, Detail: fmt.Sprintf("The log has %d bytes; this range begins at or beyond its end.", size)}
	}
	return from, to, true, nil
}

// A logWriter copies a log from the store to a response.
type logWriter struct {
	c       echo.Context
	store   *postgres.Store
	colours *colours
	room    *turns.Room // where what is read has to fit,
	payer   string      // of what is read for so many others
	extent  postgres.StepLog
	from    int64 // the next byte to be written
	to      int64 // where to stop
	line    int64 // in which from lies, while lines are counted
	end     int64 // the last line to be written; 0: all
	strip   *ansi.Stripper
	raw     []byte
	unends  bool // the last byte written was no newline
	cut     bool // that the rest was not kept has been written, and no text since
}

// startAtLine finds the byte at which a line begins, and the colours in force
// there.
func (w *logWriter) startAtLine(ctx context.Context, first int64) error {
	if first > w.extent.Step.LogLines {
		lines := w.extent.Step.LogLines
		return &ci.Problem{Code: badRange, Field: "lines", Limit: lines, Detail: fmt.Sprintf("The log has %d lines.", lines)}
	}
	w.from, w.line = w.to, first
	for e, err := range chunksFromLine(ctx, w.store, &w.extent, first) {
		if err != nil {
			return fmt.Errorf("find line %d: %w", first, err)
		}
		w.from = e.Offset
		break
	}
	set, err := w.colours.at(ctx, &w.extent, w.from)
	if err != nil {
		return fmt.Errorf("find the colours of line %d: %w", first, err)
	}
	w.c.Response().Header().Set("Stepcast-SGR", set.String())
	return nil
}

// afterLines returns the place after n newlines; ok is false when there are
// not so many, or nothing comes after them.
func afterLines(raw []byte, n int64) (place int, ok bool) {
	for ; n > 0; n-- {
		i := bytes.IndexByte(raw[place:], '\n')
		if i < 0 {
			return 0, false
		}
		place += i + 1
	}
	return place, place < len(raw)
}

// errLogDone ends a copy that has come to the last line wanted.
var errLogDone = errors.New("the last line was written")

// copy writes the log up to w.to.
func (w *logWriter) copy(ctx context.Context) error {
	for w.from < w.to {
		switch err := w.page(ctx); {
		case err == errLogDone:
			w.from, w.line = w.to, w.end+1
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// What a page of a log takes in memory: at most, and an event of it besides its text.
const (
	logPageBytes  = 8 << 20
	logEventBytes = int(unsafe.Sizeof(ci.Event{}))
)

// page writes the next page of the log. As it is kept until the peer has taken it, it
// waits while those of others who are counted as the same have not been.
func (w *logWriter) page(ctx context.Context) error {
	if w.room.Full(w.payer, logPageBytes) {
		w.c.Response().Flush() // what there is until then
	}
	hold, err := w.room.Take(ctx, w.payer, logPageBytes)
	if err != nil {
		return errGone
	}
	defer hold.Keep(0)
	events, err := w.store.LogChunks(ctx, w.extent.Log, w.extent.Step.Key, w.from)
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	if len(events) == 0 {
		return fmt.Errorf("read log: nothing at %d of %d", w.from, w.to)
	}
	bytes := 0
	for i := range events {
		bytes += logEventBytes + len(events[i].Chunk.Body)
	}
	hold.Keep(bytes)
	for i := range events {
		if err := w.event(&events[i]); err != nil {
			return err
		}
	}
	return nil
}

// event writes what is wanted of one event.
func (w *logWriter) event(e *ci.Event) error {
	until := min(w.to, e.Offset+e.Bytes())
	if until <= w.from {
		return nil
	}
	if e.Offset > w.from { // no answer is better than one with a hole in it
		return fmt.Errorf("read log: nothing at %d, the next event is at %d", w.from, e.Offset)
	}
	if e.Lost > 0 {
		w.from = until
		mark := fmt.Sprintf("[stepcast: %d bytes lost at offset %d]\n", e.Lost, e.Offset)
		if e.Quota != (ci.Quota{}) {
			if w.cut {
				return nil
			}
			w.cut = true
			mark = fmt.Sprintf("[stepcast: the rest was not kept: %s]\n", e.Quota.Why())
		}
		if w.unends {
			mark = "\n" + mark
		}
		return w.write([]byte(mark))
	}
	w.cut = false // a process of an older release has kept something
	w.raw = e.Chunk.AppendRaw(w.raw[:0])
	raw := w.raw[w.from-e.Offset : until-e.Offset]
	w.from = until
	if w.end > 0 {
		place, more := afterLines(raw, w.end-w.line+1)
		if more || place > 0 {
			if err := w.write(raw[:place]); err != nil {
				return err
			}
			return errLogDone
		}
		w.line += int64(bytes.Count(raw, []byte{'\n'}))
	}
	return w.write(raw)
}

func (w *logWriter) write(raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	w.unends = raw[len(raw)-1] != '\n'
	if w.strip != nil {
		raw = w.strip.Append(nil, raw)
	}
	if err := writeSlowly(w.c.Response(), raw); err != nil {
		return errGone
	}
	return nil
}

func sendHTML(c echo.Context, status int, body []byte) error {
	c.Response().Header().Set("Content-Type", "text/html; charset=utf-8")
	return send(c, status, body)
}

// send answers with a body that is whole, after its header. None goes out after
// HEAD, where HTTP/2 takes it for an error.
func send(c echo.Context, status int, body []byte) error {
	c.Response().Header().Set("Content-Length", strconv.Itoa(len(body)))
	c.Response().WriteHeader(status)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	if writeSlowly(c.Response(), body) != nil {
		return errGone
	}
	return nil
}

// writeSlowly writes for as long as the peer takes some of it.
func writeSlowly(r *echo.Response, data []byte) error {
	conn := http.NewResponseController(innermost(r))
	for len(data) > 0 {
		n := min(len(data), writePiece)
		conn.SetWriteDeadline(time.Now().Add(writeWait))
		if _, err := r.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// errGone is the end of a response whose peer takes nothing more.
var errGone = fmt.Errorf("the peer went away: %w", io.ErrClosedPipe)

// followed is a log that is written while it grows.
type followed struct {
	project string
	build   ci.BuildID
	cancel  context.CancelFunc
}

func (f followed) sees(who *caller, now *ci.Publics) bool {
	return who.text(f.project, f.build, now.Projects[f.project].Public)
}

func (f followed) shut() { f.cancel() }

// followLog writes the log while it grows, until the step ends. A response
// that has to break off is broken off, so that nobody takes it for the whole.
func (s *Server) followLog(c echo.Context, ref postgres.Ref, key ci.StepKey, out *logWriter, want logQuery) error {
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	entry := &closer{close: cancel, slots: s.streamSlots(c, ref.Project)}
	if err := s.watch(s.who(c), entry, followed{ref.Project, ref.ID, cancel}); err != nil {
		return err
	}
	defer s.open.remove(entry)
	c.Set(lastingKey, true)
	// What ends the response is written after this returns, when the last
	// text may be long ago and its deadline past.
	defer func() {
		http.NewResponseController(innermost(c.Response())).SetWriteDeadline(time.Now().Add(writeWait))
	}()
	if want.first > 0 && out.extent.Step.LogLines >= want.first {
		if err := out.startAtLine(ctx, want.first); err != nil {
			return err
		}
	} else if want.first > 1 {
		return &ci.Problem{Code: badRange, Field: "lines", Detail: "The log does not have this line yet; follow it from an earlier one."}
	} else {
		out.line = 1
	}
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	cursor := ci.Cursor{Prefix: ci.CursorPrefix(out.extent.Epoch, ref.ID.Name()), ID: out.extent.Last}
	sub := s.tails.Subscribe(ref.Epoch, ref.Log, ref.ID.Name(), cursor, ci.Filter{Steps: []ci.StepKey{key}})
	sub.OnBehalf(s.payer(c, s.who(c)))
	defer sub.Close()
	for {
		if err := out.copy(ctx); err != nil {
			return err
		}
		conn := http.NewResponseController(innermost(c.Response()))
		if conn.Flush() != nil || noDeadline(conn) != nil {
			return errGone
		}
		if done := out.extent.Over || out.extent.Step.Status.Final(); done || out.end > 0 && out.line > out.end {
			return nil
		}
		b, err := sub.Next(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("follow log: %w", err)
		case b.Reset != "":
			return fmt.Errorf("follow log: %s", b.Reset)
		}
		if out.extent, err = s.store.StepLog(ctx, ref.ID, key); err != nil {
			return fmt.Errorf("follow log: %w", err)
		}
		out.to = out.extent.Step.LogBytes
		if b.End {
			out.extent.Over = true
		}
	}
}
