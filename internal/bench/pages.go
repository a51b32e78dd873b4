//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	pageRepeats  = 5      // of all but scrolling; the median counts
	staticLines  = 1000   // of the static page
	jumpedLines  = 500    // that a bare page gets around the line looked up
	scrolled     = 50_000 // lines, of a million
	typing       = 200.0  // ms that the page waits for more letters, as others have to
	pagesPerRun  = 10     // a live step lasts so many times as long as other paced rows
	livePosts    = 10     // a second, as a runner flushes
	liveLines    = 500    // in each
	pagesMinutes = 8      // for all that is done with one browser
	stampLength  = len("2026-11-22T10:00:00.000000Z")
)

// browser is a real Chromium, driven by a Node process: see
// web/scripts/measure.mjs, which knows the orders.
type browser struct {
	*helper
}

// startBrowser starts one. Where a program for it is missing, it says which.
func (b *bench) startBrowser(ctx context.Context) (_ *browser, missing string, _ error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, "Node is missing", nil
	}
	h, err := startOrders("browser", exec.Command(node, filepath.Join(b.web, "scripts", "measure.mjs")))
	if err != nil {
		return nil, "", err
	}
	reply, err := h.reply(ctx, "start")
	if err == nil && reply != "ready" {
		missing = reply
	}
	if err != nil || missing != "" {
		h.stop()
		return nil, missing, err
	}
	return &browser{h}, "", nil
}

