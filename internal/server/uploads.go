package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Of uploads: how much of all may wait while pieces are being stored, and of one, at most
// and at least; how often a step counts as heard while nothing comes; and how long the
// store may be away before an upload gives up.
const (
	uploadsPending = 64 << 20 // bytes
	uploadPending  = 256 << 10
	leastPending   = 16 << 10
	uploadTouch    = 20 * time.Second
	uploadPatient  = 15 * time.Second
)

// contentStart is where Content-Range says that a body begins, if it does.
func contentStart(r *http.Request) (first int64, ok bool) {
	span, ok := strings.CutPrefix(r.Header.Get("Content-Range"), "bytes ")
	text, _, _ := strings.Cut(span, "-")
	first, err := strconv.ParseInt(text, 10, 64)
	return first, ok && err == nil
}

// lineTypes are what updates are sent as, one a line: the first is the one to use.
var lineTypes = []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}

// otherOffset finds a header that means Upload-Offset and is not it; "": there is none.
func otherOffset(h http.Header) string {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if wrongOffset.MatchString(name) {
			return name
		}
	}
	return ""
}

// wrongOffset are names that people and programs have given to it. Others have an offset
// in them too, such as of a time zone.
var wrongOffset = regexp.MustCompile(`(?i)^(range|(x[-_]?)?off?s[ei]t|(x[-_])?(upload|stepcast|stepcast-upload|log|tus|content|file|byte|text)[-_]?(of+se?t|of+est|start|position))$`)

// packedTypes are types of what is no text before it is unpacked.
var packedTypes = []string{"application/gzip", "application/x-gzip", "application/zstd"}

const updatesElsewhere = "The body of an upload is the log itself; updates go to …/updates, with POST."

// isUpdates tells whether a text that is announced as JSON begins like updates, or like
// the piece of a log in one. A log may be JSON itself.
func isUpdates(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return bytes.HasPrefix(text, []byte(`{"updates"`)) || bytes.HasPrefix(text, []byte(`{"offset"`))
}

// ofLog says why a request is no upload, by what its headers say of the body.
func ofLog(r *http.Request) error {
	if unannounced(r) {
		p := &ci.Problem{Code: noBody, Detail: "The request announces no body."}
		if r.ProtoMajor == 1 {
			p.Detail += " If one was sent, " + headersEnd
		}
		return p
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &ci.Problem{Code: badEncoding, Detail: "The body of an upload is the log itself; send it plain."}
	}
	switch kind := announced(r); {
	case strings.HasPrefix(kind, "multipart/"): // its parts' headers are no log
		return &ci.Problem{Code: mediaType, Detail: "The body of an upload is the log itself; send it without a form around it, as curl -T does."}
	case slices.Contains(lineTypes, kind):
		return &ci.Problem{Code: mediaType, Detail: updatesElsewhere}
	case slices.Contains(packedTypes, kind):
		return &ci.Problem{Code: mediaType, Detail: fmt.Sprintf("The body of an upload is the log itself, not %s; send it unpacked.", kind)}
	}
	return nil
}

// uploadOffset is where the headers say that a body begins; ci.AtEnd: they do not.
func uploadOffset(r *http.Request) (offset int64, err error) {
	given := r.Header.Values("Upload-Offset")
	if len(given) > 1 {
		return 0, &ci.Problem{Code: ci.Invalid, Field: "Upload-Offset", Detail: fmt.Sprintf("Upload-Offset is there %d times; give it once.", len(given))}
	}
	if len(given) > 0 { // an empty one is not left out: its variable is not set
		if offset, err = strconv.ParseInt(given[0], 10, 64); err != nil || offset < 0 || offset > ci.MaxLogBytes {
			return 0, &ci.Problem{Code: ci.Invalid, Field: "Upload-Offset", Detail: fmt.Sprintf("Upload-Offset is a count of bytes from the start of the step's log, 0 or more, not %s.", printable(given[0]))}
		}
		if first, ok := contentStart(r); ok && first != offset {
			return 0, &ci.Problem{Code: ci.Invalid, Field: "Upload-Offset", Detail: fmt.Sprintf("Upload-Offset says that the body begins at byte %d, and Content-Range, which curl -C sends, that it begins at %d; leave -C out.", offset, first)}
		}
		return offset, nil
	}
	if name := otherOffset(r.Header); name != "" {
		return 0, &ci.Problem{Code: ci.Invalid, Field: "Upload-Offset", Detail: fmt.Sprintf("Where the text goes is said by the header Upload-Offset; there is none that is called %s.", printable(name))}
	}
	if r.Header.Get("Content-Range") != "" { // of curl -C, which leaves out what it thinks is there
		return 0, &ci.Problem{Code: ci.Invalid, Field: "Upload-Offset", Detail: "Where the text goes is said by the header Upload-Offset, not by Content-Range, which curl -C sends: give the count of bytes there too."}
	}
	return ci.AtEnd, nil
}

