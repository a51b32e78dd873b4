package server

import (
	"bytes"
	"math"
	"net/url"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Limits of single values, beside those in ci.
const (
	maxLost  = 1 << 50 // bytes of one hole
	maxShort = 250     // bytes of a commit, an author or a trigger
)

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
		d.data = whole[:line]
		if d.peek() != 0 || d.pos < line {
			d.add()
			d.end()
		}
		d.pos = line + 1
	}
}

func (d *updatesDecoder) request() {
	const known = "updates and alive"
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
			d.invalid("An update must have exactly one of step, log and build.")
			return
		}
		switch string(o.name) {
		case "step":
			u.Step = &ci.StepUpdate{}
			d.step(u.Step)
		case "log":
			u.Log = d.log()
		case "build":
			u.Build = &ci.BuildUpdate{}
			d.build(u.Build)
		default:
			d.unknown("step, log and build")
		}
	}
	if o.n == 0 {
		d.invalid("An update must have exactly one of step, log and build.")
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
		case "log_bytes":
			u.LogBytes = ci.Set(d.integer(0, ci.MaxLogBytes))
		default:
			d.unknown("key, name, needs, status, exit_code, started_at, finished_at and log_bytes")
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
		u.Commit = optional(d, func() string { return d.line(maxShort) })
	case "title":
		u.Title = optional(d, func() string { return d.line(ci.MaxTitle) })
	case "author":
		u.Author = optional(d, func() string { return d.line(maxShort) })
	case "url":
		u.URL = optional(d, d.url)
	case "trigger":
		u.Trigger = optional(d, func() string { return d.line(maxShort) })
	case "started_at":
		u.StartedAt = optional(d, d.timestamp)
	case "finished_at":
		u.FinishedAt = optional(d, d.timestamp)
	default:
		return false
	}
	return true
}

// decodeCreation reads the body of POST /builds.
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
	if c.ID == (ci.BuildID{}) {
		c.ID = ci.NewBuildID()
	}
	return c, nil
}

const creationFields = "id, project, branch, commit, title, author, url, trigger, status and steps"

// steps reads the steps that a creation announces.
func (d *updatesDecoder) steps() []ci.StepUpdate {
	var steps []ci.StepUpdate
	for l := (list{}); d.element(&l); {
		if l.n > ci.MaxSteps {
			d.field = "steps"
			d.limit(ci.TooMany, ci.MaxSteps, "A build has at most %d steps.", ci.MaxSteps)
			break
		}
		d.index = l.n - 1
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

func (d *updatesDecoder) status() ci.Status {
	s := d.str()
	if d.err != nil {
		return ""
	}
	status, err := ci.ParseReported(s)
	d.refuse(err)
	return status
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

// url reads an address that a page may link to.
func (d *updatesDecoder) url() string {
	s := d.line(ci.MaxURL)
	if d.err != nil {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		d.invalid("The field url must be an address that begins with http:// or https://.")
	}
	return s
}
