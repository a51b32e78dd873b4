package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/spool"
)

// identity is what a report is of. It is the first entry of its spool's
// journal, so that another process can go on with it.
type identity struct {
	Server  string       `json:"server"` // address; what was left behind goes there and nowhere else
	Build   ci.BuildID   `json:"build"`
	Run     string       `json:"run,omitempty"` // what the build's id is derived from
	Own     bool         `json:"own,omitempty"`
	Project string       `json:"project,omitempty"`
	Guessed bool         `json:"guessed,omitempty"` // nobody named the project for this build
	Details Details      `json:"details"`
	Dir     string       `json:"dir,omitempty"` // where the command was started
	Step    ci.StepKey   `json:"step"`
	Name    string       `json:"name,omitempty"`
	Needs   []ci.StepKey `json:"needs,omitempty"`
	Started time.Time    `json:"started"`
	// Reporter tells this report from others of the same step.
	Reporter  string `json:"reporter"`
	Buildkite bool   `json:"buildkite,omitempty"` // the log has that system's marks
}

// named is the project that the user named for the build; empty: none.
func (id *identity) named() string {
	if id.Guessed {
		return ""
	}
	return id.Project
}

// entry is one thing that a journal keeps; exactly one member is not nil.
type entry struct {
	Open      *identity  `json:"open,omitempty"`
	Described *described `json:"described,omitempty"`
	Joined    *joined    `json:"joined,omitempty"`
	Tests     []ci.Test  `json:"tests,omitempty"`
	End       *ending    `json:"end,omitempty"`
}

// described is what was found out about a build beside the command.
type described struct {
	Project string    `json:"project"`
	Details Details   `json:"details"`
	Planned []planned `json:"planned,omitempty"`

	StartedAt *time.Time `json:"started_at,omitempty"` // when somebody else's build had begun; nil: it had not
}

// planned is a step of a build that others began.
type planned struct {
	newStep
	Ended bool `json:"ended,omitempty"` // what there is of it is in its report alone
}

// joined is the place in which a report has begun.
type joined struct {
	Build  ci.BuildID `json:"build"`
	Series int        `json:"series,omitempty"` // the id's place among those derived from the run
	Step   ci.StepKey `json:"step"`
}

// ending is how the command ended, and how long its log is.
type ending struct {
	Status   ci.Status `json:"status"`
	ExitCode int       `json:"exit_code"`
	At       time.Time `json:"at"`
	Bytes    int64     `json:"bytes"`
}

// journal is what a report has kept.
type journal struct {
	id        identity   // empty: it is damaged
	described *described // nil: nothing was found out yet
	joined    *joined    // nil: the report has not begun
	tests     []ci.Test
	ending    *ending // nil: the command has not ended
}

// readJournal reads it. With an error it returns what comes before.
func readJournal(entries []spool.Entry) (j journal, err error) {
	for _, kept := range entries {
		var e entry
		if err := json.Unmarshal(kept.Data, &e); err != nil {
			return j, err
		}
		switch {
		case e.Open != nil:
			j.id = *e.Open
		case e.Described != nil:
			j.described = e.Described
		case e.Joined != nil:
			j.joined = e.Joined
		case e.Tests != nil:
			j.tests = append(j.tests, e.Tests...)
		case e.End != nil:
			j.ending = e.End
		}
	}
	return j, nil
}

// record keeps an entry. If the disk does not take it, memory does.
func (r *Report) record(e entry) error { return r.spool.Journal(mustJSON(e)) }

// Resume goes on with a report that was left behind in a spool, whose owner
// has ended: what it holds is sent, the end of the step only if the command's
// was recorded.
func Resume(client *Client, s *spool.Spool, say func(string)) (*Report, error) {
	r := &Report{client: client, spool: s, left: true, said: make(map[string]bool)}
	r.opt.Say = say
	j, err := readJournal(s.Entries())
	if err != nil {
		return nil, fmt.Errorf("read the journal of %s: %w", s.Dir(), err)
	}
	r.id, r.key, r.named, r.tests, r.ending = j.id, j.id.Step, j.id.named(), j.tests, j.ending
	if d := j.described; d != nil {
		r.id.Project, r.id.Details, r.planned, r.startedAt = d.Project, d.Details, d.Planned, d.StartedAt
		r.described = true
	}
	if p := j.joined; p != nil {
		r.id.Build, r.series, r.key = p.Build, p.Series, p.Step
		r.joined = true
	}
	if r.id.Server == "" {
		return nil, fmt.Errorf("%s does not say what it is of: its journal is damaged", s.Dir())
	}
	r.notes.options = outlineOptions(r.id.Dir, r.id.Buildkite)
	if !r.described && r.id.Dir != "" {
		// The project alone: what was to be hidden in the rest is not known here.
		r.opt.Describe = func(ctx context.Context) (string, Details) {
			project, _ := Describe(ctx, r.id.Dir)
			return project, Details{}
		}
	}
	return r, nil
}
