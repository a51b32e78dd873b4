package ci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The story of a build is told in a few words each. What a reporter says:
//
//	a running | a passed 20    a step's status, with log_bytes
//	a name=x | a needs=b,c | a exit=1 | a started=T | a finished=T   (null clears)
//	a by=one                   the reporter's name
//	a log 0 text | a lost 3 5  text at an offset; five bytes lost at offset 3
//	a note 0 passed            a note: a test's status, an annotation's level,
//	                           group, or end=0 of the group that note 0 began
//	build passed | build title=x | build branch=x | build started=T
//	alive a                    a heartbeat
//
// Several in one request are joined by ";". What else happens: "lose a", "lose
// build", "wait 24h". What is expected is the list of events, "a running",
// "a log 0+4", "a note 0", "build passed", or the problem.

var testStart = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

type story struct {
	tb    rapid.TB
	state *State
	now   time.Time
}

func newStory(tb testing.TB, steps ...string) *story {
	tb.Helper()
	s := &story{tb: tb, now: testStart}
	s.state = NewState(7, 0, Build{ID: BuildID{1}, Project: "acme/api", Number: 3}, time.Time{}, nil)
	creation := Creation{ID: BuildID{1}, Project: "acme/api"}
	for _, key := range steps {
		creation.Steps = append(creation.Steps, StepUpdate{Key: StepKey(key)})
	}
	if _, err := s.state.Create(creation, s.now); err != nil {
		tb.Fatal(err)
	}
	return s
}

// tell does what the line says and returns what came of it.
func (s *story) tell(line string) string {
	s.tb.Helper()
	s.now = s.now.Add(time.Second)
	words := strings.Fields(line)
	switch words[0] {
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.tb.Fatal(err)
		}
		s.now = s.now.Add(d - 2*time.Second)
		return ""
	case "lose":
		if words[1] == "build" {
			return shown(s.state.LoseBuild(s.now))
		}
		return shown(s.state.LoseStep(StepKey(words[1]), s.now))
	}
	change, err := s.state.Decide(said(s.tb, line), s.now)
	if err != nil {
		var p *Problem
		if !errors.As(err, &p) {
			s.tb.Fatalf("%s: not a problem: %v", line, err)
		}
		out := string(p.Code)
		if p.Index != nil && *p.Index > 0 {
			out += fmt.Sprintf(" index=%d", *p.Index)
		}
		if p.Offset != nil {
			out += fmt.Sprintf(" offset=%d", *p.Offset)
		}
		if p.Number != nil {
			out += fmt.Sprintf(" number=%d", *p.Number)
		}
		if p.Status != "" {
			out += fmt.Sprintf(" status=%s", p.Status)
		}
		return out
	}
	return shown(change)
}

func shown(c *Change) string {
	var out []string
	for _, e := range c.Events {
		switch e.Kind {
		case KindLog:
			line := fmt.Sprintf("%s log %d+%d", e.Step, e.Offset, e.Bytes())
			if e.Lost > 0 {
				line += " lost"
			}
			out = append(out, line)
		case KindNote:
			out = append(out, fmt.Sprintf("%s note %d", e.Step, e.Note.Number))
		default:
			var data struct {
				Status Status `json:"status"`
			}
			if err := json.Unmarshal(e.Data, &data); err != nil {
				panic(err)
			}
			name := string(e.Step)
			if e.Kind == KindBuild {
				name = "build"
			}
			out = append(out, name+" "+string(data.Status))
		}
	}
	return strings.Join(out, ", ")
}