// patchLog appends the body to a step's log while it arrives.
func (s *Server) patchLog(c echo.Context, ref postgres.Ref) error {
	key, err := stepKey(c)
	if err != nil {
		return err
	}
	if err := ofLog(c.Request()); err != nil {
		return err
	}
	offset, err := uploadOffset(c.Request())
	if err != nil {
		return err
	}
	closed, err := s.openUpload(c, ref.Project)
	if err != nil {
		return err
	}
	defer closed()
	return s.takeIn(c, &upload{
		server: s, id: ref.ID, log: ref.Log, from: s.who(c).holder(), reads: s.readsText(c, ref), step: key, offset: offset, characters: -1,
	})
}

// takeIn stores the body of an upload, and answers it. One goroutine reads, this one
// stores: what comes while a piece is being stored becomes the next piece.
func (s *Server) takeIn(c echo.Context, u *upload) error {
	r := c.Request()
	ended, end := context.WithCancel(context.Background())
	defer end()
	defer s.watchUpload(s.who(c), uploading{end})()
	s.uncount(r)
	unpaced(r)
	c.Set(lastingKey, true)
	s.uploading.Add(1)
	defer s.uploading.Add(-1)
	in := newIncoming(&s.uploading)
	conn := http.NewResponseController(innermost(c.Response()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.readAll(r.Body)
	}()
	whole := false
	defer func() {
		in.give(errUploadOver)
		if !whole { // ends a read that waits, and the connection with it
			c.Response().Header().Set("Connection", "close")
			conn.SetReadDeadline(time.Unix(1, 0))
		}
		<-done
	}()

	// The commits outlive the request: what arrived is kept, also when the
	// peer has gone.
	ctx := context.WithoutCancel(r.Context())
	stop := s.stop
	if r.ContentLength >= 0 && r.ContentLength <= maxBody { // it is over soon, as an update is
		stop = nil
	}
	touch := time.NewTicker(uploadTouch)
	defer touch.Stop()
	for {
		if ended.Err() != nil {
			return s.noLonger(ctx, s.who(c), u)
		}
		piece, err := in.take()
		if len(piece) > 0 || err == io.EOF && !u.stored {
			if !u.stored && ofJSON(r) && isUpdates(piece) {
				return &ci.Problem{Code: mediaType, Detail: updatesElsewhere}
			}
			if err := u.append(ctx, piece, s.stop); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			whole = true
			return s.uploaded(c, u)
		case err != nil: // mostly the peer has vanished, and nobody reads this
			return u.stopped(brokenBody(err, int(u.received)), "What arrived is stored; go on from Upload-Offset.")
		}
		select {
		case <-in.ready:
		case <-ended.Done():
		case <-touch.C:
			s.store.Touch(ctx, u.id, u.step) // best effort: the next text counts as well
		case <-stop:
			if len(in.ready) > 0 {
				continue // what arrived is kept
			}
			return u.stopped(&ci.Problem{Code: shuttingDown, Detail: "The server is shutting down; send it to the next one."}, "What arrived is stored; go on from Upload-Offset.")
		}
	}
}

// uploaded answers an upload that is stored as a whole, with what there is to say of it.
func (s *Server) uploaded(c echo.Context, u *upload) error {
	h := c.Response().Header()
	h.Set("Upload-Offset", strconv.FormatInt(u.have, 10))
	said := struct {
		Differs *int64                  `json:"differs,omitempty"`
		Cut     map[ci.StepKey]ci.Quota `json:"cut,omitempty"`
		Detail  string                  `json:"detail"`
	}{Differs: u.differs, Cut: u.cut}
	switch {
	case u.differs != nil:
		h.Set("Stepcast-Differs", strconv.FormatInt(*u.differs, 10))
		said.Detail = fmt.Sprintf(otherText, *u.differs, "the log")
	case u.cut != nil:
		quota := u.cut[u.step]
		said.Detail = fmt.Sprintf("The log was cut: %s. The rest is taken, and not kept; statuses, notes and heartbeats are as ever.", quota.Why())
	case u.characters >= 0:
		said.Detail = fmt.Sprintf(charactersText, u.characters, "the log")
	case u.doubled > 0:
		said.Detail = fmt.Sprintf("The log has the same %d bytes already, where it %s: without Upload-Offset, which curl leaves out where its variable is empty, text goes to the end. If this was sent before, it is there twice now; with Upload-Offset a repeat is stored once.", u.doubled, u.where)
	case u.again > 0:
		said.Detail = fmt.Sprintf("The log begins with the same %d bytes: the whole was sent where only the rest was wanted, and is behind what was there. Upload-Offset says where the body begins; for the whole it is 0. If the command wrote so, all is well.", u.again)
	case u.twice:
		said.Detail = fmt.Sprintf(oddSentences[ci.OddTwice], u.step)
	case u.moved:
		said.Detail = fmt.Sprintf(movedText, u.step, u.refused, u.began)
	case u.seams:
		said.Detail = fmt.Sprintf(oddSentences[ci.OddSeams], u.step)
	case u.between:
		said.Detail = "Other text came into this log while the upload lasted, and lies between its pieces, maybe within lines. Let one upload at a time send a step's text, or give each a step of its own."
	case u.late:
		said.Detail = fmt.Sprintf(oddSentences[ci.OddLate], u.step)
	case u.tail:
		said.Detail = fmt.Sprintf(oddSentences[ci.OddTail], u.step)
	case u.packed != "":
		said.Detail = fmt.Sprintf("The text begins like %s, and is kept as it came; what is shown as text is UTF-8, and not packed: unpack it, or encode it so.", u.packed)
	case u.latin:
		said.Detail = "The text looks like ISO-8859-1, as Python's http.client sends a str, and is kept as it came; what is shown is UTF-8, with U+FFFD in place of what is not. Encode it as UTF-8."
	case u.decoded != "":
		said.Detail = fmt.Sprintf("The text %s, and is kept as it came. The body of an upload is bytes: send those that the command wrote, without decoding them.", u.decoded)
	case u.within:
		said.Detail = "The text ends within a character, whose parts are shown as U+FFFD each, if more follows: cut a text between two characters, or send the rest before the upload ends."
	case u.object && (ofJSON(c.Request()) || u.update):
		said.Detail = "The text is an object of JSON, and is the log now as it stands. The body of an upload is the log itself; objects with text in them go to …/updates, with POST."
	case !u.lines && ofCurlsData(c.Request(), u.received):
		said.Detail = "The text has no line end: curl -d drops them, and --data-urlencode encodes them. If there were some, use --data-binary or -T."
	case u.received == 0 && announced(c.Request()) == "application/x-www-form-urlencoded":
		said.Detail = "The body is empty, as curl -d sends it for text that begins with @ and names no file, or for a variable that is empty; with --data-raw the text is sent as it is."
	case u.received == 0 && u.have == 0:
		said.Detail = "The body is empty, and so is the log. curl sends an empty body where it cannot read the file of --data-binary, and -s hides its warning; if there was no output, all is well."
	default:
		return c.NoContent(http.StatusNoContent)
	}
	return s.json(c, http.StatusOK, said)
}

// ofJSON tells whether a body is announced as JSON, not only taken for it.
func ofJSON(r *http.Request) bool {
	return r.Header.Get("Content-Type") != "" && announced(r) == "application/json"
}

// ofCurlsData tells whether so many bytes without a line end look like what curl -d made
// of a file. It announces a form, unless it was told another type; -T announces none.
func ofCurlsData(r *http.Request, bytes int64) bool {
	kind := announced(r)
	return kind == "application/x-www-form-urlencoded" && bytes > 0 ||
		kind != "" && bytes >= 32 && strings.HasPrefix(r.UserAgent(), "curl/")
}

var errUploadOver = errors.New("the upload is over")

// uploading is an upload, of whoever may report when it begins.
type uploading struct{ end func() }

func (u uploading) sees(*caller, *ci.Publics) bool { return true }

func (u uploading) shut() { u.end() }

// noLonger says why who was let in is so no more, and how far the upload is.
func (s *Server) noLonger(ctx context.Context, who *caller, u *upload) error {
	t, known, err := s.store.FindToken(ctx, who.token.Sum)
	switch {
	case err != nil:
		return fmt.Errorf("look at the token again: %w", err)
	case known:
		err = inForce(t, time.Now())
	}
	p := ci.AsProblem(err)
	if p == nil { // it was deleted
		p = &ci.Problem{Code: tokenRevoked, Detail: "The token was revoked; ask for another one."}
	}
	return u.stopped(p, "What arrived before is stored, up to Upload-Offset.")
}

// stopped says how far an upload is that does not go on, if any of it is stored: else its
// sender begins again where it began.
func (u *upload) stopped(p *ci.Problem, so string) *ci.Problem {
	if u.stored {
		p.Offset = &u.have
		p.Detail += " " + so
	}
	return p
}

// An upload is where a PATCH stands.
type upload struct {
	server *Server
	id     ci.BuildID
	from   string // whose it is
	reads  bool   // who may read the log
	step   ci.StepKey
	offset int64 // of the next piece, or ci.AtEnd
	have   int64 // bytes that the server has
	stored bool  // once at least

	received int64 // bytes of the body that are stored, or were there
	lines    bool  // one of them is a line end

	log        ci.LogID
	epoch      ci.Epoch                // of the last receipt
	cut        map[ci.StepKey]ci.Quota // as of a receipt
	differs    *int64                  // the byte at which one is not what the log has
	blind      bool                    // what was there already could not be compared in time
	characters int64                   // where it began, if that looks like a count of characters; -1: not
	doubled    int64                   // so many bytes of it were there already, and it went to the end
	where      string                  // where they are: the log "begins" or "ended"
	again      int64                   // with so many bytes of it the log begins, and it said that it goes on
	twice      bool                    // it begins with the same text as came right before it
	moved      bool                    // its beginning was refused before, at another offset
	refused    int64                   // which was this one,
	began      int64                   // and this is where the upload began
	seams      bool                    // it is one of several that end without a line end, and came as a whole
	late       bool                    // some of it came after the end of the build,
	tail       bool                    // or of the step
	between    bool                    // it goes to the end, and text of another lies between its pieces
	packed     string                  // what its beginning looks like, if it is no text
	latin      bool                    // a piece looks like ISO-8859-1
	within     bool                    // it ends within a character, so far
	decoded    string                  // what a piece looks like, if it was decoded wrongly
	object     bool                    // it is one object of JSON without a line end,
	update     bool                    // or one of those that go to …/updates
}

// append stores a piece. A store that is away for a moment is waited for, so
// that a shell's upload survives a restart of the database.
func (u *upload) append(ctx context.Context, piece []byte, stop <-chan struct{}) error {
	r := ci.Request{Build: u.id, From: u.from, Updates: []ci.Update{{Log: &ci.LogUpdate{
		Step: u.step, Offset: u.offset, At: ci.Cut(time.Now()), Chunk: ci.NewChunk(piece),
	}}}}
	for start, pause := time.Now(), 100*time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		receipt, err := u.server.store.Append(ctx, r)
		if err == nil {
			before := u.have
			u.have, u.cut = receipt.Logs[u.step], receipt.Cut
			there := u.have - int64(len(piece)) // before this piece, if all of it is new
			u.compareWith(ctx, &receipt)
			switch {
			case u.stored || u.offset != ci.AtEnd && (u.offset != there || u.have < 2*u.offset):
			case u.offset == ci.AtEnd:
				u.doubled, u.where = u.wasThere(ctx, r.Updates[0].Log.Chunk)
			default: // as much came as is there, or more, behind all of that: it may be all of it again
				u.again, _ = u.wasThere(ctx, r.Updates[0].Log.Chunk)
			}
			if u.offset == ci.AtEnd && u.stored && there > before {
				u.between = true
			}
			if !u.stored { // what comes behind it is one text with it, however it came
				u.refused, u.moved = u.server.gaps.closed(r, r.Updates[0].Log)
				u.began = u.offset
				u.packed = looksLike(piece)
			}
			is := func(what ci.Odd) bool { return slices.Contains(receipt.Odd, ci.Oddity{Step: u.step, What: what}) }
			u.twice = u.twice || !u.stored && is(ci.OddTwice)
			u.seams = !u.stored && is(ci.OddSeams)
			u.late, u.tail = u.late || is(ci.OddLate), u.tail || is(ci.OddTail)
			u.update = !u.stored && likeUpdate(piece)
			u.object = u.update || !u.stored && loneObject(piece)
			u.latin = u.latin || looksLatin(piece)
			if u.decoded == "" {
				u.decoded = decodedWrongly(&r.Updates[0].Log.Chunk)
			}
			u.within = endsWithin(piece)
			u.stored = true
			u.received += int64(len(piece))
			u.lines = u.lines || bytes.IndexByte(piece, '\n') >= 0
			if u.offset != ci.AtEnd {
				u.offset += int64(len(piece))
			}
			return nil
		}
		u.server.gaps.remember(r, err)
		p := ci.AsProblem(err)
		again := p != nil && (p.Code == ci.Overloaded || p.Code == ci.Unavailable || p.Code == ci.OutcomeUnknown && u.offset != ci.AtEnd)
		if !again || time.Since(start) > uploadPatient {
			return fmt.Errorf("append upload: %w", err)
		}
		select {
		case <-time.After(pause):
		case <-stop:
			return fmt.Errorf("append upload: %w", err)
		}
	}
}

