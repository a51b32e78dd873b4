package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// BuildState is a build as the server tells of it.
type BuildState struct {
	ID      ci.BuildID `json:"id"`
	Project string     `json:"project"`
	Number  int64      `json:"number"`
	Details
	Status    ci.Status   `json:"status"`
	StartedAt *time.Time  `json:"started_at"`
	Steps     []StepState `json:"steps"`
}

// StepState is a step as the server tells of it.
type StepState struct {
	Key      ci.StepKey `json:"key"`
	Name     string     `json:"name"`
	Status   ci.Status  `json:"status"`
	LogBytes int64      `json:"log_bytes"`
	LogLines int64      `json:"log_lines"`
}

// StartBuild makes a build with these steps, all of them queued, and returns
// its id. That is the caller's, so that the build is one however often this is
// repeated; of one that is derived from a run the next of the series is taken
// when it is another project's.
func (c *Client) StartBuild(ctx context.Context, id ci.BuildID, run, project string, d Details, steps []ci.StepKey) (ci.BuildID, error) {
	b := newBuild{ID: id, Project: project, Details: d.tidy()}
	for _, key := range steps {
		b.Steps = append(b.Steps, newStep{Key: key})
	}
	for n := 1; ; n++ {
		err := c.untilAbout(ctx, project, b.ID, http.MethodPost, "/api/v1/builds", mustJSON(b), nil)
		if !isAnothers(err) || run == "" || n == ci.MaxSeries {
			return b.ID, err
		}
		b.ID = ci.DerivedBuildID(run, n)
	}
}

// StepSet is what can be said of a step without running it. What is empty stays
// as it is.
type StepSet struct {
	Key      ci.StepKey
	Name     string
	Needs    []ci.StepKey
	Status   ci.Status
	ExitCode *int
}

// SetStep says where a step stands.
func (c *Client) SetStep(ctx context.Context, build ci.BuildID, set StepSet) error {
	u := stepUpdate{Key: set.Key, Name: ci.OneLine(set.Name, ci.MaxTitle), Needs: set.Needs, Status: set.Status, ExitCode: set.ExitCode}
	now := ci.Cut(time.Now())
	switch {
	case set.Status == ci.Running:
		u.StartedAt = &now
	case set.Status.Final():
		u.FinishedAt = &now
	}
	b := batch{}
	b.add(update{step: &u})
	return c.untilAbout(ctx, "", build, http.MethodPost, "/api/v1/builds/"+build.String()+"/updates", b.body(), nil)
}

// IsNotFound tells whether an error says that there is no such build, or none
// for the caller.
func IsNotFound(err error) bool { return hasCode(err, ci.NotFound) }

// GetBuild returns the build as it is.
func (c *Client) GetBuild(ctx context.Context, id ci.BuildID) (BuildState, error) {
	var b BuildState
	err := c.untilAbout(ctx, "", id, http.MethodGet, "/api/v1/builds/"+id.String(), nil, &b)
	return b, err
}

// ErrEnded means that the build has ended, and nobody of the job has a token for
// it any more.
var ErrEnded = errors.New("the build has ended already")

// isAnothers tells whether an error says that the next id of the series is to be
// taken: the build is another project's, or no token is made for it any more as
// it has ended.
func isAnothers(err error) bool {
	return hasCode(err, ci.BuildIDTaken) || hasCode(err, ci.BuildFinished)
}

// FindRun returns the build that the jobs of a run report into: of those that
// are there of its series the first that has not ended, else the last.
func (c *Client) FindRun(ctx context.Context, run string) (found BuildState, err error) {
	err = ErrNoBuild
	for n := range ci.MaxSeries {
		b, e := c.GetBuild(ctx, ci.DerivedBuildID(run, n))
		switch {
		case hasCode(e, ci.NotFound):
			if c.Exchange != nil {
				return found, err // the job has a token for this one now, and it is to come
			}
			continue // not there, or another project's
		case hasCode(e, ci.BuildFinished):
			err = ErrEnded
			continue
		case hasCode(e, ci.BuildIDTaken):
			continue
		case e != nil:
			return b, e
		}
		found, err = b, nil
		if !b.Status.Final() {
			break
		}
	}
	return found, err
}

// LatestBuild returns the newest build of a project, or of all there are.
func (c *Client) LatestBuild(ctx context.Context, project, branch string) (BuildState, error) {
	query := url.Values{}
	if project != "" {
		query.Set("project", project)
	}
	if branch != "" {
		query.Set("branch", branch)
	}
	return c.newest(ctx, query)
}

// NumberedBuild returns the build of a project that has this number.
func (c *Client) NumberedBuild(ctx context.Context, project string, number int64) (BuildState, error) {
	return c.newest(ctx, url.Values{"project": {project}, "number": {strconv.FormatInt(number, 10)}})
}

// newest returns the first build of a list.
func (c *Client) newest(ctx context.Context, query url.Values) (BuildState, error) {
	query.Set("limit", "1")
	var list struct {
		Builds []BuildState `json:"builds"`
	}
	if err := c.until(ctx, http.MethodGet, "/api/v1/builds?"+query.Encode(), nil, &list); err != nil {
		return BuildState{}, err
	}
	if len(list.Builds) == 0 {
		return BuildState{}, ErrNoBuild
	}
	return list.Builds[0], nil
}

// ListedBuild is a build of a list, with what a line for people has room for.
// As JSON it is what the server said.
type ListedBuild struct {
	Project    string     `json:"project"`
	Number     int64      `json:"number"`
	Branch     string     `json:"branch"`
	Title      string     `json:"title"`
	Status     ci.Status  `json:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`

	said []byte
}

// UnmarshalJSON keeps what the server said beside what is read of it, which is made
// fit for a terminal.
func (b *ListedBuild) UnmarshalJSON(data []byte) error {
	type fields ListedBuild
	if err := json.Unmarshal(data, (*fields)(b)); err != nil {
		return err
	}
	safe(&b.Project, &b.Branch, &b.Title, (*string)(&b.Status))
	b.said = bytes.Clone(data)
	return nil
}

// MarshalJSON is what the server said.
func (b ListedBuild) MarshalJSON() ([]byte, error) { return b.said, nil }

// Took says how long the build took, or has been running; empty before it began.
func (b ListedBuild) Took(now time.Time) string {
	return elapsed(b.Status, b.StartedAt, b.FinishedAt, now)
}

// Builds lists the newest builds that a query of the API's asks for, at most so
// many; 0: all.
func (c *Client) Builds(ctx context.Context, query url.Values, most int) ([]ListedBuild, error) {
	return pages[ListedBuild](ctx, c, "/api/v1/builds", query, "builds", most)
}

// FinishBuild ends a build.
func (c *Client) FinishBuild(ctx context.Context, id ci.BuildID, status ci.Status) error {
	now := ci.Cut(time.Now())
	b := batch{}
	b.add(update{build: &buildUpdate{Status: status, FinishedAt: &now}})
	return c.untilAbout(ctx, "", id, http.MethodPost, "/api/v1/builds/"+id.String()+"/updates", b.body(), nil)
}

// Outcome is what the ends of a build's steps make of the build: failed if one
// failed or was lost, else canceled if one was, else passed.
func (b BuildState) Outcome() ci.Status {
	outcome := ci.Passed
	for _, s := range b.Steps {
		switch s.Status {
		case ci.Failed, ci.Lost, ci.Running: // a step that runs on after the build's end is lost
			return ci.Failed
		case ci.Canceled:
			outcome = ci.Canceled
		}
	}
	return outcome
}