func said(tb rapid.TB, line string) (r Request) {
	tb.Helper()
	for part := range strings.SplitSeq(line, ";") {
		part = strings.TrimLeft(part, " ")
		who, what, _ := strings.Cut(part, " ")
		switch {
		case who == "alive":
			r.Alive = append(r.Alive, StepKey(what))
		case who == "build":
			u := &BuildUpdate{}
			for word := range strings.FieldsSeq(what) {
				name, value, ok := strings.Cut(word, "=")
				text := Field[string]{Present: true, Null: value == "null", Value: strings.TrimPrefix(value, "null")}
				switch {
				case !ok:
					u.Status = Set(Status(word))
				case name == "title":
					u.Title = text
				case name == "branch":
					u.Branch = text
				case name == "commit":
					u.Commit = text
				case name == "started":
					u.StartedAt = saidTime(tb, value)
				case name == "finished":
					u.FinishedAt = saidTime(tb, value)
				default:
					tb.Fatalf("what is %q?", word)
				}
			}
			r.Updates = append(r.Updates, Update{Build: u})
		case strings.HasPrefix(what, "log "):
			u := &LogUpdate{Step: StepKey(who), At: testStart}
			if _, err := fmt.Sscanf(what, "log %d", &u.Offset); err != nil {
				tb.Fatal(err)
			}
			_, text, _ := strings.Cut(strings.TrimPrefix(what, "log "), " ")
			u.Chunk = NewChunk([]byte(text))
			r.Updates = append(r.Updates, Update{Log: u})
		case strings.HasPrefix(what, "note "):
			u := &NoteUpdate{Step: StepKey(who), At: testStart}
			word := ""
			if _, err := fmt.Sscanf(what, "note %d %s", &u.Number, &word); err != nil {
				tb.Fatal(err)
			}
			u.Note = saidNote(tb, word)
			r.Updates = append(r.Updates, Update{Note: u})
		case strings.HasPrefix(what, "lost "):
			u := &LogUpdate{Step: StepKey(who), At: testStart}
			if _, err := fmt.Sscanf(what, "lost %d %d", &u.Offset, &u.Lost); err != nil {
				tb.Fatal(err)
			}
			r.Updates = append(r.Updates, Update{Log: u})
		default:
			u := &StepUpdate{Key: StepKey(who)}
			for word := range strings.FieldsSeq(what) {
				name, value, ok := strings.Cut(word, "=")
				number := 0
				switch {
				case ok && name == "name":
					u.Name = Field[string]{Present: true, Null: value == "null", Value: strings.TrimPrefix(value, "null")}
				case ok && name == "needs":
					u.Needs = Field[[]StepKey]{Present: true, Null: value == "null"}
					for key := range strings.SplitSeq(value, ",") {
						if value != "null" {
							u.Needs.Value = append(u.Needs.Value, StepKey(key))
						}
					}
				case ok && name == "by":
					u.Reporter = value
				case ok && name == "exit":
					_, err := fmt.Sscan(value, &number)
					u.ExitCode = Field[int]{Present: true, Null: err != nil, Value: number}
				case ok && name == "started":
					u.StartedAt = saidTime(tb, value)
				case ok && name == "finished":
					u.FinishedAt = saidTime(tb, value)
				case word == "null":
					u.LogBytes = Field[int64]{Present: true, Null: true}
				case word[0] >= '0' && word[0] <= '9':
					_, _ = fmt.Sscan(word, &number)
					u.LogBytes = Set(int64(number))
				default:
					u.Status = Set(Status(word))
				}
			}
			r.Updates = append(r.Updates, Update{Step: u})
		}
	}
	return r
}

func saidNote(tb rapid.TB, word string) (n Note) {
	if _, err := ParseLevel(word); err == nil {
		n.Annotation = &Annotation{Level: Level(word), Message: "what is wrong"}
		return n
	}
	if _, err := ParseTestStatus(word); err == nil {
		n.Test = &Test{Name: "TestParse", Status: Status(word)}
		return n
	}
	if word == "group" {
		n.Group = &Group{Name: "Install", Level: 1}
		return n
	}
	n.GroupEnd = &GroupEnd{}
	if _, err := fmt.Sscanf(word, "end=%d", &n.GroupEnd.Group); err != nil {
		tb.Fatalf("what is the note %q?", word)
	}
	return n
}

func saidTime(tb rapid.TB, value string) Field[time.Time] {
	if value == "null" {
		return Field[time.Time]{Present: true, Null: true}
	}
	t, err := time.Parse("15:04:05.999999999", value)
	if err != nil {
		tb.Fatal(err)
	}
	return Set(time.Date(2026, 11, 22, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC))
}