// compareWith looks whether a piece that was there already is the same. Once that was not
// found out in time it is not looked again: the upload goes on.
func (u *upload) compareWith(ctx context.Context, receipt *ci.Receipt) {
	if !u.reads {
		u.epoch = receipt.Epoch
		u.server.authors.learn(u.log, u.from, receipt)
		u.server.authors.hide(u.log, u.from, receipt)
	}
	if u.blind || u.differs != nil {
		return
	}
	found, all := u.server.comparing(ctx, u.log, u.from, receipt, new(hints))
	u.blind = !all
	if at, ok := found.characters[u.step]; ok && !u.stored {
		u.characters = at
	}
	if at, ok := found.differs[u.step]; ok {
		u.differs = &at
		u.server.differed.remember(logBy{logOfStep{u.id, u.step}, u.from}, at)
	}
}

// loneObject tells whether a piece is one object of JSON and no line, as programs encode it
// for a body; the lines of a log of JSON have ends.
func loneObject(piece []byte) bool {
	return bytes.HasPrefix(piece, []byte("{")) && !bytes.HasSuffix(piece, []byte("\n")) && json.Valid(piece)
}

// likeUpdate tells whether a piece is one update, or a list of them.
func likeUpdate(piece []byte) bool {
	begins := bytes.ReplaceAll(piece[:min(len(piece), 64)], []byte(" "), nil)
	return slices.ContainsFunc([]string{`{"updates":[{"`, `{"offset":`, `{"log":{"step":`, `{"log":{"offset":`, `{"step":{"key":`}, func(begin string) bool {
		return bytes.HasPrefix(begins, []byte(begin))
	}) && slices.ContainsFunc([]string{`"text"`, `"base64"`, `"status"`}, func(member string) bool {
		return bytes.Contains(piece, []byte(member))
	}) && json.Valid(piece)
}

