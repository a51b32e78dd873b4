package postgres_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

func note(step string, number, line int64, n ci.Note) ci.Update {
	return ci.Update{Note: &ci.NoteUpdate{Step: ci.StepKey(step), Number: number, Line: line, Note: n}}
}

func group(name string) ci.Note { return ci.Note{Group: &ci.Group{Name: name, Level: 1}} }
func groupEnd(of int64) ci.Note { return ci.Note{GroupEnd: &ci.GroupEnd{Group: of, Duration: 0.5}} }
func annotated(l ci.Level) ci.Note {
	return ci.Note{Annotation: &ci.Annotation{Level: l, Message: "undefined: x\n\tin line 7", File: "x.go", Line: 7}}
}
func tested(name string, status ci.Status) ci.Note {
	return ci.Note{Test: &ci.Test{Suite: "internal/ci", Name: name, Status: status, Duration: 0.001}}
}

func TestStore_KeepsNotes(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, r := open(t, url)
	id := create(t, s, "acme/api")
	var results []ci.Update // more than a row takes
	for i := range int64(600) {
		results = append(results, note("test", 5+i, 0, tested(fmt.Sprintf("Test%d", i), []ci.Status{ci.Passed, ci.Passed, ci.Failed}[i/200])))
	}
	requests := [][]ci.Update{
		{text("test", 0, "group\n"), note("test", 0, 1, group("Install")), text("test", 6, "one\ntwo\n"), note("test", 1, 4, groupEnd(0))},
		{note("test", 2, 2, annotated(ci.LevelError)), note("test", 3, 3, annotated(ci.LevelError)), note("test", 4, 3, annotated(ci.LevelNotice))},
		results,
		{note("lint", 0, 0, annotated(ci.LevelWarning))},
	}
	for _, updates := range requests {
		receipt := must(t, s, id, updates...)
		if again := must(t, s, id, updates...); again.Last != receipt.Last { // blindly repeated
			t.Fatalf("a repeat went from event %d to %d", receipt.Last, again.Last)
		}
	}
	other, _ := open(t, url) // which knows only what the table says
	if receipt := must(t, other, id, note("test", 604, 0, tested("again", ci.Failed)), note("test", 605, 0, tested("more", ci.Skipped))); receipt.Notes["test"] != 606 {
		t.Fatalf("the server has %d notes, want 606", receipt.Notes["test"])
	}
	if _, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{note("test", 607, 0, tested("far", ci.Passed))}}); *ci.AsProblem(err).Number != 606 {
		t.Fatalf("a gap: %v", err)
	}

	log := logOf(t, s, id)
	events := all(t, s, log, ci.Filter{})
	wantDense(t, events)
	r.mu.Lock()
	live := r.events[log]
	r.mu.Unlock()
	for i := range live {
		if got, want := string(events[i].AppendData(nil)), string(live[i].AppendData(nil)); got != want || events[i].Kind != live[i].Kind || events[i].Step != live[i].Step {
			t.Fatalf("event %d: live %.200s, stored %.200s", i+1, want, got)
		}
	}
	numbers := func(events []ci.Event, step ci.StepKey) (n int64) {
		t.Helper()
		for _, e := range events {
			var shows struct{ Number int64 }
			if e.Kind != ci.KindNote || e.Step != step {
				continue
			}
			if err := json.Unmarshal(e.Data, &shows); err != nil || shows.Number != n {
				t.Fatalf("note %d of %s is %s", n, step, e.Data)
			}
			n++
		}
		return n
	}
	if n, m := numbers(events, "test"), numbers(events, "lint"); n != 606 || m != 1 {
		t.Errorf("%d and %d notes in the log", n, m)
	}
	status := all(t, s, log, ci.Filter{NoLogs: true})
	if slices.ContainsFunc(status, func(e ci.Event) bool { return !e.Kind.OfStatus() }) {
		t.Error("a note or text in spite of the filter")
	}
	only := all(t, s, log, ci.Filter{Steps: []ci.StepKey{"lint"}})
	if len(only) != len(status)+1 || numbers(only, "lint") != 1 {
		t.Errorf("%d events of the step lint, of status are %d", len(only), len(status))
	}
	for _, e := range all(t, s, ci.FeedLog, ci.Filter{}) {
		if !e.Kind.OfStatus() {
			t.Errorf("the feed has %s", e.Data)
		}
	}

	snap, err := s.Build(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	test, lint := snap.Steps[0], snap.Steps[1]
	if test.Annotations != (ci.Annotations{Error: 2, Notice: 1}) || test.Tests != (ci.Tests{Passed: 400, Failed: 200, Skipped: 1}) || lint.Annotations != (ci.Annotations{Warning: 1}) {
		t.Errorf("counted %+v, %+v", test, lint)
	}
}