// TestState_Moves tells stories of a build with the queued steps a and b. Each
// line is what happens and what comes of it; each request is then repeated,
// which must append nothing.
func TestState_Moves(t *testing.T) {
	t.Parallel()
	stories := map[string][]string{
		"an ordinary build": {
			"build running                              → build running",
			"a running                                  → a running",
			"a log 0 hello\n                            → a log 0+6",
			"a passed exit=0 6                          → a passed",
			"b running; b log 0 x; b failed exit=2 1    → b running, b log 0+1, b failed",
			"build failed                               → build failed",
		},
		"the first running step sets the build running": {
			"a running → build running, a running",
			"b running → b running",
		},
		"the first text sets build and step running": {
			"a log 0 x → build running, a running, a log 0+1",
			"a log 1 y → a log 1+1",
		},
		"a step that nobody announced": {
			"c                    → c queued",
			"d running            → build running, d running",
			"e log 0 x            → e running, e log 0+1",
			"f passed             → f passed",
			"g lost 0 9           → g running, g log 0+9 lost",
			"h log 1 x            → log-gap offset=0",
			"i running; i log 1 x → log-gap index=1 offset=0",
			"i                    → i queued",
		},
		"a step that passes without a word before runs the build": {
			"a skipped → a skipped",
			"b passed  → build running, b passed",
		},
		"an earlier status was true": {
			"a passed             → build running, a passed",
			"a running            → ",
			"a queued             → ",
			"build queued         → ",
			"build passed         → b skipped, build passed",
			"build running        → ",
			"build queued         → ",
			"a running started=10:00:00 exit=3 finished=null → ",
		},
		"another final status": {
			"a passed             → build running, a passed",
			"a failed             → status-final status=passed",
			"b running; a skipped → status-final index=1 status=passed",
			"build canceled       → b skipped, build canceled",
			"build passed         → status-final status=canceled",
		},
		"the build's end takes its steps along": {
			"c running; d passed; e running     → build running, c running, d passed, e running",
			"build failed                       → a skipped, b skipped, c lost, e lost, build failed",
		},
		"a skipped set by the server is provisional": {
			"build passed  → a skipped, b skipped, build passed",
			"a passed      → a passed",
			"a failed      → status-final status=passed",
			"b log 0 x     → b log 0+1",
			"b running     → ",
			"wait 24h      → ",
			"b failed      → status-final status=skipped",
			"b log 1 y     → log-complete offset=1",
			"b skipped     → ",
		},
		"a skipped set by the server can be confirmed": {
			"build passed → a skipped, b skipped, build passed",
			"a skipped    → a skipped",
			"a passed     → status-final status=skipped",
			"wait 23h     → ",
			"b canceled   → b canceled",
		},
		"a skipped of the reporter is final": {
			"a skipped    → a skipped",
			"build passed → b skipped, build passed",
			"a passed     → status-final status=skipped",
		},
		"lost after the build's end takes text and its final status only": {
			"a running; a log 0 x; build canceled → build running, a running, a log 0+1, a lost, b skipped, build canceled",
			"a log 1 y    → a log 1+1",
			"a running    → ",
			"alive a      → ",
			"a failed 2   → a failed",
			"a log 2 z    → log-complete offset=2",
			"a log 0 xy   → ",
			"c running    → build-finished status=canceled",
			"c log 0 x    → build-finished status=canceled",
			"c            → build-finished status=canceled",
		},
		"lost and its way back": {
			"a running → build running, a running",
			"lose a    → a lost",
			"a log 0 x → a running, a log 0+1",
			"lose a    → a lost",
			"a running → a running",
			"lose a    → a lost",
			"a queued  → a running",
			"lose a    → a lost",
			"alive a   → a running",
			"lose a    → a lost",
			"a log 0 x → a running",
			"lose a    → a lost",
			"a name=x  → a lost",
			"a passed  → a passed",
			"lose a    → ",
		},
		"a lost build and its way back": {
			"a running    → build running, a running",
			"lose build   → ",
			"lose a       → a lost",
			"lose build   → build lost",
			"lose build   → ",
			"build title=x → build lost",
			"a log 0 x    → build running, a running, a log 0+1",
			"lose a       → a lost",
			"lose build   → build lost",
			"alive a      → build running, a running",
			"lose a       → a lost",
			"lose build   → build lost",
			"a passed     → build running, a passed",
			"lose build   → build lost",
			"build running → build running",
			"lose build   → build lost",
			"alive b      → build running",
			"lose build   → build lost",
			"a passed     → build running",
			"lose build   → build lost",
			"b canceled   → build running, b canceled",
			"lose build   → build lost",
			"c            → build running, c queued",
			"lose build   → build lost",
			"build passed → c skipped, build passed",
			"lose build   → ",
		},
		"a queued build is never lost": {
			"lose build → ",
			"lose a     → ",
			"build running → build running",
			"lose build → build lost",
		},
		"after 24 h lost is final": {
			"a running; a log 0 xy → build running, a running, a log 0+2",
			"c running; c passed   → c running, c passed",
			"lose a       → a lost",
			"lose build   → build lost",
			"wait 23h59m  → ",
			"c log 0 x    → build running, c log 0+1",
			"lose build   → build lost",
			"wait 24h     → ",
			"a log 0 xy   → ",
			"a log 2 z    → log-complete offset=2",
			"a passed     → status-final status=lost",
			"a passed 3   → status-final status=lost",
			"a running    → ",
			"alive a      → ",
			"build running → ",
			"build passed → status-final status=lost",
			"d running    → build-finished status=lost",
			"b running    → build-finished status=lost",
			"b passed     → build-finished status=lost",
			"b log 0 x    → build-finished status=lost",
			"b queued     → ",
		},
		"a step lost for good in a build that goes on": {
			"a running; b running → build running, a running, b running",
			"lose a       → a lost",
			"wait 24h     → ",
			"a log 0 x    → log-complete offset=0",
			"a passed     → status-final status=lost",
			"a running    → ",
			"alive a      → ",
			"b log 0 x    → b log 0+1",
		},
		"text by offset": {
			"a log 0 hello  → build running, a running, a log 0+5",
			"a log 0 hel    → ",
			"a log 5        → ",
			"a log 3 lo you → a log 5+4",
			"a log 10 x     → log-gap offset=9",
			"a log 9223372036854775807 x → log-gap offset=9",
			"a log 2 XX     → ",
			"a log -2 x     → invalid",
			"a log 9 x; b log 2 y → log-gap index=1 offset=0",
			"b log 0 x; b log 2 y → log-gap index=1 offset=0", // nothing of it is there
			"a log 9 x      → a log 9+1",
		},
		"empty text": {
			"a log 0  → ",
			"a log 1  → log-gap offset=0",
			"c log 0  → build running, c running",
		},
		"lost bytes": {
			"a log 0 abc         → build running, a running, a log 0+3",
			"a lost 3 100        → a log 3+100 lost",
			"a log 3 defg        → ",
			"a log 101 xyz       → a log 103+1",
			"a lost 100 10       → a log 104+6 lost",
			"a lost 111 1        → log-gap offset=110",
			"a lost 110 9007199254740881 → a log 110+9007199254740881 lost",
			"a log 9007199254740991 x    → too-long",
			"a lost 9007199254740991 9223372036854775807 → too-long",
			"a lost 0 -1         → invalid",
		},
		"log_bytes": {
			"a log 0 hello      → build running, a running, a log 0+5",
			"a passed 6         → log-incomplete offset=5",
			"a passed 4         → log-longer offset=5",
			"a running 5        → invalid",
			"a 5                → invalid",
			"a passed null      → a passed",
			"a log 5 !          → a log 5+1",
			"a passed 6         → a passed",
			"a log 6 x          → log-complete offset=6",
			"a log 9 x          → log-complete offset=6",
			"a log 2 llo!       → ",
			"a log 6            → ",
			"a passed 7         → log-complete offset=6",
			"a passed           → ",
			"b log 0 x; b failed 2 → log-incomplete index=1 offset=0",
			"b failed 0         → b failed",
		},
		"text after a final status without log_bytes": {
			"a passed; b passed → build running, a passed, b passed",
			"a log 0 x          → a log 0+1",
			"build passed       → build passed",
			"a log 1 y          → a log 1+1",
			"wait 24h           → ",
			"a log 2 z          → log-complete offset=2",
			"a log 1 yz         → log-complete offset=2",
			"a log 0 xy         → ",
			"a passed 3         → log-complete offset=2",
			"a passed 2         → a passed",
		},
		"notes by number": {
			"a note 0 group    → build running, a running, a note 0",
			"a note 1 error    → a note 1",
			"a note 0 passed   → ",
			"a note 3 passed   → note-gap number=2",
			"a note 2 passed; a note 3 end=0 → a note 2, a note 3",
			"a note 4 failed; b note 1 failed → note-gap index=1 number=0",
			"a log 0 x; a note 4 notice; a log 1 y → a log 0+1, a note 4, a log 1+1",
			"c note 1 error    → note-gap number=0",
			"c note 0 error    → c running, c note 0",
		},
		"notes after the log was closed, and after the build's end": {
			"a running; b running  → build running, a running, b running",
			"a log 0 x; a passed 1 → a log 0+1, a passed",
			"a note 0 passed       → a note 0",
			"build passed          → b lost, build passed",
			"a note 1 passed       → a note 1",
			"b note 0 failed       → b note 0",
			"d note 0 failed       → build-finished status=passed",
			"wait 24h              → ",
			"a note 2 passed       → notes-closed number=2",
			"a note 5 passed       → notes-closed number=2",
			"a note 1 failed       → ",
			"b note 1 failed       → notes-closed number=1",
		},
		"a note wakes who was lost": {
			"a running       → build running, a running",
			"a note 0 passed → a note 0",
			"lose a          → a lost",
			"lose build      → build lost",
			"a note 0 passed → build running, a running",
			"lose a          → a lost",
			"a note 1 passed → a running, a note 1",
		},
		"a step belongs to the first who names itself": {
			"a name=x                 → a queued",
			"a running by=one         → build running, a running",
			"a by=one name=y          → a running",
			"a running by=two         → step-taken",
			"a by=two                 → step-taken",
			"a name=z                 → a running",
			"b running; a exit=1 by=two → step-taken index=1",
			"b by=one; b by=two       → step-taken index=1",
			"b by=two                 → b queued",
			"a passed by=one          → a passed",
			"a passed by=two          → step-taken",
			"c by=two                 → c queued",
			"c by=one                 → step-taken",
			"build passed             → b skipped, c skipped, build passed",
			"b passed by=one          → step-taken",
			"b passed by=two          → b passed",
		},
		"merging": {
			"a name=x                    → a queued",
			"a                           → ",
			"a name=null                 → a queued",
			"a exit=1                    → a queued",
			"a exit=null                 → a queued",
			"build title=x               → build queued",
			"build title=null            → build queued",
			"build branch=main commit=c0ffee → build queued",
			"build branch=other          → already-set",
			"build branch=null           → already-set",
			"build title=y; build commit=dead → already-set index=1",
			"build                       → ",
		},
		"needs": {
			"a needs=b,later   → a queued",
			"a needs=b,later   → ",
			"b needs=a         → needs-cycle",
			"b needs=b         → needs-cycle",
			"b needs=c; c needs=d; d needs=a; e needs=a → needs-cycle index=2",
			"later needs=a     → needs-cycle",
			"later             → later queued",
			"a needs=null      → a queued",
			"b needs=a; c needs=null → b queued, c queued",
		},
		"a heartbeat": {
			"alive a         → ",
			"alive c         → unknown-step",
			"c; alive c      → c queued",
			"a running; alive nobody → unknown-step",
			"a running       → build running, a running",
			"alive a         → ",
			"a passed        → a passed",
			"alive a         → ",
		},
		"a finished_at reported early stays": {
			"a running; a finished=11:00:00 → build running, a running",
			"a passed                       → a passed",
			"a finished=11:00:00            → ",
			"a finished=11:00:00; a passed  → ",
		},
	}
	for name, lines := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t, "a", "b")
			for _, line := range lines {
				says, want, _ := strings.Cut(line, "→")
				want = strings.TrimSpace(want)
				says = strings.TrimRight(says, " ")
				before, copied := s.state.Last, cloneState(s.state)
				got := s.tell(says)
				if got != want {
					t.Fatalf("%q: got %q, want %q", says, got, want)
				}
				if s.state.Last == before {
					mustEqualStates(t, says, copied, s.state)
					continue
				}
				if strings.HasPrefix(says, "lose") || strings.HasPrefix(says, "wait") {
					continue
				}
				if again := s.tell(says); again != "" {
					t.Fatalf("%q again: %q", says, again)
				}
			}
		})
	}
}