// worthTelling is from how many bytes on it is no accident that two texts are alike, and
// leastTelling, that a longer one begins with all of a log.
const (
	worthTelling = 24
	leastTelling = 6
)

// wasThere tells how much of a piece that went to the end of a log was there already, as
// far as that is no accident: where the log "begins", or where it "ended".
func (u *upload) wasThere(ctx context.Context, piece ci.Chunk) (bytes int64, where string) {
	before := u.have - piece.Bytes
	n := min(piece.Bytes, before)
	if n < leastTelling || !u.reads && !u.server.authors.wrote(authored{u.epoch, u.log, u.step, u.from}, span{0, before}) {
		return 0, ""
	}
	ctx, cancel := context.WithTimeout(ctx, compareWait)
	defer cancel()
	leave, err := u.server.compares.Enter(ctx, u.from)
	if err != nil {
		return 0, ""
	}
	defer leave()
	same := func(offset int64) int64 {
		found, err := u.server.store.Compare(ctx, u.log, &ci.Repeated{Step: u.step, Offset: offset, Bytes: n, Chunk: piece})
		switch {
		case err != nil || found.Lost >= 0:
			return 0
		case found.Differs >= 0:
			return found.Differs - offset
		}
		return found.Same
	}
	begins := same(0)
	switch whole := begins == before && piece.Bytes > before; {
	case whole, begins >= worthTelling && begins >= n/4: // a quarter: a banner of every command is less
		return begins, "begins"
	case n == piece.Bytes && n >= worthTelling && same(before-n) == n:
		return n, "ended"
	}
	return 0, ""
}

