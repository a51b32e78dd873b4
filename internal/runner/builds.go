package runner

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// BuildState is a build as the server tells of it.
type BuildState struct {
	ID      ci.BuildID  `json:"id"`
	Project string      `json:"project"`
	Number  int64       `json:"number"`
	Status  ci.Status   `json:"status"`
	Steps   []StepState `json:"steps"`
}

// StepState is a step as the server tells of it.
type StepState struct {
	Key      ci.StepKey `json:"key"`
	Status   ci.Status  `json:"status"`
	LogBytes int64      `json:"log_bytes"`
	LogLines int64      `json:"log_lines"`
}

// StartBuild makes a build with these steps, all of them queued. The id is the
// caller's, so that the build is one however often this is repeated.
func (c *Client) StartBuild(ctx context.Context, id ci.BuildID, project string, d Details, steps []ci.StepKey) error {
	b := newBuild{ID: id, Project: project, Details: d.tidy()}
	for _, key := range steps {
		b.Steps = append(b.Steps, newStep{Key: key})
	}
	return c.until(ctx, http.MethodPost, "/api/v1/builds", mustJSON(b), nil)
}

// GetBuild returns the build as it is.
func (c *Client) GetBuild(ctx context.Context, id ci.BuildID) (BuildState, error) {
	var b BuildState
	err := c.until(ctx, http.MethodGet, "/api/v1/builds/"+id.String(), nil, &b)
	return b, err
}

// LatestBuild returns the newest build of a project, or of all there are.
func (c *Client) LatestBuild(ctx context.Context, project, branch string) (BuildState, error) {
	query := url.Values{"limit": {"1"}}
	if project != "" {
		query.Set("project", project)
	}
	if branch != "" {
		query.Set("branch", branch)
	}
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

// FinishBuild ends a build.
func (c *Client) FinishBuild(ctx context.Context, id ci.BuildID, status ci.Status) error {
	now := ci.Cut(time.Now())
	b := batch{}
	b.add(update{build: &buildUpdate{Status: status, FinishedAt: &now}})
	return c.until(ctx, http.MethodPost, "/api/v1/builds/"+id.String()+"/updates", b.body(), nil)
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
