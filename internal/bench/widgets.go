//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stepcast/stepcast/internal/ci"
)

// Two thousand pages have widgets of two hundred projects, which have had fifty
// thousand builds. Twenty projects are a team's: team-3/app-7.
const (
	widgetPages    = 2000
	widgetProjects = 200
	widgetTeam     = 20
	widgetHistory  = 50_000
	widgetRate     = 50                      // changes a second
	widgetSize     = 400                     // bytes of one, as a frame
	widgetsOpen    = 2 * time.Second         // over which all connect
	widgetsSettle  = 1500 * time.Millisecond // after which PostgreSQL has counted
)

var widgetBranches = []string{"main", "next", "release/1.x"}

// widget is what a page asks for.
type widget struct {
	projects []string // names, or one pattern
	branches []string // none: all
}

// newWidgets makes n pages of the kinds that there are, in the order in which
// chance would have them: badges of a branch and of a project, boards of some
// projects and of a team, and a few of everything.
func newWidgets(n int) []widget {
	chance := rand.New(rand.NewPCG(7, 7))
	widgets := make([]widget, n)
	for i := range widgets {
		w := &widgets[i]
		project := widgetProject(chance.IntN(widgetProjects))
		switch kind := i * 1000 / n; {
		case kind < 600:
			w.projects, w.branches = []string{project}, []string{widgetBranches[chance.IntN(len(widgetBranches))]}
		case kind < 800:
			w.projects = []string{project}
		case kind < 950:
			for range 5 {
				w.projects = append(w.projects, widgetProject(chance.IntN(widgetProjects)))
			}
			w.branches = widgetBranches[:1+chance.IntN(2)]
		case kind < 995:
			team, _, _ := strings.Cut(project, "/")
			w.projects = []string{team + "/*"}
		default:
			w.projects = []string{"*"}
		}
	}
	chance.Shuffle(n, func(i, j int) { widgets[i], widgets[j] = widgets[j], widgets[i] })
	return widgets
}

func widgetProject(i int) string { return fmt.Sprintf("team-%d/app-%d", i/widgetTeam, i%widgetTeam) }

// wants tells whether a change is for the widget.
func (w *widget) wants(c change) bool {
	if len(w.branches) > 0 && !slices.Contains(w.branches, c.branch) {
		return false
	}
	team, _, _ := strings.Cut(c.project, "/")
	return slices.Contains(w.projects, c.project) || w.projects[0] == team+"/*" || w.projects[0] == "*"
}

// path is the address of its stream, as widgets.js has it.
func (w *widget) path() string {
	path := "/api/v1/streams?log=feed"
	for _, project := range w.projects {
		path += ";project=" + project
	}
	for _, branch := range w.branches {
		path += ";branch=" + branch
	}
	return path
}

// change is one of a status: where, and when it was acknowledged.
type change struct {
	project, branch string
	build           string
	acknowledged    time.Time
}

// Builds of the past, of which a page wants none. Those that come later have
// higher numbers.
const (
	widgetProjectsSQL = `INSERT INTO projects (name, last_number) SELECT name, $2 FROM unnest($1::text[]) name`
	widgetHistorySQL  = `
		INSERT INTO builds (id, uuid, project, number, branch, status, created_at, started_at, finished_at)
		SELECT row_number() OVER (), gen_random_uuid(), p.id, n, ($2::text[])[n % cardinality($2) + 1],
			CASE n % 7 WHEN 0 THEN 'failed' ELSE 'passed' END, at, at, at + (60 + n % 30) * interval '1 second'
		FROM generate_series(1, $1::bigint) n, projects p, LATERAL (SELECT now() - ($1 - n) * interval '1 hour' AS at) t`
	widgetRowsSQL    = `SELECT setval('build_rows', $1)`
	widgetAnalyzeSQL = `ANALYZE`
	widgetQueriesSQL = `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()`
)

