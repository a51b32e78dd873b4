package server

import (
	"bytes"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// maxLost bounds one hole, in bytes; the limits of other values are in ci.
const maxLost = 1 << 50

// decodeUpdates reads the body of POST …/updates. The request keeps parts of
// the body. An error is a *ci.Problem.
func decodeUpdates(body []byte, ndjson bool, now time.Time) (ci.Request, error) {
	d := updatesDecoder{decoder: *newDecoder(body), now: ci.Cut(now)}
	if ndjson {
		d.ndjson()
	} else {
		d.request()
		d.end()
	}
	if d.err != nil {
		return ci.Request{}, d.err
	}
	return d.r, nil
}

// An updatesDecoder reads updates into a request.
type updatesDecoder struct {
	decoder
	r    ci.Request
	now  time.Time // of log text that does not say when it was written
	logs []ci.LogUpdate
}

// ndjson reads one update a line; empty lines are no updates.
func (d *updatesDecoder) ndjson() {
	for whole := d.data; d.pos < len(whole) && d.err == nil; {
		line := len(whole)
		if n := bytes.IndexByte(whole[d.pos:], '\n'); n >= 0 {
			line = d.pos + n
		}
		d.data, d.lines = whole[:line], line < len(whole)
		if d.peek() != 0 || d.pos < line {
			d.add()
			if d.err == nil && (d.peek() != 0 || d.pos < line) {
				d.syntax("a second value is on the line; end each update with a line feed, as curl --data-binary sends it, and curl -d does not")
			}
		}
		d.pos = line + 1
	}
	if len(d.r.Updates) == 0 {
		d.fail(invalidJSON, "The body is empty; send one update a line.")
	}
}

func (d *updatesDecoder) request() {
	const known = "updates and alive"
	const alone = "An update stands in a list, {\"updates\":[…]}, or alone on a line of what is sent as application/x-ndjson."
	empty := true
	for o := (object{}); d.member(&o); empty = false {
		switch string(o.name) {
		case "updates":
			for l := (list{}); d.element(&l); {
				d.add()
			}
			d.index = -1
		case "alive":
			for l := (list{}); d.element(&l); {
				d.field = "alive"
				if l.n > ci.MaxSteps {
					d.limit(ci.TooMany, ci.MaxSteps, "A request has at most %d heartbeats, one for each step.", ci.MaxSteps)
				}
				d.r.Alive = append(d.r.Alive, d.stepKey())
			}
		case "step", "log", "note", "build":
			d.invalid(alone)
		default:
			d.unknown(known)
		}
	}
	if empty {
		d.field = "updates"
		d.invalid("The request has no list of updates.")
	}
}

// add reads one update.
func (d *updatesDecoder) add() {
	d.index++
	d.field = ""
	if d.index == ci.MaxUpdates {
		d.field = "updates"
		d.limit(ci.TooMany, ci.MaxUpdates, "A request has at most %d updates; send the rest in another.", ci.MaxUpdates)
		return
	}
	var u ci.Update
	var o object
	for d.member(&o) {
		if o.n > 1 {
			d.invalid("An update must have exactly one of step, log, note and build.")
			return
		}
		switch string(o.name) {
		case "step":
			u.Step = &ci.StepUpdate{}
			d.step(u.Step)
		case "log":
			u.Log = d.log()
		case "note":
			u.Note = d.note()
		case "build":
			u.Build = &ci.BuildUpdate{}
			d.build(u.Build)
		case "alive", "updates":
			d.invalid("This stands beside no update: heartbeats and lists of updates are sent as application/json, {\"alive\":[…],\"updates\":[…]}.")
		default:
			d.unknown("step, log, note and build")
		}
	}
	if o.n == 0 {
		d.invalid("An update must have exactly one of step, log, note and build.")
	}
	d.r.Updates = append(d.r.Updates, u)
}

func (d *updatesDecoder) step(u *ci.StepUpdate) {
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "key":
			u.Key = d.stepKey()
		case "name":
			u.Name = optional(d, func() string { return d.line(ci.MaxTitle) })
		case "needs":
			u.Needs = optional(d, d.needs)
		case "status":
			u.Status = ci.Set(d.status())
		case "exit_code":
			u.ExitCode = optional(d, func() int { return int(d.integer(math.MinInt32, math.MaxUint32)) })
		case "started_at":
			u.StartedAt = optional(d, d.timestamp)
		case "finished_at":
			u.FinishedAt = optional(d, d.timestamp)
		case "reporter":
			u.Reporter = d.reporter()
		case "log_bytes":
			u.LogBytes = ci.Set(d.integer(0, ci.MaxLogBytes))
		default:
			d.unknown("key, name, needs, status, exit_code, started_at, finished_at, reporter and log_bytes")
		}
	}
	d.need(u.Key != "", "key", "A step needs its key.")
}