// A tail begins behind the text that is not in it, and so do the notes: here
// with one of line 17. A step that has nothing but notes sends them all.
func TestStore_TailHasTheNotesAfterItsText(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	must(t, s, id, note("only", 0, 0, tested("x", ci.Passed)))
	for i := range int64(20) {
		must(t, s, id, text("a", 2*i, "x\n"), note("a", i, i+1, annotated(ci.LevelNotice)))
	}
	must(t, s, id, note("only", 1, 0, tested("y", ci.Passed)))
	log := logOf(t, s, id)
	since, err := s.TailStart(t.Context(), log, 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range all(t, s, log, ci.Filter{Since: since}) {
		if !e.Kind.OfStatus() {
			var shows struct{ Line, Number int64 }
			if err := json.Unmarshal(e.AppendData(nil), &shows); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(e.Step, " ", e.Kind, " ", shows.Line+shows.Number))
		}
	}
	if want := "only note 0, a note 33, a log 18, a note 35, a log 19, a note 37, a log 20, a note 39, only note 1"; strings.Join(got, ", ") != want {
		t.Errorf("the tail is %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestStore_ListsNotes(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	must(t, s, id, text("a", 0, "x"),
		note("a", 0, 1, group("outer")), note("a", 1, 2, group("inner")), note("a", 2, 3, annotated(ci.LevelError)),
		note("a", 3, 4, groupEnd(1)), note("a", 4, 4, group("open")), note("a", 5, 9, groupEnd(0)), note("a", 6, 10, groupEnd(0)),
		note("b", 0, 5, group("empty")), note("b", 1, 5, groupEnd(0)), note("b", 2, 0, annotated(ci.LevelNotice)))
	var results []ci.Update
	for i := range int64(300) {
		status := ci.Passed
		if i%100 == 50 {
			status = ci.Failed
		}
		results = append(results, note("b", 3+i, 0, tested(fmt.Sprintf("Test%d", i), status)))
	}
	must(t, s, id, results...)

	// list reads everything in pages, and says each note in a few words.
	list := func(q postgres.NotesQuery) string {
		t.Helper()
		var out []string
		for {
			page, err := s.Notes(t.Context(), id, q)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Notes) > q.Limit || page.More && page.Through <= q.After {
				t.Fatalf("%d notes after %d, through %d", len(page.Notes), q.After, page.Through)
			}
			for _, data := range page.Notes {
				var n struct {
					Step   string
					Number int64
					Line   *int64
					Group  *struct {
						Name     string
						Last     *int64   `json:"last_line"`
						Duration *float64 `json:"duration_s"`
					}
					Annotation *ci.Annotation
					Test       *ci.Test
				}
				if err := json.Unmarshal(data, &n); err != nil {
					t.Fatal(err)
				}
				switch {
				case n.Group != nil && n.Group.Last == nil:
					out = append(out, fmt.Sprintf("%s %d-", n.Group.Name, *n.Line))
				case n.Group != nil:
					out = append(out, fmt.Sprintf("%s %d-%d %gs", n.Group.Name, *n.Line, *n.Group.Last, *n.Group.Duration))
				case n.Annotation != nil:
					out = append(out, fmt.Sprint(n.Step, n.Number, " ", n.Annotation.Level))
				default:
					out = append(out, n.Test.Name+" "+string(n.Test.Status))
				}
			}
			if q.After = page.Through; !page.More {
				return strings.Join(out, ", ")
			}
		}
	}
	levels := []ci.Level{ci.LevelError, ci.LevelWarning, ci.LevelNotice}
	for want, q := range map[string]postgres.NotesQuery{
		"outer 1-8 0.5s, inner 2-3 0.5s, open 4-, empty 5-4 0.5s": {Groups: true},
		"empty 5-4 0.5s": {Groups: true, Steps: []ci.StepKey{"b", "none"}},
		"outer 1-8 0.5s, inner 2-3 0.5s, a2 error, open 4-, empty 5-4 0.5s, b2 notice": {Groups: true, Levels: levels},
		"a2 error": {Levels: levels[:1]},
		"Test50 failed, Test150 failed, Test250 failed":           {Statuses: []ci.Status{ci.Failed, ci.Skipped, ci.Failed}},
		"a2 error, Test50 failed, Test150 failed, Test250 failed": {Statuses: []ci.Status{ci.Failed}, Levels: levels[:1]},
		"": {Groups: true, Steps: []ci.StepKey{}},
	} {
		for _, q.Limit = range []int{1, 2, 1000} {
			if got := list(q); got != want {
				t.Errorf("%+v: %s, want %s", q, got, want)
			}
		}
	}
	for _, limit := range []int{7, 300, 1000} { // rows of 50, 99 and 99 notes are cut
		passed := strings.Split(list(postgres.NotesQuery{Statuses: []ci.Status{ci.Passed}, Limit: limit}), ", ")
		if len(passed) != 297 || passed[0] != "Test0 passed" || passed[296] != "Test299 passed" {
			t.Errorf("%d tests passed, in pages of %d", len(passed), limit)
		}
	}
	if _, err := s.Notes(t.Context(), ci.NewBuildID(), postgres.NotesQuery{Limit: 1}); !errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
		t.Errorf("notes of no build: %v", err)
	}
}

