package judge

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// pupil is just enough of a server to try the judge's own writers and readers
// on, right or with one fault. It keeps everything in memory, and is no model
// of Stepcast beyond the wire.
type pupil struct {
	fault string

	mu      sync.Mutex
	changed chan struct{}
	logs    map[string][]pupilEvent
	steps   map[string]map[string]int64 // bytes by build and step
	notes   map[string]int64            // notes by build/step
	states  map[string]string           // statuses by build/step
	over    map[string]bool
	writes  int
	struck  bool
}

type pupilEvent struct {
	kind   string
	fields map[string]any
}

func newPupil(t *testing.T, fault string) string {
	p := &pupil{fault: fault, changed: make(chan struct{}), logs: map[string][]pupilEvent{}, steps: map[string]map[string]int64{}, notes: map[string]int64{}, states: map[string]string{}, over: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/builds", p.create)
	mux.HandleFunc("POST /api/v1/builds/{id}/updates", p.update)
	mux.HandleFunc("GET /api/v1/builds/{id}/events", func(w http.ResponseWriter, r *http.Request) { p.stream(w, r, []string{r.PathValue("id")}, false) })
	mux.HandleFunc("GET /api/v1/events", func(w http.ResponseWriter, r *http.Request) { p.stream(w, r, []string{Feed}, false) })
	mux.HandleFunc("GET /api/v1/streams", func(w http.ResponseWriter, r *http.Request) {
		query, _ := url.ParseQuery(r.URL.RawQuery)
		p.stream(w, r, query["log"], true)
	})
	mux.HandleFunc("GET /api/v1/builds/{id}/steps/{key...}", p.bytes)
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

func (p *pupil) add(build, kind string, fields map[string]any) {
	p.logs[build] = append(p.logs[build], pupilEvent{kind, fields})
	if (kind == "build" || kind == "step") && (p.fault != "feed" || len(p.logs[Feed]) != 9) {
		feed := map[string]any{"build_id": build, "project": "p"}
		for k, v := range fields {
			feed[k] = v
		}
		p.logs[Feed] = append(p.logs[Feed], pupilEvent{kind, feed})
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pupil) create(w http.ResponseWriter, r *http.Request) {
	var b struct{ ID string }
	must(json.NewDecoder(r.Body).Decode(&b))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.steps[b.ID] == nil {
		p.steps[b.ID] = map[string]int64{}
		p.add(b.ID, "build", map[string]any{"id": b.ID, "project": "p", "status": "queued"})
	}
	w.WriteHeader(http.StatusCreated)
}

func (p *pupil) update(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	var updates []update
	in := json.NewDecoder(body)
	if r.Header.Get("Content-Type") == "application/json" {
		var all struct{ Updates []update }
		must(in.Decode(&all))
		updates = all.Updates
	} else {
		for in.More() {
			var u update
			must(in.Decode(&u))
			updates = append(updates, u)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	build, logs := r.PathValue("id"), map[string]int64{}
	p.writes++
	for i, u := range updates {
		switch {
		case u.Step != nil:
			p.status(build, u.Step.Key, u.Step.Status)
		case u.Build != nil:
			p.status(build, "", u.Build.Status)
			p.over[build] = p.fault != "stale"
		case u.Log != nil:
			end := p.steps[build][u.Log.Step]
			skip := end - u.Log.Offset
			if skip < 0 {
				w.WriteHeader(http.StatusConflict)
				must(json.NewEncoder(w).Encode(map[string]any{"type": "/problems/log-gap", "offset": end, "index": i}))
				return
			}
			fresh := skip < int64(len(u.Log.Text))
			strikes := fresh && p.writes >= 20 && !p.struck // at the first new text from here on
			p.struck = p.struck || strikes
			if fresh && !(strikes && p.fault == "lost") {
				text := u.Log.Text[skip:]
				line := TextOf(build, u.Log.Step).Line(end)
				event := map[string]any{"step": u.Log.Step, "line": line, "offset": u.Log.Offset + skip, "bytes": len(text), "text": text}
				p.add(build, "log", event)
				if p.fault == "twice" && strikes {
					p.add(build, "log", event)
				}
				p.steps[build][u.Log.Step] = u.Log.Offset + int64(len(u.Log.Text))
			}
			logs[u.Log.Step] = p.steps[build][u.Log.Step]
		case u.Note != nil:
			if have := p.notes[build+u.Note.Step]; u.Note.Number > have {
				w.WriteHeader(http.StatusConflict)
				must(json.NewEncoder(w).Encode(map[string]any{"type": "/problems/note-gap", "number": have, "index": i}))
				return
			} else if u.Note.Number == have {
				p.add(build, "note", map[string]any{"step": u.Note.Step, "number": have, "line": u.Note.Line, "test": map[string]any{"name": u.Note.Test.Name}})
				p.notes[build+u.Note.Step]++
			}
		}
	}
	must(json.NewEncoder(w).Encode(receipt{LastEventID: fmt.Sprintf("aaaaaa-%d", len(p.logs[build])), Logs: logs}))
}

func (p *pupil) status(build, step, status string) {
	if p.states[build+step] == status || p.states[build+step] == "passed" {
		return
	}
	p.states[build+step] = status
	if step == "" {
		p.add(build, "build", map[string]any{"id": build, "project": "p", "status": status})
	} else {
		p.add(build, "step", map[string]any{"key": step, "status": status})
	}
}

func (p *pupil) bytes(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := strings.TrimSuffix(r.PathValue("key"), "/log")
	_, _ = w.Write(TextOf(r.PathValue("id"), key).Append(nil, 0, p.steps[r.PathValue("id")][key]))
}

func (p *pupil) stream(w http.ResponseWriter, r *http.Request, logs []string, many bool) {
	cursors, fresh := make([]int, len(logs)), r.Header.Get("Last-Event-ID") == ""
	if !fresh {
		for i, id := range strings.Split(r.Header.Get("Last-Event-ID"), ".") {
			_, n, _ := ParseID(id)
			cursors[i] = int(n)
		}
	}
	if p.fault == "again" && cursors[0]%5 == 4 {
		cursors[0]--
	}
	if p.fault == "skip" && cursors[0]%5 == 4 {
		cursors[0]++
	}
	if r.Header.Get("Accept") != "text/event-stream" {
		p.page(w, r, logs[0])
		return
	}
	frame := func(i int, event string, fields map[string]any) {
		ids := make([]string, len(logs))
		for j, c := range cursors {
			ids[j] = fmt.Sprintf("aaaaaa-%d", c)
		}
		if many && event != "ping" {
			fields["log"] = logs[i]
		}
		data, err := json.Marshal(fields)
		must(err)
		fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", strings.Join(ids, "."), event, data)
	}
	ended := make([]bool, len(logs))
	for {
		p.mu.Lock()
		changed := p.changed
		behind := make([][]pupilEvent, len(logs))
		for i, log := range logs {
			if fresh && log == Feed {
				cursors[i] = len(p.logs[Feed])
				frame(i, "snapshot", map[string]any{})
			}
			behind[i] = slices.Clone(p.logs[log][min(cursors[i], len(p.logs[log])):])
			ended[i] = p.over[log]
		}
		p.mu.Unlock()
		done := true
		for i := range logs {
			done = done && ended[i] && len(behind[i]) == 0
		}
		if done && !fresh {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		for i := range logs {
			for _, e := range behind[i] {
				cursors[i]++
				fields := map[string]any{}
				for k, v := range e.fields {
					fields[k] = v
				}
				if p.fault == "differs" && cursors[i]%7 == 0 {
					fields["at"] = time.Now().String()
				}
				frame(i, e.kind, fields)
			}
			if ended[i] && (fresh || len(behind[i]) > 0) {
				frame(i, "end", map[string]any{})
			}
		}
		fresh = false
		w.(http.Flusher).Flush()
		if !slices.Contains(ended, false) {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func (p *pupil) page(w http.ResponseWriter, r *http.Request, log string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, after, _ := ParseID(r.URL.Query().Get("after"))
	events := []map[string]any{}
	for _, e := range p.logs[log][after:] {
		after++
		events = append(events, map[string]any{"id": fmt.Sprintf("aaaaaa-%d", after), "kind": e.kind, "data": e.fields})
	}
	must(json.NewEncoder(w).Encode(map[string]any{"events": events, "next": fmt.Sprintf("aaaaaa-%d", after), "end": p.over[log]}))
}

// The judge's own writers and readers find nothing in a right server, whatever
// the readers do, and find what is wrong with a wrong one.
func TestLoad_JudgesAServer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fault string
		want  Kind
	}{{"", ""}, {"lost", Lost}, {"twice", Duplicate}, {"again", Duplicate}, {"skip", Skip}, {"differs", Inconsistent}, {"stale", Stale}, {"feed", Lost}}
	for _, test := range tests {
		t.Run("fault="+test.fault, func(t *testing.T) {
			t.Parallel()
			url := newPupil(t, test.fault)
			load, err := Run(context.Background(), Plan{Servers: []string{url, url}, Seed: 1, Shared: 3, Others: 4, Readers: 9, Feeds: 2, Lines: 60,
				Cut: Cut{Bytes: 8 << 10, Quiet: 50 * time.Millisecond}})
			if err != nil {
				t.Fatal(err)
			}
			patience := 30 * time.Second
			if test.fault != "" { // some wait in vain
				patience = 2 * time.Second
			}
			<-load.written
			report := load.Finish(patience)
			if test.want == "" && len(report.Counts) > 0 || test.want != "" && report.Counts[test.want] == 0 {
				t.Errorf("want %q in %v", test.want, report)
			}
			t.Log(report)
		})
	}
}

// As a process, the judge obeys orders given by line.
func TestMain_ObeysOrders(t *testing.T) {
	t.Parallel()
	plan, err := json.Marshal(Plan{Servers: []string{newPupil(t, "")}, Shared: 1, Readers: 1, Lines: 10})
	if err != nil {
		t.Fatal(err)
	}
	in := `{"do":"status"}{"do":"start","plan":` + string(plan) + `}{"do":"pause"}{"do":"resume"}{"do":"finish","patience":10000000000}`
	var out bytes.Buffer
	if err := Main(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	replies := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(replies) != 5 || replies[0] != `{"error":"nothing was started"}` || replies[1] != "{}" {
		t.Fatalf("replies: %q", replies)
	}
	var last reply
	if err := json.Unmarshal([]byte(replies[4]), &last); err != nil {
		t.Fatal(err)
	}
	if last.Report == nil || len(last.Report.Findings) > 0 || last.Report.Acked == 0 {
		t.Errorf("report: %s", replies[4])
	}
}
