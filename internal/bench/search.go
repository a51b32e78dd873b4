//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// What is searched for is in every so many lines.
const (
	searched      = "lease was lost"
	searchedEvery = 500
	searchRepeats = 5 // the median counts
)

// colouredSample makes lines of 128 bytes with their ends, so many a post: times
// are dim, and every 500th line is an error in red.
func colouredSample(seed uint64, lines, perPost int) *sample {
	w := newLineWriter(seed)
	var line []byte
	return makeSample(lines, perPost, 128, func(dst []byte, n int) []byte {
		const dim, red, off, stamp = "\x1b[2m", "\x1b[1;31mERROR\x1b[0m ", "\x1b[0m ", len("2006-01-02T15:04:05.000000Z")
		line = w.sized(line[:0], 127)
		end := len(dst) + 127
		dst = append(append(append(dst, dim...), line[:stamp]...), off...)
		if n%searchedEvery == searchedEvery/2 {
			dst = append(append(append(dst, red...), searched...), ' ')
		}
		return append(dst, line[stamp+1:][:end-len(dst)]...)
	})
}

// measureSearch looks for text in a build of one step, as it stands and without
// regard to case, and likewise in the reference.
func measureSearch(ctx context.Context, r *round) ([]value, error) {
	sample := colouredSample(8, r.size.lines, linesPerPost)
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	_, builds, err := postAll(ctx, srv, sample.pieces, 1)
	if err != nil {
		return nil, err
	}
	use, err := watch(srv)
	if err != nil {
		return nil, err
	}
	var took [2]time.Duration
	for i, exact := range []string{"true", "false"} {
		if took[i], err = median(func() (time.Duration, error) {
			return srv.search(ctx, builds[0], url.Values{"q": {searched}, "case": {exact}}, sample.lines/searchedEvery)
		}); err != nil {
			return nil, err
		}
	}
	used, err := use.since()
	if err != nil {
		return nil, err
	}
	srv.stop()

	ref, err := r.startReference(ctx)
	if err != nil {
		return nil, err
	}
	defer ref.stop()
	if _, err := r.copyIn(ctx, ref, sample); err != nil {
		return nil, err
	}
	values := make([]value, 2)
	for i, like := range []string{"LIKE", "ILIKE"} {
		counted, err := median(func() (time.Duration, error) {
			return ref.psql(ctx, fmt.Sprintf("SELECT count(*) FROM lines WHERE text %s '%%%s%%';", like, searched))
		})
		if err != nil {
			return nil, err
		}
		values[i] = value{got: took[i].Seconds(), reference: counted.Seconds(), ratio: took[i].Seconds() / counted.Seconds()}
	}
	values[0].note = fmt.Sprintf("%d lines, %d of which match; all %d searches: %s", sample.lines, sample.lines/searchedEvery, 2*searchRepeats, used)
	return values, nil
}

// median measures several times.
func median(measure func() (time.Duration, error)) (time.Duration, error) {
	var all []time.Duration
	for range searchRepeats {
		took, err := measure()
		if err != nil {
			return 0, err
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// search asks for the lines of a build that match, of which there are so many,
// and returns how long the answer took.
func (s *server) search(ctx context.Context, build string, query url.Values, want int) (time.Duration, error) {
	start := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/api/v1/builds/"+build+"/search?"+query.Encode(), nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	took := time.Since(start)
	var page struct {
		Total    int
		Complete bool
	}
	if err := json.Unmarshal(text, &page); err != nil || page.Total != want || !page.Complete {
		return 0, fmt.Errorf("search: %s: %.200s, want a total of %d", response.Status, text, want)
	}
	return took, nil
}