// Of two who claim a step at once, on two processes, exactly one gets it.
func TestStore_AStepHasOneReporter(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	a, _ := open(t, url)
	b, _ := open(t, url)
	id := create(t, a, "acme/api")
	claim := func(s *postgres.Store, step, reporter string) error {
		_, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{
			{Step: &ci.StepUpdate{Key: ci.StepKey(step), Reporter: reporter, Status: ci.Set(ci.Running)}},
		}})
		return err
	}
	for i := range 30 {
		step := fmt.Sprintf("test%d", i)
		must(t, a, id, ci.Update{Step: &ci.StepUpdate{Key: ci.StepKey(step), Status: ci.Set(ci.Running)}}) // so that a claim changes nothing else
		var errs [2]error
		var wg sync.WaitGroup
		for k, s := range []*postgres.Store{a, b} {
			wg.Go(func() { errs[k] = claim(s, step, fmt.Sprint("job ", k)) })
		}
		wg.Wait()
		winner := slices.Index(errs[:], nil)
		if winner < 0 || !errors.Is(errs[1-winner], &ci.Problem{Code: ci.StepTaken}) {
			t.Fatalf("%s: %v", step, errs)
		}
		for _, s := range []*postgres.Store{a, b} { // and keeps it
			if err := claim(s, step, fmt.Sprint("job ", winner)); err != nil {
				t.Fatalf("%s: the winner again: %v", step, err)
			}
			if err := claim(s, step, fmt.Sprint("job ", 1-winner)); !errors.Is(err, &ci.Problem{Code: ci.StepTaken}) {
				t.Fatalf("%s: the loser again: %v", step, err)
			}
		}
	}
	events := all(t, a, logOf(t, a, id), ci.Filter{})
	wantDense(t, events)
	for _, e := range events {
		if strings.Contains(string(e.Data), "job ") {
			t.Fatalf("a reporter is shown: %s", e.Data)
		}
	}
}