// time gives an order that is answered with a time, so many times.
func (b *browser) times(ctx context.Context, n int, order func(i int) string) ([]float64, error) {
	all := make([]float64, n)
	for i := range all {
		if err := b.ask(ctx, order(i), &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func skip(figures int, why string) []value {
	return slices.Repeat([]value{{skipped: why}}, figures)
}

// against makes a figure of the medians of what was measured alternately.
func against(got, reference []float64, note string) value {
	v := value{got: middle(got), reference: middle(reference)}
	v.ratio = v.got / v.reference
	v.note = fmt.Sprintf("%.0f to %.0f ms, the reference %.0f to %.0f ms%s", slices.Min(got), slices.Max(got), slices.Min(reference), slices.Max(reference), note)
	return v
}

func middle(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}

// measurePages looks at a log as a person does. Each reference is what any page
// has to do for the same: to open, lay out and paint a document that has the
// lines already; to get the lines, take them apart and put them on the screen;
// to wait for the last letter, get the matches and take them apart. So a ratio says what these pages add,
// on this machine, in this browser. The log is of a running build, which a page
// opens at its end.
func measurePages(ctx context.Context, r *round) ([]value, error) {
	ctx, cancel := context.WithTimeout(ctx, pagesMinutes*time.Minute)
	defer cancel()
	b, missing, err := r.startBrowser(ctx)
	if missing != "" || err != nil {
		return skip(6, missing), err
	}
	defer b.stop()
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	sample := colouredSample(8, r.size.lines, linesPerPost)
	_, builds, err := postAll(ctx, srv, sample.pieces, 1)
	if err != nil {
		return nil, err
	}
	build, lines := builds[0], sample.lines
	origin := "http://" + srv.addr
	static, err := serveStatic(ctx, srv, build, lines)
	if err != nil {
		return nil, err
	}
	defer static.Close()

	// Opened, in turn with the static page; the last one stays.
	var opened, openedBare []float64
	for range pageRepeats {
		bare, err := b.times(ctx, 1, func(int) string { return "open-bare http://" + static.Addr().String() + "/#end" })
		if err != nil {
			return nil, err
		}
		page, err := b.times(ctx, 1, func(int) string { return fmt.Sprintf("open %s/builds/%s %d", origin, build, lines) })
		if err != nil {
			return nil, err
		}
		opened, openedBare = append(opened, page...), append(openedBare, bare...)
	}
	first, err := b.heap(ctx)
	if err != nil {
		return nil, err
	}

	// Lines far from each other, the one in the middle first.
	at := func(i int) int { return lines / 10 * []int{5, 2, 8, 4, 6}[i%5] }
	jumped, err := b.times(ctx, pageRepeats, func(i int) string { return fmt.Sprint("jump ", at(i)) })
	if err != nil {
		return nil, err
	}
	var longest, used float64
	var turns, frames, gaps int
	if err := b.ask(ctx, fmt.Sprint("scroll ", scrolled*lines/full.lines), &longest, &used, &turns, &frames, &gaps); err != nil {
		return nil, err
	}
	second, err := b.heap(ctx)
	if err != nil {
		return nil, err
	}
	matches := lines / searchedEvery
	found, err := b.times(ctx, pageRepeats, func(int) string { return fmt.Sprintf("search %d %s", matches, searched) })
	if err != nil {
		return nil, err
	}
	third, err := b.heap(ctx)
	if err != nil {
		return nil, err
	}

	if err := b.ask(ctx, "open-bare http://"+static.Addr().String()+"/#end", new(float64)); err != nil {
		return nil, err
	}
	if err := b.ask(ctx, "go "+origin+"/readyz"); err != nil {
		return nil, err
	}
	steps := "/api/v1/builds/" + build
	jumpedBare, err := b.times(ctx, pageRepeats, func(i int) string {
		from := max(1, at(i)-jumpedLines/2)
		return fmt.Sprintf("jump-bare %s/steps/test/lines?from=%d&to=%d %d", steps, from, from+jumpedLines-1, at(i))
	})
	if err != nil {
		return nil, err
	}
	query := url.Values{"q": {searched}, "limit": {"2000"}, "step": {"test"}}
	foundBare, err := b.times(ctx, pageRepeats, func(int) string { return "search-bare " + steps + "/search?" + query.Encode() })
	if err != nil {
		return nil, err
	}
	for i := range foundBare {
		foundBare[i] += typing
	}
	if err := b.ask(ctx, "close"); err != nil {
		return nil, err
	}

	most := slices.MaxFunc([]heap{first, second, third}, func(a, b heap) int { return int(a.sum() - b.sum()) })
	// Tasks below 50 ms are not told.
	task := value{got: max(longest, 50), ratio: max(longest, 50)}
	task.note = fmt.Sprintf("%d turns of the wheel, %d frames, in %d of which a line in sight was not there yet", turns, frames, gaps)
	size := value{got: most.sum() / 1e6, ratio: most.sum() / 1e6}
	size.note = fmt.Sprintf("%v after opening, %v after scrolling, %v after searching", first, second, third)
	return []value{
		against(opened, openedBare, fmt.Sprintf("; %d lines, nothing cached", lines)),
		against(jumped, jumpedBare, ""),
		against(found, foundBare, fmt.Sprintf("; %d matches", matches)),
		task, {got: used, ratio: used, note: "a task that is long because others used the machine is not long here"}, size,
	}, nil
}

// heap is the memory of objects after a collection, in bytes.
type heap struct{ page, worker float64 }

func (h heap) sum() float64 { return h.page + h.worker }

func (h heap) String() string { return fmt.Sprintf("%.1f + %.1f MB", h.page/1e6, h.worker/1e6) }

func (b *browser) heap(ctx context.Context) (h heap, _ error) {
	return h, b.ask(ctx, "heap", &h.page, &h.worker)
}

// serveStatic serves, at any path, a document of the last lines of a log: the
// text, the numbers and the dim times, without any script.
func serveStatic(ctx context.Context, s *server, build string, lines int) (net.Listener, error) {
	first := max(1, lines-staticLines+1)
	text, err := s.get(ctx, fmt.Sprintf("/api/v1/builds/%s/steps/test/log?ansi=strip&lines=%d-", build, first))
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	page.WriteString("<!doctype html><meta charset=utf-8><title>Lines</title><style>.l{display:flex;font:13px/1.5 monospace}a{flex:none;width:6rem}.t{white-space:pre-wrap;overflow-wrap:anywhere}i{opacity:.7}</style>\n")
	for line := range strings.Lines(string(text)) {
		id := ""
		if first == lines {
			id = " id=end"
		}
		stamp, rest := line[:stampLength], strings.TrimSuffix(line[stampLength:], "\n")
		fmt.Fprintf(&page, "<div class=l%s><a href=#L%d>%d</a><span class=t><i>%s</i>%s</span></div>\n", id, first, first, stamp, html.EscapeString(rest))
		first++
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(page.Bytes())
		}))
	}()
	return listener, nil
}