// log reads a piece of a log. Pieces share an allocation.
func (d *updatesDecoder) log() *ci.LogUpdate {
	if len(d.logs) == cap(d.logs) {
		d.logs = make([]ci.LogUpdate, 0, min(2*cap(d.logs)+1, 128))
	}
	d.logs = append(d.logs, ci.LogUpdate{Offset: ci.AtEnd, At: d.now})
	u := &d.logs[len(d.logs)-1]
	bodies := 0
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "step":
			u.Step = d.stepKey()
		case "offset":
			u.Offset = d.integer(0, ci.MaxLogBytes)
		case "at":
			u.At = d.timestamp()
		case "text":
			s := d.text()
			u.Chunk = s.chunk()
			bodies++
		case "base64":
			u.Chunk = ci.NewChunk(d.base64())
			bodies++
		case "lost":
			u.Lost = d.integer(1, maxLost)
			bodies++
		default:
			d.unknown("step, offset, at, text, base64 and lost")
		}
	}
	d.need(u.Step != "", "step", "Log text needs the key of its step.")
	d.need(u.Offset >= 0, "offset", "Log text needs its offset, in bytes from the start of the step's log.")
	d.need(bodies == 1, "text", "A piece of a log must have exactly one of text, base64 and lost.")
	return u
}

// note reads what a runner understood of a step's log.
func (d *updatesDecoder) note() *ci.NoteUpdate {
	u := &ci.NoteUpdate{Number: -1, At: d.now}
	kinds := 0
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "step":
			u.Step = d.stepKey()
		case "number":
			if u.Number = d.integer(0, ci.MaxLogBytes); u.Number >= ci.MaxNotes {
				d.limit(ci.TooMany, ci.MaxNotes, "A step has at most %d notes, numbered from 0.", ci.MaxNotes)
			}
		case "at":
			u.At = d.timestamp()
		case "line":
			if !d.null() {
				u.Line = d.integer(0, ci.MaxLogBytes)
			}
		case "group":
			u.Note.Group = d.group()
			kinds++
		case "group_end":
			u.Note.GroupEnd = d.groupEnd()
			kinds++
		case "annotation":
			u.Note.Annotation = d.annotation()
			kinds++
		case "test":
			u.Note.Test = d.test()
			kinds++
		default:
			d.unknown("step, number, at, line, group, group_end, annotation and test")
		}
	}
	d.need(u.Step != "", "step", "A note needs the key of its step.")
	d.need(u.Number >= 0, "number", "A note needs its number: how many notes of the step come before it.")
	d.need(kinds == 1, "note", "A note must have exactly one of group, group_end, annotation and test.")
	if end := u.Note.GroupEnd; end != nil {
		d.need(end.Group < u.Number, "group", "A group is ended by a note of a higher number than the one that began it.")
	}
	return u
}

func (d *updatesDecoder) group() *ci.Group {
	g := &ci.Group{Level: 1}
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "name":
			g.Name = d.line(ci.MaxNoteName)
		case "level":
			g.Level = int(d.integer(1, ci.MaxNoteLevel))
		case "folded":
			g.Folded = d.truth()
		default:
			d.unknown("name, level and folded")
		}
	}
	return g
}