// TestState_SaysOnceWhatARequestSaysToAndFro changes a build and a step a thousand times,
// in 20 kB, and appends what came of it once. What a reader goes by has an event of its
// own: another status, and text that comes between.
func TestState_SaysOnceWhatARequestSaysToAndFro(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b")
	var r Request
	for i := range 498 {
		r.Updates = append(r.Updates,
			Update{Build: &BuildUpdate{Trigger: Set(fmt.Sprint(i))}},
			Update{Step: &StepUpdate{Key: "a", Name: Set(fmt.Sprint(i))}})
	}
	say := func(key StepKey, name string, status Status) Update {
		return Update{Step: &StepUpdate{Key: key, Name: Set(name), Status: Field[Status]{Present: status != "", Value: status}}}
	}
	r.Updates = append(r.Updates, say("a", "it runs", Running), say("b", "other", ""), say("a", "said again", Running),
		Update{Log: &LogUpdate{Step: "a", Offset: AtEnd, Chunk: NewChunk([]byte("x\n"))}}, say("a", "after text", ""), say("a", "the last", Passed))
	before := cloneState(s.state)
	c, err := s.state.Decide(r, s.now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range c.Events {
		e := &c.Events[i]
		if want := before.Last + EventID(i) + 1; e.ID != want {
			t.Errorf("event %d is numbered %d, want %d", i, e.ID, want)
		}
		var said struct{ Name, Trigger, Status string }
		if e.Kind.OfStatus() && json.Unmarshal(e.Data, &said) != nil {
			t.Fatalf("%s", e.Data)
		}
		got = append(got, strings.Join(strings.Fields(fmt.Sprint(e.Kind, " ", e.Step, " ", said.Name, said.Trigger, " ", said.Status)), " "))
	}
	want := []string{"build 497 queued", "step a 497 queued", "build 497 running", "step a said again running", "step b other queued", "log a", "step a after text running", "step a the last passed"}
	if !slices.Equal(got, want) {
		t.Errorf("the events are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.state.Last != c.Receipt.Last || c.Receipt.Last != before.Last+EventID(len(c.Events)) {
		t.Errorf("the newest event is %d, the receipt says %d", s.state.Last, c.Receipt.Last)
	}
	c.Undo()
	mustEqualStates(t, "undone", before, s.state)
}

func mustEqualStates(t rapid.TB, what string, want, got *State) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("%s: the state changed\n%s\n%s", what, mustJSON(want), mustJSON(got))
	}
}