// get reads an answer whole, outside of what is measured.
func (s *server) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("get %s: %s: %s", path, response.Status, bytes.TrimSpace(text))
	}
	return text, err
}

// measurePagesLive is how long a reader waits for lines that the server has
// acknowledged. The bare page takes the same stream with an EventSource of its
// own, and shows nothing but the newest piece: what is left is the page's work.
func measurePagesLive(ctx context.Context, r *round) ([]value, error) {
	ctx, cancel := context.WithTimeout(ctx, pagesMinutes*time.Minute)
	defer cancel()
	b, missing, err := r.startBrowser(ctx)
	if missing != "" || err != nil {
		return skip(2, missing), err
	}
	defer b.stop()
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	posts := max(2, int(pagesPerRun*r.size.duration.Seconds()*livePosts))
	bare, err := b.follow(ctx, srv, max(2, posts/6), func(build string) string {
		return fmt.Sprintf("follow-bare http://%s /api/v1/builds/%s/events", srv.addr, build)
	})
	if err != nil {
		return nil, err
	}
	page, err := b.follow(ctx, srv, posts, func(build string) string {
		return fmt.Sprintf("follow http://%s/builds/%s", srv.addr, build)
	})
	if err != nil {
		return nil, err
	}
	at := func(waits []time.Duration, part float64) float64 {
		waits = slices.Sorted(slices.Values(waits))
		return ms(waits[int(part*float64(len(waits)-1))])
	}
	end := at(page[len(page)-min(len(page), livePosts):], .5)
	lag := value{got: at(page, .95), reference: max(1, at(bare, .95))}
	lag.ratio = lag.got / lag.reference
	lag.note = fmt.Sprintf("median %.0f, longest %.0f ms; of the bare page median %.0f, longest %.0f ms; %d lines in %d posts",
		at(page, .5), at(page, 1), at(bare, .5), at(bare, 1), posts*liveLines, posts)
	return []value{lag, {got: max(end, 1), ratio: max(end, 1), note: "the median of the last second"}}, nil
}

// follow posts to a new build while a page follows it, and returns for each
// post how long after its acknowledgement its last line was to be seen.
func (b *browser) follow(ctx context.Context, srv *server, posts int, order func(build string) string) ([]time.Duration, error) {
	build, err := srv.createBuild(ctx, 0)
	if err != nil {
		return nil, err
	}
	p, err := newPoster(srv, build, "test")
	if err != nil {
		return nil, err
	}
	defer p.close()
	sample := colouredSample(9, (posts+1)*liveLines, liveLines)
	if err := p.post(sample.pieces[0]); err != nil {
		return nil, err
	}
	if err := b.ask(ctx, order(build)); err != nil {
		return nil, err
	}
	acknowledged := make([]time.Time, posts)
	for k, start := 0, time.Now(); k < posts; k++ {
		if err := pause(ctx, time.Until(start.Add(time.Duration(k)*time.Second/livePosts))); err != nil {
			return nil, err
		}
		if err := p.post(sample.pieces[k+1]); err != nil {
			return nil, err
		}
		acknowledged[k] = time.Now()
	}
	seen, err := b.reply(ctx, fmt.Sprint("followed ", (posts+1)*liveLines))
	if err != nil {
		return nil, err
	}
	if err := b.ask(ctx, "close"); err != nil {
		return nil, err
	}
	var waits []time.Duration
	for sample := range strings.SplitSeq(seen, ",") {
		at, line, _ := strings.Cut(sample, ":")
		atMs, err1 := strconv.ParseInt(at, 10, 64)
		last, err2 := strconv.Atoi(line)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("followed: %w", err)
		}
		for len(waits) < posts && (len(waits)+2)*liveLines <= last {
			// What was seen before its acknowledgement had arrived did not wait.
			waits = append(waits, max(0, time.UnixMilli(atMs).Sub(acknowledged[len(waits)])))
		}
	}
	if len(waits) < posts {
		return nil, fmt.Errorf("followed: the page showed %d of %d posts", len(waits), posts)
	}
	return waits, nil
}
