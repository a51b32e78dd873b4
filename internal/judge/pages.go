package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// page is a part of a log as JSON.
type page struct {
	Events []struct {
		ID   string
		Kind string
		Data json.RawMessage
	}
	Next  string
	End   bool
	Reset string
}

// poll follows one log by asking for pages, each on any of the servers, until
// it has ended or ctx is done.
func (r *reader) poll(ctx context.Context) {
	r.views[r.logs[0]].shape = Pages
	client := &http.Client{Timeout: silence}
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		r.conns++
		r.stats.Connections.Add(1)
		p, err := r.page(ctx, client)
		if err == nil && r.takePage(p) {
			return
		}
		if err != nil || len(p.Events) == 0 {
			pause(ctx, r.rng, 100*time.Millisecond)
		}
	}
}

func (r *reader) page(ctx context.Context, client *http.Client) (p page, err error) {
	query := url.Values{"limit": {strconv.Itoa(1 + r.rng.IntN(1000))}}
	if r.cursor != "" {
		query.Set("after", r.cursor)
	}
	address := r.servers[r.rng.IntN(len(r.servers))] + r.path() + "?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return p, err
	}
	response, err := client.Do(request)
	if err != nil {
		return p, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return p, err
	}
	if response.StatusCode != http.StatusOK {
		if response.StatusCode != http.StatusServiceUnavailable {
			r.views[r.logs[0]].Refused(r.conns, response.StatusCode, string(body), r.resumes())
		}
		return p, fmt.Errorf("a page was answered %d", response.StatusCode)
	}
	return p, json.Unmarshal(body, &p)
}

// takePage records a page, and says whether the log is over.
func (r *reader) takePage(p page) (over bool) {
	v := r.views[r.logs[0]]
	if p.Reset != "" {
		r.stats.Resets.Add(1)
		v.Reset(r.conns, p.before(), p.Reset)
	}
	for _, e := range p.Events {
		if e.Kind == "snapshot" {
			v.Snapshot(r.conns, e.ID)
			continue
		}
		r.stats.Seen.Add(1)
		v.Event(r.conns, e.ID, e.Kind, e.Data)
	}
	if p.Next != "" {
		v.Mark(r.conns, p.Next, "next")
		r.cursor = p.Next
	}
	if p.End {
		v.End(r.conns, p.Next)
	}
	return p.End
}

// before is the id that the page's first event comes after: a page with reset
// says it only by what it begins with.
func (p page) before() string {
	if len(p.Events) == 0 {
		return p.Next
	}
	name, n, _ := ParseID(p.Events[0].ID)
	return strings.Join([]string{name, strconv.FormatInt(n-1, 10)}, "-")
}
