package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/runner"
)

type tailCmd struct {
	Step   []string `help:"Show the log of this step only; may be given several times." placeholder:"KEY" sep:"none"`
	Lines  int      `short:"n" help:"Begin with the last N lines of each step. Default: all." default:"-1" placeholder:"N"`
	Header *bool    `negatable:"" help:"Keep the steps in view below the log. Default: in a terminal."`
	Colour *bool    `name:"color" negatable:"" help:"Show colours, and the links of a log. Default: in a terminal, unless NO_COLOR is set."`
	JSON   bool     `name:"json" help:"Print each event as one line of JSON, as the server said it, and nothing else."`
	After  string   `help:"With --json: begin after the event with this id, as an earlier run printed it." placeholder:"ID"`

	Project string `help:"The newest build of this project, or the one with a number that stands alone. Default: as the git remote is called, else the directory; with 'latest', any." env:"STEPCAST_PROJECT" placeholder:"NAME" group:"Which build"`
	Branch  string `help:"The newest build of this branch. Default: any." placeholder:"NAME" group:"Which build"`
	serverFlags
	Build string `arg:"" optional:"" env:"STEPCAST_BUILD" complete:"latest" help:"The build's id, the address of its page, its project and number, such as acme/api#12, or 'latest', which is the newest of all."`

	hint string // of what else may be meant, for the end
}

// Help is what --help says beyond the flags.
func (c *tailCmd) Help() string {
	return `The log goes to stdout, what happens to the build and its steps to stderr; in a terminal the steps stay in view below the log. It ends with the build, and goes on by itself when the server was away.

In a terminal the build may be left out: the newest one of the current directory's project. A script has to name it.

  stepcast tail
  stepcast tail acme/api#12
  stepcast tail latest --project acme/api --branch main
  stepcast tail --step test -n 20 http://127.0.0.1:8080/builds/0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10
  stepcast tail --json latest | jq 'select(.event == "step")'

Exit codes: 0 the build passed; 1 it failed, was canceled or lost; 2 there is no such build, or the command line is wrong; 130 Ctrl-C.`
}

// Run follows the build.
func (c *tailCmd) Run(ctx context.Context, std stdio) error {
	out, shown := std.Out.(*os.File)
	shown = shown && isTerminal(out)
	follow := runner.Follow{Lines: c.Lines, After: c.After}
	if err := c.check(); err != nil {
		return usage(std, exitUsage, err)
	}
	for _, key := range c.Step {
		follow.Steps = append(follow.Steps, ci.StepKey(key))
	}
	if errs, ok := std.Err.(*os.File); c.Build == "" && !shown && !(ok && isTerminal(errs)) {
		return usage(std, exitUsage, errors.New("which build? In a terminal it is the newest of this directory's project, but neither stdout nor stderr is one here: give its id, the address of its page, its project and number, such as acme/api#12, or 'latest', or set STEPCAST_BUILD"))
	}
	client, err := c.reader(std.say)
	if err != nil {
		return err
	}
	id, err := c.build(ctx, std, client)
	if err != nil {
		return err
	}
	follow.Client, follow.Build = client, id

	p := runner.Printer{Out: std.Out, Status: std.Err, Alone: len(c.Step) == 1}
	if c.Colour != nil {
		p.Colour = *c.Colour
	} else {
		p.Colour = shown && os.Getenv("NO_COLOR") == ""
	}
	if shown && c.header() {
		if terminal := runner.OpenTerminal(out); terminal != nil {
			p.Header = &runner.Header{Terminal: terminal, Colour: p.Colour}
			p.Out = p.Header
			if sameTerminal(out, std.Err) {
				p.Status = p.Header
			}
		}
	}
	follow.Handle = p.Handle
	if c.JSON {
		follow.Handle = c.printJSON(std, &p)
	}
	if c.After == "" { // then every step is told
		follow.Handle = c.sayWhatIsMissing(follow.Handle, p.Say)
	}
	follow.Away = func(err error) {
		p.Say(fmt.Sprintf("%s is away (%v); going on when it is back", client.URL, err))
	}
	follow.Back = func() { p.Say(client.URL + " is back") }
	err = c.follow(ctx, &follow, p.Header)
	if err == nil && p.Outcome == ci.Lost && !c.JSON {
		p.Say("nothing was heard of the build for too long; if its reporter comes back, the same command shows the rest")
	}
	if err == nil && c.hint != "" && !c.JSON {
		p.Say(c.hint)
	}
	p.Close()
	if err == nil && p.Outcome == "" { // it had ended, and no event said so again
		var b runner.BuildState
		b, err = client.GetBuild(ctx, id)
		p.Outcome = b.Status
	}
	switch {
	case errors.Is(err, runner.ErrNoBuild):
		return usage(std, exitUsage, fmt.Errorf("%s has no build %s, or it is not for you to see", client.URL, id))
	case errors.Is(err, context.Canceled):
		return exitCode(130)
	case err != nil:
		return fmt.Errorf("follow the build: %w", err)
	case p.Outcome != ci.Passed:
		return exitCode(exitFailed)
	}
	return nil
}