// measureWidgets has many streams of the feed, each of a few projects and
// branches: whether each gets what it asked for, how soon, and at what price;
// and how long it takes until all are live again after a restart, those that
// come anew and those that go on.
func measureWidgets(ctx context.Context, r *round) ([]value, error) {
	widgets := newWidgets(max(widgetPages/r.size.readers, 20))
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { srv.stop() }()
	changes, err := r.widgetBuilds(ctx, srv)
	if err != nil {
		return nil, err
	}
	crowd, err := startHelper("crowd")
	if err != nil {
		return nil, err
	}
	defer crowd.stop()
	paths := filepath.Join(r.dir, "paths")
	var all []string
	for i := range widgets {
		all = append(all, widgets[i].path())
	}
	if err := os.WriteFile(paths, []byte(strings.Join(all, "\n")), 0o644); err != nil {
		return nil, err
	}

	memory := func() (float64, error) { n, err := memoryOf(srv.pid()); return float64(n) / 1024, err }
	bare, err := memory()
	if err != nil {
		return nil, err
	}
	if _, err := r.widgetStorm(ctx, srv, crowd, paths); err != nil {
		return nil, err
	}
	idle, err := memory()
	if err != nil {
		return nil, err
	}
	live, err := r.widgetChanges(ctx, srv, crowd, widgets, changes)
	if err != nil {
		return nil, err
	}
	after, err := memory()
	if err != nil {
		return nil, err
	}
	n := float64(len(widgets))
	each := value{got: (idle - bare) / n, ratio: (idle - bare) / n, note: fmt.Sprintf("before they come %.1f MiB, %.1f KiB each after the changes", bare/1024, (after-bare)/n)}

	// Back to a process that has just begun: first with the last ids, then with none.
	var back [2]storm
	for i := range back {
		if err := crowd.ask(ctx, "close"); err != nil {
			return nil, err
		}
		srv.stop()
		if srv, err = r.startServer(ctx); err != nil {
			return nil, err
		}
		if i == 1 {
			crowd.stop()
			if crowd, err = startHelper("crowd"); err != nil {
				return nil, err
			}
		}
		if back[i], err = r.widgetStorm(ctx, srv, crowd, paths); err != nil {
			return nil, err
		}
	}
	return append(live, each, back[1].value(), back[0].value()), nil
}

// widgetBuilds fills the database, and makes a running build of each project and
// branch.
func (r *round) widgetBuilds(ctx context.Context, srv *server) ([]change, error) {
	conn, err := srv.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	var names []string
	for i := range widgetProjects {
		names = append(names, widgetProject(i))
	}
	each := widgetHistory / widgetProjects / r.size.readers
	_, err1 := conn.Exec(ctx, widgetProjectsSQL, names, each)
	_, err2 := conn.Exec(ctx, widgetHistorySQL, each, widgetBranches)
	_, err3 := conn.Exec(ctx, widgetRowsSQL, each*widgetProjects+1000)
	_, err4 := conn.Exec(ctx, widgetAnalyzeSQL)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("write builds of the past: %w", err)
	}
	places := make([]change, len(names)*len(widgetBranches))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range places {
		p := &places[i]
		p.project, p.branch, p.build = names[i/len(widgetBranches)], widgetBranches[i%len(widgetBranches)], ci.NewBuildID().String()
		group.Go(func() error {
			return srv.call(ctx, "/api/v1/builds", fmt.Sprintf(`{"id":%q,"project":%q,"branch":%q,"status":"running","steps":[{"key":"lint"},{"key":"test"},{"key":"deploy","needs":["test"]}]}`, p.build, p.project, p.branch))
		})
	}
	return places, group.Wait()
}

// storm is how long streams took to live that were opened evenly over a time.
type storm struct {
	median, p99, longest, all time.Duration
	queries                   int // transactions of PostgreSQL
	used                      used
}

func (s storm) value() value {
	return value{
		got: ms(s.p99), ratio: ms(s.p99),
		note: fmt.Sprintf("median %.1f, longest %.1f ms; all live after %.2f s; %d transactions; %s", ms(s.median), ms(s.longest), s.all.Seconds(), s.queries, s.used),
	}
}

// widgetStorm opens all streams, and returns when all are live.
func (r *round) widgetStorm(ctx context.Context, srv *server, crowd *helper, paths string) (s storm, err error) {
	queries, err := srv.queries(ctx)
	if err != nil {
		return s, err
	}
	before, err := watch(srv)
	if err != nil {
		return s, err
	}
	var micros [4]int
	order := fmt.Sprintf("open %s %s %d 60", srv.addr, paths, widgetsOpen.Milliseconds()/int64(r.size.readers))
	if err := crowd.ask(ctx, order, &micros[0], &micros[1], &micros[2], &micros[3]); err != nil {
		return s, err
	}
	if s.used, err = before.since(); err != nil {
		return s, err
	}
	s.median, s.p99, s.longest, s.all = micro(micros[0]), micro(micros[1]), micro(micros[2]), micro(micros[3])
	if err := pause(ctx, widgetsSettle); err != nil {
		return s, err
	}
	after, err := srv.queries(ctx)
	s.queries = after - queries
	return s, err
}

func micro(n int) time.Duration { return time.Duration(n) * time.Microsecond }

