package judge

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// client sends writes as the contract asks a runner to: any server will do,
// what was not acknowledged is sent again as it was, and a gap makes it go
// back.
type client struct {
	servers []string
	token   string
	http    *http.Client
	checker *Checker
	stats   *Stats
}

func newClient(c *Checker, servers []string, token string, timeout time.Duration, stats *Stats) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	return &client{servers: servers, token: token, checker: c, stats: stats, http: &http.Client{Transport: transport, Timeout: timeout}}
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// update is one entry of a request, with exactly one of its members.
type update struct {
	Step  *stepUpdate  `json:"step,omitempty"`
	Log   *logUpdate   `json:"log,omitempty"`
	Note  *noteUpdate  `json:"note,omitempty"`
	Build *buildUpdate `json:"build,omitempty"`
}

type stepUpdate struct {
	Key      string `json:"key"`
	Status   string `json:"status"`
	LogBytes *int64 `json:"log_bytes,omitempty"`
}

type logUpdate struct {
	Step   string `json:"step"`
	Offset int64  `json:"offset"`
	Text   string `json:"text"`
}

type noteUpdate struct {
	Step   string     `json:"step"`
	Number int64      `json:"number"`
	Line   int64      `json:"line"`
	Test   testResult `json:"test"`
}

type testResult struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

type buildUpdate struct {
	Status string `json:"status"`
}

// batch is a request in the making.
type batch struct {
	build   string
	updates []update
	claims  []Claim
}

func (b *batch) step(key, status string, logBytes *int64) {
	b.updates = append(b.updates, update{Step: &stepUpdate{Key: key, Status: status, LogBytes: logBytes}})
	b.claims = append(b.claims, Claim{Build: b.build, Step: key, Status: status})
}

func (b *batch) finish(status string) {
	b.updates = append(b.updates, update{Build: &buildUpdate{Status: status}})
	b.claims = append(b.claims, Claim{Build: b.build, Status: status})
}

func (b *batch) text(t Text, step string, offset, n int64) {
	b.updates = append(b.updates, update{Log: &logUpdate{Step: step, Offset: offset, Text: string(t.Append(nil, offset, n))}})
	b.claims = append(b.claims, Claim{Build: b.build, Step: step, Offset: offset, Bytes: n})
}

func (b *batch) note(step string, number int64) {
	test := testResult{Name: noteName(number), Status: "passed"}
	b.updates = append(b.updates, update{Note: &noteUpdate{Step: step, Number: number, Line: number + 1, Test: test}})
	b.claims = append(b.claims, Claim{Build: b.build, Step: step, Notes: number + 1})
}

// payload is a batch as it goes over the wire, the same bytes every time.
type payload struct {
	path, contentType, encoding string
	body                        []byte
}