// A process of the release before writes with its own function, and leaves what
// it does not know as it is.
func TestMigration_UnderTheReleaseBefore(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	last := must(t, s, id,
		ci.Update{Step: &ci.StepUpdate{Key: "test", Reporter: "job 1", Status: ci.Set(ci.Running)}},
		note("test", 0, 0, tested("x", ci.Passed)), note("test", 1, 0, annotated(ci.LevelError))).Last
	conn := pgtest.Connect(t, url)
	log := logOf(t, s, id)
	if missed := appendAsBefore(t, conn, map[string]any{
		"h_build": []int64{int64(log)}, "h_expect": []int64{int64(last)}, "h_last": []int64{int64(last) + 1}, "h_status": []string{"running"}, "h_ended": []*string{nil},
		"e_build": []int64{int64(log)}, "e_last": []int64{int64(last) + 1}, "e_first": []int64{int64(last) + 1}, "e_step": []int32{1}, "e_kind": []int16{1}, "e_form": []int16{0},
		"e_offset": []*int64{nil}, "e_bytes": []*int64{nil}, "e_line": []*int64{nil}, "e_body": [][]byte{[]byte(`{"key":"test"}`)},
		"s_build": []int64{int64(log)}, "s_number": []int32{1}, "s_key": []string{"test"}, "s_name": []string{"Tests"}, "s_needs": []*string{nil}, "s_status": []string{"running"},
		"s_exit": []*int64{nil}, "s_started": []*string{nil}, "s_finished": []*string{nil}, "s_ended": []*string{nil}, "s_assumed": []bool{false}, "s_complete": []bool{false},
	}); len(missed) > 0 {
		t.Fatalf("it missed %v", missed)
	}
	if got := must(t, s, id, note("test", 2, 0, tested("y", ci.Failed))).Last; got != last+2 {
		t.Fatalf("the next event is %d, want %d", got, last+2)
	}
	_, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{{Step: &ci.StepUpdate{Key: "test", Reporter: "job 2"}}}})
	if !errors.Is(err, &ci.Problem{Code: ci.StepTaken}) {
		t.Errorf("another reporter: %v", err)
	}
	snap, err := s.Build(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if step := snap.Steps[0]; step.Name != "Tests" || step.Tests != (ci.Tests{Passed: 1, Failed: 1}) || step.Annotations != (ci.Annotations{Error: 1}) {
		t.Errorf("the step is %+v", step)
	}
}

// A migration that broke off begins anew, wherever that was, in a database that
// is in use.
func TestMigration_BeginsAnewWhereItBrokeOff(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	must(t, s, id, text("test", 0, "x\n"), note("test", 0, 1, group("Install")), note("test", 1, 1, tested("x", ci.Passed)))
	conn := pgtest.Connect(t, url)
	for _, broken := range []string{
		`SELECT`,
		`DROP INDEX events_by_note, events_of_notes, events_of_group_ends, events_of_state`,
		`ALTER TABLE events DROP CONSTRAINT events_kind_check, DROP CONSTRAINT events_note_check`,
	} {
		if _, err := conn.Exec(t.Context(), broken); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), `DELETE FROM goose_db_version WHERE version_id >= 2`); err != nil {
			t.Fatal(err)
		}
		if err := postgres.Migrate(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatalf("after %s: %v", broken, err)
		}
	}
	must(t, s, id, note("test", 2, 2, groupEnd(0)))
	page, err := s.Notes(t.Context(), id, postgres.NotesQuery{Groups: true, Limit: 9})
	if err != nil || len(page.Notes) != 1 || !strings.Contains(string(page.Notes[0]), `"last_line":1`) {
		t.Errorf("%s, %v", page.Notes, err)
	}
	wantDense(t, all(t, s, logOf(t, s, id), ci.Filter{}))
}