// queries is how many transactions the database has seen.
func (s *server) queries(ctx context.Context) (n int, err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	return n, conn.QueryRow(ctx, widgetQueriesSQL).Scan(&n)
}

// widgetChanges reports changes at a rate, and looks who has heard of which.
func (r *round) widgetChanges(ctx context.Context, srv *server, crowd *helper, widgets []widget, places []change) ([]value, error) {
	n := max(int(r.size.duration.Seconds()*widgetRate), 8)
	chance := rand.New(rand.NewPCG(9, 9))
	changes := make([]change, n)
	asked := 0
	for i := range changes {
		changes[i] = places[chance.IntN(len(places))]
		for k := range widgets {
			if widgets[k].wants(changes[i]) {
				asked++
			}
		}
	}
	before, err := watch(srv)
	if err != nil {
		return nil, err
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error { return crowd.ask(within, fmt.Sprintf("await %d %d", asked, n/widgetRate+30)) })
	group.Go(func() error { return srv.postChanges(within, changes) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	used, err := before.since()
	if err != nil {
		return nil, err
	}

	report := filepath.Join(r.dir, "seen")
	group, within = errgroup.WithContext(ctx)
	group.Go(func() error { return crowd.ask(within, "fence "+report+" 60") })
	for _, place := range places {
		group.Go(func() error {
			return srv.call(within, "/api/v1/builds/"+place.build+"/updates", `{"updates":[{"step":{"key":"fence"}}]}`)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	waits, findings, err := readSightings(report, widgets, changes)
	if err != nil {
		return nil, err
	}
	if findings > 0 {
		return nil, fmt.Errorf("%d of %d changes did not arrive once where they were asked for, or arrived elsewhere", findings, asked)
	}
	some := max(1, asked/n)
	turns := max(n, (len(widgets)+some-1)/some) // so that each socket has at least one
	bare, err := r.fanWriterTo(ctx, len(widgets), some, widgetRate, turns, widgetSize)
	if err != nil {
		return nil, err
	}
	at := func(part float64) float64 { return ms(waits[int(part*float64(len(waits)-1))]) }
	cost := value{
		got: used.server.Seconds() * 1e6 / float64(asked), reference: bare.Seconds() * 1e6,
		note: fmt.Sprintf("%d changes, each for %.1f of %d widgets, and every one arrived exactly where it was asked for; %s", n, float64(asked)/float64(n), len(widgets), used),
	}
	cost.ratio = cost.got / cost.reference
	p50 := value{got: at(.5), ratio: at(.5), note: fmt.Sprintf("p90 %.1f, longest %.1f ms", at(.9), at(1))}
	return []value{cost, p50, {got: at(.99), ratio: at(.99)}}, nil
}

// postChanges reports the changes, one after the other at a rate.
func (s *server) postChanges(ctx context.Context, changes []change) error {
	group, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	const reporters = 4
	for first := range reporters {
		p, err := newPoster(s, changes[first].build, "")
		if err != nil {
			return err
		}
		group.Go(func() error {
			defer p.close()
			for i := first; i < len(changes); i += reporters {
				if err := pause(ctx, time.Until(start.Add(time.Duration(i)*time.Second/widgetRate))); err != nil {
					return err
				}
				if err := p.update(s, changes[i].build, fmt.Sprintf(`{"step":{"key":"change-%d","status":"running"}}`, i)); err != nil {
					return err
				}
				changes[i].acknowledged = time.Now()
			}
			return nil
		})
	}
	return group.Wait()
}

// readSightings holds what arrived against what was asked for. It returns how
// long after the acknowledgement changes were seen, shortest first, and how many
// are missing, came twice, or came to somebody who had not asked.
func readSightings(path string, widgets []widget, changes []change) (waits []time.Duration, findings int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	seen := make(map[[2]int]bool)
	for line := range bytes.Lines(text) {
		var stream, number int
		var at int64
		if _, err := fmt.Sscan(string(line), &stream, &number, &at); err != nil {
			return nil, 0, fmt.Errorf("read what arrived: %w", err)
		}
		place := [2]int{stream, number}
		if seen[place] || !widgets[stream].wants(changes[number]) {
			findings++
		}
		seen[place] = true
		waits = append(waits, max(0, time.Unix(0, at).Sub(changes[number].acknowledged)))
	}
	for i := range widgets {
		for k := range changes {
			if widgets[i].wants(changes[k]) && !seen[[2]int{i, k}] {
				findings++
			}
		}
	}
	slices.Sort(waits)
	return waits, findings, nil
}