// incoming is the part of an upload that has arrived and is not yet stored.
type incoming struct {
	ready chan struct{} // one slot: something to take
	room  chan struct{} // one slot: something was taken
	all   *atomic.Int64 // how many uploads there are

	mu   sync.Mutex
	data []byte
	err  error // after data: io.EOF, or why nothing more comes
}

func newIncoming(all *atomic.Int64) *incoming {
	return &incoming{all: all, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// most is how many bytes may wait.
func (in *incoming) most() int {
	return max(leastPending, min(uploadPending, uploadsPending/int(max(1, in.all.Load()))))
}

// readAll reads until the end, at most so much ahead.
func (in *incoming) readAll(body io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		if !in.put(buf[:n], err) {
			return
		}
	}
}

// put adds what was read. It waits for room, and tells whether more is wanted.
func (in *incoming) put(data []byte, err error) bool {
	for {
		in.mu.Lock()
		if in.err != nil {
			in.mu.Unlock()
			return false
		}
		if len(in.data) == 0 || len(in.data)+len(data) <= in.most() {
			break
		}
		in.mu.Unlock()
		<-in.room
	}
	in.data = append(in.data, data...)
	in.err = err
	in.mu.Unlock()
	poke(in.ready)
	return err == nil
}

// give ends the reading from the other side.
func (in *incoming) give(err error) {
	in.mu.Lock()
	if in.err == nil {
		in.err = err
	}
	in.mu.Unlock()
	poke(in.room)
}

// take returns what has arrived, up to the last whole character unless that is all: the
// rest comes with what follows, or is sent again by who goes on from there. The piece is
// the caller's own.
func (in *incoming) take() (piece []byte, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	piece, err = in.data, in.err
	in.data = nil
	if err != io.EOF {
		n := len(piece) - ci.Unfinished(piece)
		in.data = append(in.data, piece[n:]...)
		piece = piece[:n:n]
	}
	poke(in.room)
	return piece, err
}

// poke fills a channel of one slot.
func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