// cloneState copies all that a change may touch.
func cloneState(s *State) *State {
	out := *s
	out.Build = cloneBuild(s.Build)
	out.Steps, out.byKey = nil, make(map[StepKey]*StepState)
	for _, step := range s.Steps {
		c := *step
		c.Needs = append([]StepKey(nil), step.Needs...)
		c.ExitCode, c.StartedAt, c.FinishedAt = clonePtr(step.ExitCode), clonePtr(step.StartedAt), clonePtr(step.FinishedAt)
		out.Steps = append(out.Steps, &c)
		out.byKey[c.Key] = &c
	}
	if s.Steps != nil && out.Steps == nil {
		out.Steps = []*StepState{}
	}
	return &out
}

func cloneBuild(b Build) Build {
	b.StartedAt, b.FinishedAt = clonePtr(b.StartedAt), clonePtr(b.FinishedAt)
	return b
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// A field that is compared by its address makes an event of every repeat, one
// that is not compared at all makes none of a change.
func TestState_ComparesByValue(t *testing.T) {
	t.Parallel()
	comparesByValue(t, sameBuild)
	comparesByValue(t, same, // but for what no update of a step says:
		"Key", "LogBytes", "LogLines", "Annotations", "Tests", "Number", "Newlines", "Unended", "Holes", "Cut", "Notes", "EndedAt", "Noticed")
}

func comparesByValue[T any](t *testing.T, same func(a, b *T) bool, but ...string) {
	t.Helper()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if field.Anonymous || slices.Contains(but, field.Name) {
			continue
		}
		var a, b T
		fill(reflect.ValueOf(&a).Elem().FieldByIndex(field.Index))
		if same(&a, &b) {
			t.Errorf("%T: another %s is taken for the same", a, field.Name)
		}
		fill(reflect.ValueOf(&b).Elem().FieldByIndex(field.Index))
		if !same(&a, &b) {
			t.Errorf("%T: the same %s is taken for another", a, field.Name)
		}
	}
}