// A migration that has to wait for somebody who reads any table, such as a
// backup, keeps nobody else waiting.
func TestMigration_WaitsAlone(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	conn, other := pgtest.Connect(t, url), pgtest.Connect(t, url)
	if _, err := other.Exec(t.Context(), `SET statement_timeout = '10s'`); err != nil { // as the server's is
		t.Fatal(err)
	}
	var tables []string
	if err := conn.QueryRow(t.Context(), `SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'`).Scan(&tables); err != nil {
		t.Fatal(err)
	}
	waited := 0
	for _, table := range tables {
		if _, err := conn.Exec(t.Context(), `DELETE FROM goose_db_version WHERE version_id >= 3`); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), `BEGIN; SELECT FROM `+table+` LIMIT 1`); err != nil {
			t.Fatal(err)
		}
		migrated := make(chan error, 1)
		go func() { migrated <- postgres.Migrate(t.Context(), url, slog.New(slog.DiscardHandler)) }()
		for waiting := false; !waiting && len(migrated) == 0; {
			if err := other.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid)))`, int32(conn.PgConn().PID())).Scan(&waiting); err != nil {
				t.Fatal(err)
			}
			if !waiting {
				continue
			}
			waited++
			for _, read := range tables {
				if _, err := other.Exec(t.Context(), `SELECT FROM `+read+` LIMIT 1`); err != nil {
					t.Errorf("%s, while a migration waits for %s: %v", read, table, err)
				}
			}
		}
		if _, err := conn.Exec(t.Context(), `COMMIT`); err != nil {
			t.Fatal(err)
		}
		if err := <-migrated; err != nil {
			t.Errorf("while %s is read: %v", table, err)
		}
	}
	if waited < 3 {
		t.Errorf("it waited for %d tables", waited)
	}
}

// Of a build that has moved on, no append_batch writes anything: not the first,
// and none of those that call it and write more.
func TestMigration_WritesNothingOfABuildThatMovedOn(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	last := must(t, s, id, text("test", 0, "x\n")).Last
	log := logOf(t, s, id)
	conn := pgtest.Connect(t, url)
	const signaturesSQL = `
		SELECT pronargs, proargnames[:pronargs], string_to_array(oidvectortypes(proargtypes), ', ')
		FROM pg_proc WHERE proname = 'append_batch' ORDER BY pronargs`
	rows, err := conn.Query(t.Context(), signaturesSQL)
	if err != nil {
		t.Fatal(err)
	}
	type signature struct {
		N            int
		Names, Types []string
	}
	functions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[signature])
	if err != nil || len(functions) < 2 {
		t.Fatal(functions, err)
	}
	const keptSQL = `
		SELECT concat_ws(E'\n', b, h, s, (SELECT count(*) FROM events), (SELECT count(*) FROM feed))
		FROM builds b JOIN build_heads h ON h.build = b.id JOIN steps s ON s.build = b.id`
	kept := func() (all string) {
		if err := conn.QueryRow(t.Context(), keptSQL).Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := kept()
	for _, f := range functions {
		var args []string
		for i, name := range f.Names {
			element := map[string]string{"bigint[]": "7", "integer[]": "1", "smallint[]": "1", "text[]": "'x'", "bytea[]": "'x'", "boolean[]": "true", "timestamptz[]": "now()", "timestamp with time zone[]": "now()", "double precision[]": "0"}[f.Types[i]]
			switch prefix, of, _ := strings.Cut(name, "_"); {
			case name == "in_epoch":
				args = append(args, "present_epoch()")
				continue
			case prefix == "n" || prefix == "p": // it creates none
				args = append(args, "'{}'::"+f.Types[i])
				continue
			case of == "build":
				element = fmt.Sprint(int64(log))
			case name == "h_expect":
				element = fmt.Sprint(int64(last) - 1)
			case name == "h_last":
				element = fmt.Sprint(int64(last) + 1)
			case element == "":
				t.Fatalf("%s is %s", name, f.Types[i])
			}
			args = append(args, "ARRAY["+element+"]::"+f.Types[i])
		}
		var ok bool
		var missed []int64
		if err := conn.QueryRow(t.Context(), `SELECT epoch_ok, missed FROM append_batch(`+strings.Join(args, ", ")+`)`).Scan(&ok, &missed); err != nil || !ok || !slices.Contains(missed, int64(log)) {
			t.Errorf("the function of %d parameters: %v, %v, it missed %v", f.N, err, ok, missed)
		}
		if after := kept(); after != before {
			t.Errorf("the function of %d parameters wrote\n%s\nthere was\n%s", f.N, after, before)
		}
	}
}

// appendAsBefore calls the append_batch of the first release, of whose arrays
// those that are not given are empty.
func appendAsBefore(t *testing.T, conn *pgx.Conn, given map[string]any) (missed []int64) {
	t.Helper()
	const signatureSQL = `
		SELECT proargnames[:pronargs], string_to_array(oidvectortypes(proargtypes), ', ')
		FROM pg_proc WHERE proname = 'append_batch' ORDER BY pronargs LIMIT 1`
	var names, types []string
	if err := conn.QueryRow(t.Context(), signatureSQL).Scan(&names, &types); err != nil {
		t.Fatal(err)
	}
	if len(names) != 61 {
		t.Fatalf("the first release's function has 61 parameters, this one %d", len(names))
	}
	var epoch uuid.UUID
	if err := conn.QueryRow(t.Context(), `SELECT present_epoch()`).Scan(&epoch); err != nil {
		t.Fatal(err)
	}
	args, values := []string{"$1"}, []any{epoch}
	for i, name := range names[1:] {
		value, ok := given[name]
		if !ok {
			args = append(args, "'{}'::"+types[i+1])
			continue
		}
		values = append(values, value)
		args = append(args, fmt.Sprintf("$%d::%s", len(values), types[i+1]))
	}
	var ok bool
	if err := conn.QueryRow(t.Context(), `SELECT epoch_ok, missed FROM append_batch(`+strings.Join(args, ", ")+`)`, values...).Scan(&ok, &missed); err != nil || !ok {
		t.Fatalf("append as the release before: %v, in this epoch %v", err, ok)
	}
	return missed
}

// BenchmarkStore_Notes stores 10,000 test results of a step, 500 a
// request, and says what each takes in the table and its indexes.
func BenchmarkStore_Notes(b *testing.B) {
	url := pgtest.New(b)
	s, _ := open(b, url)
	conn := pgtest.Connect(b, url)
	size := func() (n int64) {
		if err := conn.QueryRow(b.Context(), `SELECT pg_total_relation_size('events')`).Scan(&n); err != nil {
			b.Fatal(err)
		}
		return n
	}
	const results, each = 10_000, 500
	var requests [][]ci.Update
	for i := range int64(results) {
		if i%each == 0 {
			requests = append(requests, nil)
		}
		n := ci.Note{Test: &ci.Test{Suite: fmt.Sprintf("github.com/acme/api/internal/service_%02d", i/200), Name: fmt.Sprintf("TestService/case_%d_of_many", i), Status: ci.Passed, Duration: float64(i%977) / 1000}}
		if i%500 == 77 {
			n.Test.Status, n.Test.Message = ci.Failed, strings.Repeat("service_test.go:77: got 3, want 4\n", 10)
		}
		requests[i/each] = append(requests[i/each], note("test", i, 0, n))
	}
	before := size()
	for b.Loop() {
		id := create(b, s, "bench/notes")
		for _, updates := range requests {
			must(b, s, id, updates...)
		}
	}
	b.ReportMetric(float64(results*b.N)/b.Elapsed().Seconds(), "notes/s")
	b.ReportMetric(float64(size()-before)/float64(results*b.N), "B/note")
}