func (d *updatesDecoder) groupEnd() *ci.GroupEnd {
	g := &ci.GroupEnd{Group: -1}
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "group":
			g.Group = d.integer(0, ci.MaxNotes-1)
		case "duration_s":
			g.Duration = d.seconds(ci.MaxNoteSeconds)
		default:
			d.unknown("group and duration_s")
		}
	}
	d.need(g.Group >= 0, "group", "The end of a group needs the number of the note that began it.")
	return g
}

func (d *updatesDecoder) annotation() *ci.Annotation {
	a := &ci.Annotation{}
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "level":
			a.Level = checked(d, ci.ParseLevel)
		case "message":
			a.Message = d.words(ci.MaxNoteMessage)
		case "title":
			a.Title = d.line(ci.MaxNoteName)
		case "file":
			a.File = d.line(ci.MaxNoteName)
		case "file_line":
			a.Line = d.integer(0, ci.MaxNotePlace)
		case "file_end_line":
			a.EndLine = d.integer(0, ci.MaxNotePlace)
		case "file_column":
			a.Column = d.integer(0, ci.MaxNotePlace)
		default:
			d.unknown("level, message, title, file, file_line, file_end_line and file_column")
		}
	}
	d.need(a.Level != "", "level", "An annotation needs its level: error, warning or notice.")
	d.need(a.Message != "", "message", "An annotation needs its message.")
	return a
}

func (d *updatesDecoder) test() *ci.Test {
	t := &ci.Test{}
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "suite":
			t.Suite = d.line(ci.MaxNoteName)
		case "name":
			t.Name = d.line(ci.MaxNoteName)
		case "status":
			t.Status = checked(d, ci.ParseTestStatus)
		case "duration_s":
			t.Duration = d.seconds(ci.MaxNoteSeconds)
		case "message":
			t.Message = d.words(ci.MaxNoteMessage)
		default:
			d.unknown("suite, name, status, duration_s and message")
		}
	}
	d.need(t.Name != "", "name", "A test needs its name.")
	d.need(t.Status != "", "status", "A test needs its status: passed, failed or skipped.")
	return t
}

// reporter reads what a reporter calls itself.
func (d *updatesDecoder) reporter() string {
	s := d.str()
	switch {
	case d.err != nil:
	case len(s) > ci.MaxReporter:
		d.limit(ci.TooLong, ci.MaxReporter, "A reporter's name has at most %d bytes; this one has %d.", ci.MaxReporter, len(s))
	case s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }):
		d.invalid("A reporter's name is 1 to %d printable ASCII characters.", ci.MaxReporter)
	default:
		return s
	}
	return ""
}

func (d *updatesDecoder) build(u *ci.BuildUpdate) {
	for o := (object{}); d.member(&o); {
		if !d.describe(u, o.name) {
			d.unknown("status, branch, commit, title, author, url, trigger, started_at and finished_at")
		}
	}
}

// describe reads a member that a build update and a creation have in common.
func (d *updatesDecoder) describe(u *ci.BuildUpdate, name []byte) bool {
	switch string(name) {
	case "status":
		u.Status = ci.Set(d.status())
	case "branch":
		u.Branch = optional(d, func() string { return d.line(ci.MaxBranch) })
	case "commit":
		u.Commit = optional(d, func() string { return d.line(ci.MaxShort) })
	case "title":
		u.Title = optional(d, func() string { return d.line(ci.MaxTitle) })
	case "author":
		u.Author = optional(d, func() string { return d.line(ci.MaxShort) })
	case "url":
		u.URL = optional(d, d.url)
	case "trigger":
		u.Trigger = optional(d, func() string { return d.line(ci.MaxShort) })
	case "started_at":
		u.StartedAt = optional(d, d.timestamp)
	case "finished_at":
		u.FinishedAt = optional(d, d.timestamp)
	default:
		return false
	}
	return true
}