func (b *batch) encode(rng *rand.Rand) payload {
	p := payload{path: "/api/v1/builds/" + b.build + "/updates", contentType: "application/json"}
	var buf bytes.Buffer
	if rng.IntN(2) == 0 {
		p.contentType = "application/x-ndjson"
		out := json.NewEncoder(&buf)
		for _, u := range b.updates {
			must(out.Encode(u))
		}
	} else {
		must(json.NewEncoder(&buf).Encode(map[string]any{"updates": b.updates}))
	}
	p.body = buf.Bytes()
	if rng.IntN(8) == 0 {
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
		_, err := w.Write(p.body)
		must(err)
		must(w.Close())
		p.body, p.encoding = packed.Bytes(), "gzip"
	}
	return p
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// outcome is what became of a batch in the end.
type outcome struct {
	acked     bool
	last      string // last_event_id of the answer
	gap       int64  // not acked: the step has only so many bytes
	noteGap   bool   // not acked: gap is of notes
	missing   bool   // not acked: no such build
	gaveUp    bool   // not acked: ctx ended, or the server refused for good
	lateReply bool   // more than one request was needed
}

// send sends a batch until it is answered, again and again, to any server.
func (c *client) send(ctx context.Context, rng *rand.Rand, b *batch) outcome {
	p := b.encode(rng)
	if len(c.servers) > 1 && rng.IntN(32) == 0 {
		c.stats.Repeated.Add(1)
		other := c.servers[rng.IntN(len(c.servers))]
		go c.once(ctx, other, p, b) // at the same moment, somewhere else
	}
	for attempt := 0; ; attempt++ {
		o, again := c.once(ctx, c.servers[rng.IntN(len(c.servers))], p, b)
		if !again {
			o.lateReply = attempt > 0
			return o
		}
		pause(ctx, rng, 50*time.Millisecond)
	}
}

// problem is what the writers need of a refusal.
type problem struct {
	Type   string `json:"type"`
	Detail string `json:"detail"`
	Index  int    `json:"index"`
	Offset int64  `json:"offset"`
	Number int64  `json:"number"`
}

// receipt is the answer to a batch.
type receipt struct {
	LastEventID string           `json:"last_event_id"`
	Logs        map[string]int64 `json:"logs"`
}

// once sends a batch one time. again means that it must be repeated.
func (c *client) once(ctx context.Context, server string, p payload, b *batch) (o outcome, again bool) {
	w := c.checker.Sending(server, b.claims...)
	status, body, err := c.do(ctx, server, p)
	if ctx.Err() != nil {
		w.Answered(Answer{})
		return outcome{gaveUp: true}, false
	}
	if err != nil {
		c.stats.Unknown.Add(1)
		w.Answered(Answer{})
		return outcome{}, true
	}
	if status/100 == 2 {
		var r receipt
		if err := json.Unmarshal(body, &r); err != nil {
			w.Answered(Answer{Status: 500, Detail: "unreadable answer: " + err.Error()})
			return outcome{gaveUp: true}, false
		}
		c.stats.Acked.Add(1)
		w.Answered(Answer{Status: status, Logs: r.Logs})
		return outcome{acked: true, last: r.LastEventID}, false
	}
	var why problem
	_ = json.Unmarshal(body, &why)
	kind := why.Type[strings.LastIndexByte(why.Type, '/')+1:]
	switch {
	case status == 409 && (kind == "log-gap" || kind == "log-incomplete") && why.Index >= 0 && why.Index < len(b.claims):
		c.stats.Gaps.Add(1)
		w.Gap(b.build, b.claims[why.Index].Step, why.Offset)
		return outcome{gap: why.Offset}, false
	case status == 409 && kind == "note-gap" && why.Index >= 0 && why.Index < len(b.claims):
		c.stats.Gaps.Add(1)
		w.NoteGap(b.build, b.claims[why.Index].Step, why.Number)
		return outcome{gap: why.Number, noteGap: true}, false
	case status == 429 || status == 503:
		c.stats.Later.Add(1)
		w.Answered(Answer{Status: status})
		return outcome{}, true
	}
	w.Answered(Answer{Status: status, Detail: string(body)})
	return outcome{missing: status == 404, gaveUp: status != 404}, false
}

func (c *client) do(ctx context.Context, server string, p payload) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server+p.path, bytes.NewReader(p.body))
	if err != nil {
		return 0, nil, err
	}
	request.GetBody = nil // the judge decides about repeats, not net/http
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", p.contentType)
	if p.encoding != "" {
		request.Header.Set("Content-Encoding", p.encoding)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, body, err
}

// create reports a build under an id of its own, until it is there.
func (c *client) create(ctx context.Context, rng *rand.Rand, id, project string) error {
	body, err := json.Marshal(map[string]any{"id": id, "project": project, "branch": "main", "title": "What the judge wrote"})
	must(err)
	p := payload{path: "/api/v1/builds", contentType: "application/json", body: body}
	for {
		server := c.servers[rng.IntN(len(c.servers))]
		w := c.checker.Sending(server, Claim{Build: id})
		status, body, err := c.do(ctx, server, p)
		switch {
		case ctx.Err() != nil:
			w.Answered(Answer{})
			return ctx.Err()
		case err != nil:
			w.Answered(Answer{})
		case status == 429 || status == 503:
			w.Answered(Answer{Status: status})
		default:
			w.Answered(Answer{Status: status, Detail: string(body)})
			if status/100 == 2 {
				return nil
			}
			return fmt.Errorf("create build: %d %s", status, body)
		}
		pause(ctx, rng, 50*time.Millisecond)
	}
}
