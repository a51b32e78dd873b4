package ci

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestEvent_Golden pins the bytes of events: they are stored, and what was
// stored by one release is shown by the next.
func TestEvent_Golden(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 11, 0, 0, 200_000_999, time.FixedZone("CET", 3600))
	s := NewState(7, 0, Build{ID: BuildID{0x01, 0x90, 15: 0x10}, Project: "acme/api", Number: 3}, time.Time{}, nil)
	created, err := s.Create(Creation{
		BuildUpdate: BuildUpdate{Branch: Set("main"), Title: Set("Fix <b> & \"c\"\n\u2028"), URL: Set("https://example.com/?a=1&b=2")},
		Steps:       []StepUpdate{{Key: "build"}, {Key: "test/linux", Name: Set("Tests ✓"), Needs: Set([]StepKey{"build"})}},
	}, at)
	if err != nil {
		t.Fatal(err)
	}
	change, err := s.Decide(Request{Updates: []Update{
		{Log: &LogUpdate{Step: "build", At: at, Chunk: NewChunk([]byte("plain\n"))}},
		{Log: &LogUpdate{Step: "build", Offset: 6, At: at.Truncate(time.Second), Chunk: NewChunk([]byte("\x1b[31m\"red\"\x00\t\r\n日本 \u2028</script>"))}},
		{Log: &LogUpdate{Step: "build", Offset: 39, At: time.Date(2, 1, 1, 0, 0, 0, 1000, time.UTC), Chunk: NewChunk([]byte("\xff\xe2\x82 not UTF-8\n"))}},
		{Log: &LogUpdate{Step: "build", Offset: 53, Lost: 100}},
		{Note: &NoteUpdate{Step: "build", Line: 2, Note: Note{Group: &Group{Name: "Install <deps> & \"more\"", Level: 1, Folded: true}}}},
		{Note: &NoteUpdate{Step: "build", Number: 1, At: at, Line: 4, Note: Note{GroupEnd: &GroupEnd{Duration: 2.25}}}},
		{Note: &NoteUpdate{Step: "build", Number: 2, Note: Note{Annotation: &Annotation{Level: LevelError, Message: "undefined: x\n\u2028", Title: "vet", File: "a b.go", Line: 7, EndLine: 8, Column: 3}}}},
		{Note: &NoteUpdate{Step: "build", Number: 3, Note: Note{Annotation: &Annotation{Level: LevelNotice, Message: "plain"}}}},
		{Note: &NoteUpdate{Step: "build", Number: 4, Note: Note{Test: &Test{Suite: "pkg/日本", Name: "TestX/\x1b", Status: Failed, Duration: 1e-7, Message: "a\r\nb"}}}},
		{Note: &NoteUpdate{Step: "build", Number: 5, Note: Note{Test: &Test{Name: "y", Status: Passed}}}},
		{Step: &StepUpdate{Key: "build", Status: Set(Failed), ExitCode: Set(2), LogBytes: Set(int64(153))}},
		{Build: &BuildUpdate{Status: Set(Failed), FinishedAt: Set(time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC))}},
	}}, at.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}

	var got []byte
	for _, e := range append(created.Events, change.Events...) {
		data := e.AppendData(nil)
		if !json.Valid(data) || bytes.ContainsAny(data, "\n\r") {
			t.Errorf("event %d is not one line of JSON: %s", e.ID, data)
		}
		if twice := e.AppendData(nil); !bytes.Equal(twice, data) {
			t.Errorf("event %d differs the second time", e.ID)
		}
		got = append(append(got, data...), '\n')
		if !e.Kind.OfStatus() {
			continue
		}
		feed := FeedData(e.Kind, s.Build.ID, s.Build.Project, data)
		if !json.Valid(feed) {
			t.Errorf("event %d in the feed is not JSON: %s", e.ID, feed)
		}
		got = append(append(append(got, "  "...), feed...), '\n')
	}
	golden := filepath.Join("testdata", "events.golden")
	if *update {
		if err := os.WriteFile(golden, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	before := slices.Collect(bytes.Lines(want))
	for i, line := range slices.Collect(bytes.Lines(got)) {
		if i == len(before) || !bytes.Equal(line, before[i]) {
			t.Fatalf("the events are not those of %s (-update writes it anew), first in line %d:\n%s", golden, i+1, line)
		}
	}
	t.Fatalf("the events are not those of %s (-update writes it anew), of which some are missing at the end", golden)
}

func TestWholeGroup(t *testing.T) {
	t.Parallel()
	group := noteData(testStart, &NoteUpdate{Step: "a", Number: 3, Line: 12, Note: Note{Group: &Group{Name: "}}", Level: 2}}})
	const begin = `{"at":"2026-11-22T10:00:00Z","step":"a","number":3,"line":12,"group":{"name":"}}","level":2,"folded":false,`
	end := func(line int64) []byte {
		return noteData(testStart, &NoteUpdate{Step: "a", Number: 9, Line: line, Note: Note{GroupEnd: &GroupEnd{Group: 3, Duration: 1.5}}})
	}
	for want, end := range map[string][]byte{
		begin + `"last_line":null,"duration_s":null}}`: nil,
		begin + `"last_line":19,"duration_s":1.5}}`:    end(20),
		begin + `"last_line":11,"duration_s":1.5}}`:    end(12),
		begin + `"last_line":null,"duration_s":1.5}}`:  end(0),
	} {
		before := bytes.Clone(group)
		if got := string(WholeGroup(group, end)); got != want {
			t.Errorf("%s ended by %s is %s", group, end, got)
		}
		if !bytes.Equal(group, before) {
			t.Fatalf("the event has become %s", group)
		}
	}
}

// FuzzEvent_AppendData holds every log event to be one line of JSON that says
// what the event says.
func FuzzEvent_AppendData(f *testing.F) {
	for _, s := range awkward {
		f.Add([]byte(s), int64(0), int64(1), int64(1795341600_123456))
	}
	f.Fuzz(func(t *testing.T, raw []byte, offset, line, micros int64) {
		at := time.UnixMicro(micros).UTC()
		if CheckTime(at) != nil {
			return
		}
		e := Event{Kind: KindLog, Step: "test/linux", At: at, Offset: offset, Line: line, Chunk: NewChunk(raw)}
		data := e.AppendData(nil)
		var shows struct {
			At                  time.Time
			Step, Text          string
			Line, Offset, Bytes int64
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&shows); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if !shows.At.Equal(at) || shows.Step != "test/linux" || shows.Line != line || shows.Offset != offset || shows.Bytes != int64(len(raw)) || shows.Text != decoded(raw) {
			t.Fatalf("%q at %v shows as %s", raw, at, data)
		}
		if bytes.ContainsAny(data, "\n\r") {
			t.Fatalf("%q holds a line end", data)
		}
	})
}

func TestFilter_Match(t *testing.T) {
	t.Parallel()
	logOf := func(id EventID, step StepKey) Event { return Event{ID: id, Kind: KindLog, Step: step} }
	note := func(id EventID, step StepKey) Event { return Event{ID: id, Kind: KindNote, Step: step} }
	step := Event{ID: 5, Kind: KindStep, Step: "a", Project: "acme/api", Branch: "main"}
	for name, c := range map[string]struct {
		filter Filter
		event  Event
		want   bool
	}{
		"zero, log":               {Filter{}, logOf(1, "a"), true},
		"zero, step":              {Filter{}, step, true},
		"no logs, log":            {Filter{NoLogs: true}, logOf(1, "a"), false},
		"no logs, step":           {Filter{NoLogs: true}, step, true},
		"its step":                {Filter{Steps: []StepKey{"b", "a"}}, logOf(1, "a"), true},
		"another step":            {Filter{Steps: []StepKey{"b"}}, logOf(1, "a"), false},
		"no logs, note":           {Filter{NoLogs: true}, note(1, "a"), false},
		"its step, note":          {Filter{Steps: []StepKey{"a"}}, note(1, "a"), true},
		"another step's note":     {Filter{Steps: []StepKey{"b"}}, note(1, "a"), false},
		"note before its tail":    {Filter{Since: map[StepKey]EventID{"a": 7}}, note(6, "a"), false},
		"status of another step":  {Filter{Steps: []StepKey{"b"}}, step, true},
		"no step at all":          {Filter{Steps: []StepKey{}}, logOf(1, "a"), false},
		"before its tail":         {Filter{Since: map[StepKey]EventID{"a": 7}}, logOf(6, "a"), false},
		"its tail":                {Filter{Since: map[StepKey]EventID{"a": 7}}, logOf(7, "a"), true},
		"status before the tail":  {Filter{Since: map[StepKey]EventID{"a": 7}}, step, true},
		"a step that came later":  {Filter{Since: map[StepKey]EventID{"a": 7}}, logOf(1, "b"), true},
		"its project":             {Filter{Projects: []string{"x", "acme/*"}}, step, true},
		"another project":         {Filter{Projects: []string{"x", "acme"}}, step, false},
		"its branch":              {Filter{Branches: []string{"main"}}, step, true},
		"another branch":          {Filter{Branches: []string{"dev"}, Projects: []string{"*"}}, step, false},
		"a project out of sight":  {Filter{Sight: &Sight{Reach{Patterns: []string{"x"}}, &Publics{}}}, step, false},
		"a project in sight":      {Filter{Sight: &Sight{Reach{Patterns: []string{"acme/*"}}, &Publics{}}}, step, true},
		"a public project":        {Filter{Sight: &Sight{Reach{}, &Publics{Projects: map[string]Visibility{"acme/api": {Public: true}}}}}, step, true},
		"in sight, not asked for": {Filter{Sight: &Sight{Reach{Patterns: []string{"acme/*"}}, &Publics{}}, Projects: []string{"x"}}, step, false},
		"its branch, not project": {Filter{Branches: []string{"main"}, Projects: []string{"x"}}, step, false},
	} {
		if got := c.filter.Match(&c.event); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if all := name == "zero, log" || name == "zero, step"; c.filter.All() != all {
			t.Errorf("%s: All is %v", name, c.filter.All())
		}
	}
}

func TestCheckTime(t *testing.T) {
	t.Parallel()
	west := time.FixedZone("", -3600)
	for at, ok := range map[time.Time]bool{
		{}: true,
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC): true,
		time.Date(9999, 12, 31, 23, 30, 0, 0, west):              false,
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC):             false,
		time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC):               false,
	} {
		if err := CheckTime(at); (err == nil) != ok {
			t.Errorf("%v: %v", at, err)
		}
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	_, err := ParseBuildID("x")
	if p := AsProblem(err); p == nil || p.Error() == "" || !p.Is(&Problem{Code: InvalidID}) || p.Is(&Problem{Code: Invalid}) {
		t.Errorf("%v", err)
	}
	if AsProblem(os.ErrNotExist) != nil || AsProblem(nil) != nil {
		t.Error("an ordinary error is taken for a problem")
	}
}

// TestJSON_HasNoControlCharacter is for terminals, which take some of UTF-8, too.
func TestJSON_HasNoControlCharacter(t *testing.T) {
	t.Parallel()
	want := "a<b>&\x00\x1b[2J\x7f\u0080\u009b31m\u009f\u00a0é日"
	data, err := JSON(map[string]string{"a": want})
	if err != nil || strings.ContainsFunc(string(data), unicode.IsControl) || !strings.Contains(string(data), `"a<b>&\u0000\u001b[2J\u007f\u0080\u009b31m\u009f`) {
		t.Errorf("%s, %v", data, err)
	}
	var got map[string]string
	if err := json.Unmarshal(data, &got); err != nil || got["a"] != want {
		t.Errorf("%q, %v", got, err)
	}
}