func (c *tailCmd) check() error {
	for _, key := range c.Step {
		if err := ci.CheckStepKey(key); err != nil {
			return sentence(err)
		}
	}
	switch {
	case c.After == "":
	case !c.JSON:
		return errors.New("--after goes with --json, which shows the ids")
	case c.Lines >= 0:
		return errors.New("--after and --lines both say where to begin; give one of them")
	case strings.ContainsFunc(c.After, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("--after is the id of an event, not %q", c.After)
	}
	return nil
}

// header tells whether one is wanted, on a terminal.
func (c *tailCmd) header() bool {
	if c.JSON {
		return false
	}
	if c.Header != nil {
		return *c.Header
	}
	term := os.Getenv("TERM")
	return term != "" && term != "dumb"
}

// sameTerminal tells whether stderr goes to the terminal that stdout is.
func sameTerminal(out *os.File, stderr io.Writer) bool {
	errs, ok := stderr.(*os.File)
	if !ok {
		return false
	}
	a, err := out.Stat()
	if err != nil {
		return false
	}
	b, err := errs.Stat()
	return err == nil && os.SameFile(a, b)
}

// follow follows to the end, while the header lives beside it.
func (c *tailCmd) follow(ctx context.Context, f *runner.Follow, h *runner.Header) error {
	if h == nil {
		return f.Do(ctx)
	}
	living, die := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error {
		h.Run(living)
		return nil
	})
	group.Go(func() error {
		defer die()
		return f.Do(ctx)
	})
	return group.Wait()
}

// printJSON prints each event, and leaves the build's outcome in p.
func (c *tailCmd) printJSON(std stdio, p *runner.Printer) func(*runner.FollowEvent) {
	var line []byte
	return func(e *runner.FollowEvent) {
		line = e.AppendJSON(line[:0])
		std.Out.Write(line)
		if e.Build != nil {
			p.Outcome = e.Build.Status
		}
	}
}

// sayWhatIsMissing says, once what happened so far was shown, which steps of
// --step the build does not have: they are yet to come, or mistyped.
func (c *tailCmd) sayWhatIsMissing(handle func(*runner.FollowEvent), say func(string)) func(*runner.FollowEvent) {
	var there []string
	said := false
	return func(e *runner.FollowEvent) {
		handle(e)
		switch {
		case e.Step != nil && !slices.Contains(there, string(e.Step.Key)):
			there = append(there, string(e.Step.Key))
		case e.Live && !said:
			said = true
			for _, key := range c.Step {
				if !slices.Contains(there, key) {
					say(fmt.Sprintf("the build has no step %s so far; it has %s", key, listed(there)))
				}
			}
		}
	}
}

// listed names some steps.
func listed(keys []string) string {
	const most = 20
	switch {
	case len(keys) == 0:
		return "none"
	case len(keys) > most:
		return fmt.Sprintf("%s and %d others", strings.Join(keys[:most], ", "), len(keys)-most)
	}
	return strings.Join(keys, ", ")
}

// build reads which build is meant.
func (c *tailCmd) build(ctx context.Context, std stdio, client *runner.Client) (ci.BuildID, error) {
	if c.Build != "" && c.Build != "latest" {
		return namedBuild(ctx, std, client, c.Build, c.Project)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	project := c.Project
	if c.Build == "" && project == "" {
		project, _ = describe(ctx)
	}
	b, err := client.LatestBuild(ctx, project, c.Branch)
	switch {
	case errors.Is(err, runner.ErrNoBuild):
		of, hint := "", ""
		if c.Build == "" {
			hint = "; name a build, another project with --project, or 'latest', which is the newest of all"
		}
		if project != "" {
			of = " of the project " + project
		}
		if c.Branch != "" {
			of += " on the branch " + c.Branch
		}
		return b.ID, usage(std, exitUsage, fmt.Errorf("there is no build%s yet%s", of, hint))
	case err != nil:
		return b.ID, unanswered(client, err)
	}
	// On a machine of one's own the newest of all is most likely the one just made.
	if c.Build == "" && c.Project == "" && b.Status.Final() && client.Local() {
		if newest, err := client.LatestBuild(ctx, "", c.Branch); err == nil && newest.ID != b.ID {
			c.hint = fmt.Sprintf("that was the newest build of the project %s; a newer one is shown by `stepcast tail %s#%d`", project, newest.Project, newest.Number)
		}
	}
	return b.ID, nil
}