// decodeCreation reads the body of POST /builds. Without an id it is the zero one.
func decodeCreation(body []byte) (ci.Creation, error) {
	var c ci.Creation
	var err error
	d := updatesDecoder{decoder: *newDecoder(body)}
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "id":
			if s := d.str(); d.err == nil {
				if c.ID, err = ci.ParseBuildID(s); c.ID == (ci.BuildID{}) && err == nil {
					d.invalid("The id is the nil UUID; choose a random one, or leave it out.")
				}
				d.refuse(err)
			}
		case "project":
			c.Project = d.str()
			if d.err == nil {
				d.refuse(ci.CheckProject(c.Project))
			}
		case "steps":
			c.Steps = d.steps()
		case "started_at", "finished_at": // a build update has these
			d.unknown(creationFields)
		default:
			if !d.describe(&c.BuildUpdate, o.name) {
				d.unknown(creationFields)
			}
		}
	}
	d.end()
	d.need(c.Project != "", "project", "A build needs its project.")
	if d.err != nil {
		return ci.Creation{}, d.err
	}
	return c, nil
}

const creationFields = "id, project, branch, commit, title, author, url, trigger, status and steps"

// steps reads the steps that a creation announces.
func (d *updatesDecoder) steps() []ci.StepUpdate {
	var steps []ci.StepUpdate
	for l := (list{}); d.element(&l); {
		d.index = l.n - 1
		if l.n > ci.MaxSteps {
			d.field = "steps"
			d.limit(ci.TooMany, ci.MaxSteps, "A build has at most %d steps.", ci.MaxSteps)
			break
		}
		var u ci.StepUpdate
		for o := (object{}); d.member(&o); {
			switch string(o.name) {
			case "key":
				u.Key = d.stepKey()
			case "name":
				u.Name = optional(d, func() string { return d.line(ci.MaxTitle) })
			case "needs":
				u.Needs = optional(d, d.needs)
			default:
				d.unknown("key, name and needs")
			}
		}
		d.need(u.Key != "", "key", "A step needs its key.")
		steps = append(steps, u)
	}
	d.index = -1
	return steps
}

// need refuses an object that lacks a member.
func (d *updatesDecoder) need(there bool, field, sentence string) {
	if !there && d.err == nil {
		d.field = field
		d.invalid("%s", sentence)
	}
}

// optional reads a value that null clears.
func optional[T any](d *updatesDecoder, read func() T) ci.Field[T] {
	if d.null() {
		return ci.Field[T]{Present: true, Null: true}
	}
	return ci.Set(read())
}

func (d *updatesDecoder) status() ci.Status { return checked(d, ci.ParseReported) }

// checked reads a string that is one of a few.
func checked[T any](d *updatesDecoder, parse func(string) (T, error)) (value T) {
	s := d.str()
	if d.err != nil {
		return value
	}
	value, err := parse(s)
	d.refuse(err)
	return value
}

func (d *updatesDecoder) needs() []ci.StepKey {
	var needs []ci.StepKey
	for l := (list{}); d.element(&l); {
		d.field = "needs"
		if l.n > ci.MaxNeeds {
			d.limit(ci.TooMany, ci.MaxNeeds, "A step needs at most %d others.", ci.MaxNeeds)
			break
		}
		needs = append(needs, d.stepKey())
	}
	return needs
}

// url reads an address that a page may link to, and leaves out who signs in there, with
// which password: everybody would read it, or take it for the host.
func (d *updatesDecoder) url() string {
	s := d.line(ci.MaxURL)
	if d.err != nil {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		d.invalid("The field url must be an address that begins with http:// or https://.")
		return ""
	}
	if u.User != nil {
		scheme, rest, _ := strings.Cut(s, "//")
		host := rest[:strings.IndexAny(rest+"/", "/?#")]
		return scheme + "//" + rest[strings.LastIndexByte(host, '@')+1:]
	}
	return s
}