// fill sets a value to the one that it is always set to, at a new address if it
// is a pointer.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct: // a time
		v.Set(reflect.ValueOf(testStart))
	case reflect.Array:
		fill(v.Index(0))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	default:
		v.SetInt(1)
	}
}

func TestState_Times(t *testing.T) {
	t.Parallel()
	at := func(s string) *time.Time { f := saidTime(t, s).Value; return &f }
	equalTime := func(what string, got, want *time.Time) {
		t.Helper()
		if !sameTime(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}

	s := newStory(t, "a", "b", "c")
	s.tell("a running started=09:59:58.1234567") // the clock says 10:00:01
	a, b, c := s.state.Step("a"), s.state.Step("b"), s.state.Step("c")
	equalTime("reported, cut to microseconds", a.StartedAt, at("09:59:58.123456"))
	equalTime("the build's is the server's", s.state.Build.StartedAt, at("10:00:01"))

	s.tell("b log 0 x")
	equalTime("filled in by the transition", b.StartedAt, at("10:00:02"))
	s.tell("b running")
	equalTime("not by a repeat", b.StartedAt, at("10:00:02"))
	s.tell("b running started=10:00:01")
	equalTime("corrected by the reporter", b.StartedAt, at("10:00:01"))

	s.tell("lose b") // 10:00:05
	equalTime("lost", b.FinishedAt, at("10:00:05"))
	s.tell("b running")
	equalTime("back", b.FinishedAt, nil)
	s.tell("lose b") // 10:00:07
	s.tell("b passed")
	equalTime("passed after lost", b.FinishedAt, at("10:00:08"))

	s.tell("build passed finished=10:00:03")
	equalTime("skipped by the build's end", c.FinishedAt, at("10:00:09"))
	equalTime("the build's, reported", s.state.Build.FinishedAt, at("10:00:03"))
	s.tell("c failed finished=10:00:02 exit=1")
	equalTime("corrected", c.FinishedAt, at("10:00:02"))
	if c.StartedAt != nil {
		t.Errorf("nobody said when c started, but it has %v", c.StartedAt)
	}
}

func TestState_Create(t *testing.T) {
	t.Parallel()
	create := func(c Creation) (*State, *Change, error) {
		s := NewState(7, 0, Build{Project: "acme/api", Number: 3}, time.Time{}, nil)
		change, err := s.Create(c, testStart)
		return s, change, err
	}
	steps := []StepUpdate{{Key: "b", Needs: Set([]StepKey{"a"}), Name: Set("B")}, {Key: "a"}}
	for status, want := range map[Status]string{
		"":      "build queued, b queued, a queued",
		Queued:  "build queued, b queued, a queued",
		Running: "build running, b queued, a queued",
		Failed:  "build failed, b skipped, a skipped",
	} {
		_, change, err := create(Creation{BuildUpdate: BuildUpdate{Status: Set(status)}, Steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(change); got != want {
			t.Errorf("created %q: %s, want %s", status, got, want)
		}
		if change.Receipt.Last != 3 {
			t.Errorf("last is %d", change.Receipt.Last)
		}
	}

	many := make([]StepUpdate, MaxSteps+1)
	for i := range many {
		many[i].Key = StepKey(fmt.Sprint(i))
	}
	for want, steps := range map[Code][]StepUpdate{
		NeedsCycle: {{Key: "a", Needs: Set([]StepKey{"b"})}, {Key: "b", Needs: Set([]StepKey{"a"})}},
		Invalid:    {{Key: "a"}, {Key: "a"}},
		TooMany:    many,
	} {
		s, _, err := create(Creation{Steps: steps})
		if p := AsProblem(err); p == nil || p.Code != want {
			t.Errorf("want %s, got %v", want, err)
		}
		if len(s.Steps) != 0 || s.Last != 0 || s.Build.Status != "" || len(s.byKey) != 0 {
			t.Errorf("%s: refused, but the state has changed", want)
		}
	}
	if _, _, err := create(Creation{Steps: many[:MaxSteps]}); err != nil {
		t.Error(err)
	}
}

// TestState_BoundsWhatIsRepeated holds down what few bytes of a request can make
// many of: the events of a step or a build repeat all of it.
func TestState_BoundsWhatIsRepeated(t *testing.T) {
	t.Parallel()
	long := make([]StepKey, MaxNeeds)
	for i := range long {
		long[i] = StepKey(fmt.Sprint(strings.Repeat("x", MaxName-3), 100+i))
	}
	s := newStory(t)
	names := Request{}
	for i := range MaxUpdates {
		names.Updates = append(names.Updates, Update{Build: &BuildUpdate{Title: Set(strings.Repeat(`"`, MaxTitle)), URL: Set(strings.Repeat("x", MaxURL)), Author: Set(strings.Repeat(`"`, MaxShort)), Trigger: Set(strings.Repeat(`"`, MaxShort-i%2))}})
	}
	planned := func(i int) Update {
		return Update{Step: &StepUpdate{Key: StepKey(fmt.Sprint(i)), Needs: Set(long)}}
	}
	refused := func(what string, r Request, limit int64) {
		t.Helper()
		before := cloneState(s.state)
		_, err := s.state.Decide(r, s.now)
		if p := AsProblem(err); p == nil || p.Code != TooMany || p.Limit != limit {
			t.Errorf("%s: %v", what, err)
		}
		mustEqualStates(t, what, before, s.state)
	}
	refused("a build that changes on and on", names, MaxSaid)
	steps := 0
	for ; s.state.Plan+MaxNeeds*MaxName+MaxName <= MaxPlan; steps++ {
		if _, err := s.state.Decide(Request{Updates: []Update{planned(steps)}}, s.now); err != nil {
			t.Fatal(err)
		}
	}
	refused("one step more with needs", Request{Updates: []Update{planned(steps)}}, MaxPlan)
	if _, err := NewState(8, 0, Build{}, time.Time{}, nil).Create(Creation{Steps: []StepUpdate{{Key: "a", Name: Set(strings.Repeat("x", MaxPlan))}}}, s.now); AsProblem(err) == nil || AsProblem(err).Limit != MaxPlan {
		t.Errorf("created with more: %v", err)
	}
	// Text, statuses and repeats are taken all the same.
	for _, r := range []Request{said(t, "new log 0 text; new passed"), {Updates: []Update{planned(0)}}, {Updates: []Update{{Step: &StepUpdate{Key: "0", Needs: Set(long[:1])}}}}, {Updates: []Update{planned(0)}}} {
		if _, err := s.state.Decide(r, s.now); err != nil {
			t.Error(err)
		}
	}
	if want := NewState(7, s.state.Last, s.state.Build, s.state.EndedAt, s.state.Steps).Plan; s.state.Plan != want {
		t.Errorf("the plan has %d bytes by the changes, and %d by what is there", s.state.Plan, want)
	}
}

func TestState_HearsReporters(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c", "d")
	change, err := s.state.Decide(said(t, "a running; b log 0 x; c name=x; d passed; alive a; alive d"), s.now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range change.Heard {
		got = append(got, fmt.Sprint(h.Step.Key, " ", h.Beat))
	}
	if want := "a false, b false, d false, a true, d true"; strings.Join(got, ", ") != want {
		t.Errorf("heard %v, want %s", got, want)
	}
	if want := map[StepKey]int64{"b": 1}; !reflect.DeepEqual(change.Receipt.Logs, want) {
		t.Errorf("receipt %v, want %v", change.Receipt.Logs, want)
	}
}

// TestState_CountsLines checks line numbers and counts over text, holes and
// unended rests.
func TestState_CountsLines(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a")
	for _, piece := range []struct {
		says  string
		line  int64 // of the event
		lines int64 // of the log after it
	}{
		{"a log 0 one\ntw", 1, 2},
		{"a log 6 o\nthree\n", 2, 3},
		{"a lost 14 100", 4, 4},
		{"a log 114 rest\n", 4, 4},
		{"a log 119 x", 5, 5},
	} {
		change, err := s.state.Decide(said(t, piece.says), s.now)
		if err != nil {
			t.Fatal(err)
		}
		event := change.Events[len(change.Events)-1]
		if event.Line != piece.line || s.state.Step("a").LogLines != piece.lines {
			t.Errorf("%q: line %d of %d, want %d of %d", piece.says, event.Line, s.state.Step("a").LogLines, piece.line, piece.lines)
		}
	}
}

// TestState_CountsNotes checks what a step tells of its notes: as of its last
// event, and in the state at any time.
func TestState_CountsNotes(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a")
	s.tell("a note 0 group; a note 1 error; a note 2 error; a note 3 warning; a note 4 end=0")
	s.tell("a note 5 notice; a note 6 passed; a note 7 passed; a note 8 failed; a note 9 skipped; a note 3 error")
	change, err := s.state.Decide(said(t, "a note 9 failed; a failed; a note 10 passed"), s.now)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[StepKey]int64{"a": 11}; !reflect.DeepEqual(change.Receipt.Notes, want) {
		t.Errorf("receipt %v, want %v", change.Receipt.Notes, want)
	}
	for what, c := range map[string]struct{ got, want any }{
		"annotations": {s.state.Step("a").Annotations, Annotations{Error: 2, Warning: 1, Notice: 1}},
		"tests":       {s.state.Step("a").Tests, Tests{Passed: 3, Failed: 1, Skipped: 1}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", what, c.got, c.want)
		}
	}
	const want = `"annotations":{"error":2,"warning":1,"notice":1},"tests":{"passed":2,"failed":1,"skipped":1}}`
	if data := string(change.Events[0].Data); !strings.HasSuffix(data, want) {
		t.Errorf("the step's event is %s", data)
	}
}

// TestState_MergesEveryField sets each text of a build, alone, which is an event that
// has it and the state of the build from then on.
func TestState_MergesEveryField(t *testing.T) {
	t.Parallel()
	texts := 0
	for _, field := range reflect.VisibleFields(reflect.TypeFor[BuildUpdate]()) {
		if field.Type != reflect.TypeFor[Field[string]]() {
			continue
		}
		texts++
		s := newStory(t)
		var u BuildUpdate
		reflect.ValueOf(&u).Elem().FieldByIndex(field.Index).Set(reflect.ValueOf(Set("x")))
		change, err := s.state.Decide(Request{Build: BuildID{1}, Updates: []Update{{Build: &u}}}, s.now)
		if err != nil {
			t.Errorf("%s: %v", field.Name, err)
			continue
		}
		if len(change.Events) != 1 {
			t.Errorf("%s: %d events", field.Name, len(change.Events))
			continue
		}
		var told Build
		if err := json.Unmarshal(change.Events[0].Data, &told); err != nil {
			t.Fatal(err)
		}
		for name, build := range map[string]Build{"the event": told, "the state": s.state.Build} {
			if got := reflect.ValueOf(build).FieldByName(field.Name); got.Kind() != reflect.String || got.String() != "x" {
				t.Errorf("%s: %s has %v", field.Name, name, got)
			}
		}
	}
	if texts < 6 {
		t.Errorf("%d texts were found", texts)
	}
}

// BenchmarkState_Log decides on a piece of a log, of many lines, of two and of less than is
// looked at.
func BenchmarkState_Log(b *testing.B) {
	for _, lines := range []int{200, 2, 1} {
		b.Run(fmt.Sprint(lines, "lines"), func(b *testing.B) {
			s := NewState(1, 0, Build{Project: "p"}, time.Time{}, nil)
			chunks := make([]Chunk, 2)
			for i := range chunks {
				chunks[i] = NewChunk(bytes.Repeat(fmt.Appendf(nil, "ok %d\tgithub.com/acme/api/internal/service\t0.02s\tcoverage: 51.2%% of statements\n", i), lines))
			}
			b.SetBytes(chunks[0].Bytes)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := s.Decide(Request{Updates: []Update{{Log: &LogUpdate{Step: "s", Offset: AtEnd, At: testStart, Chunk: chunks[i%2]}}}}, testStart); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
