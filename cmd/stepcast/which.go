package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/cienv"
	"github.com/stepcast/stepcast/internal/runner"
)

// which is the build that a command is about, as far as it is known without
// asking the server.
type which struct {
	id      ci.BuildID
	run     string // what the id is derived from; empty: nothing
	own     bool   // nobody else reports it: the id was made up just now
	project string // empty: git tells
	details runner.Details
	system  cienv.Build // the CI system's word; empty outside of one
}

func (w *which) derived() bool { return w.run != "" }

// which settles the build: the one that was given, else that of the CI system's
// run, else a new one. What the flags leave empty comes from the CI system.
func (f *describeFlags) which(given string) (w which, err error) {
	w = which{project: f.Project, details: f.details()}
	if system, ok := cienv.Detect(cienv.Process()); ok {
		w.system = system
		if w.project == "" {
			w.project = system.Project
		}
		w.details = w.details.Or(runner.Details{
			Branch: system.Branch, Commit: system.Commit, Title: system.Title,
			Author: system.Author, URL: system.URL, Trigger: system.Trigger,
		})
	}
	switch {
	case given != "":
		if w.id, err = parseBuild(given); err != nil {
			return w, fmt.Errorf("--build or STEPCAST_BUILD: %w", err)
		}
	case w.system.Run != "":
		w.run = ci.RunOf(w.project, w.system.Run)
		w.id = ci.DerivedBuildID(w.run, 0)
	default:
		w.own, w.id = true, ci.NewBuildID()
	}
	return w, nil
}

// whichPresent settles the build of a command that comes after the first: the
// one that was given, else that of the CI system's run, in a project that is not
// the system's if one is named.
func whichPresent(project, given string) (id ci.BuildID, run string, err error) {
	if given != "" {
		id, err = parseBuild(given)
		return id, "", err
	}
	system, ok := cienv.Detect(cienv.Process())
	if !ok || system.Run == "" {
		return id, "", errors.New("which build? Give its id, or set STEPCAST_BUILD")
	}
	run = ci.RunOf(cmp.Or(project, system.Project), system.Run)
	return ci.DerivedBuildID(run, 0), run, nil
}

// present asks for that build; which one the jobs of a run report into only the
// server knows, when the first id of the series was taken.
func present(ctx context.Context, client *runner.Client, id ci.BuildID, run string) (runner.BuildState, error) {
	if run == "" {
		return client.GetBuild(ctx, id)
	}
	return client.FindRun(ctx, run)
}

// presentAgain is present, and creates a build that the server has forgotten again,
// of what this machine still has of it.
func presentAgain(ctx context.Context, left *runner.Leftovers, id ci.BuildID, run string) (runner.BuildState, error) {
	build, err := present(ctx, left.Client, id, run)
	if runner.IsNotFound(err) || errors.Is(err, runner.ErrNoBuild) {
		if t, _ := left.Again(ctx, id); t.Delivered > 0 {
			return left.Client.GetBuild(ctx, id)
		}
	}
	return build, err
}
