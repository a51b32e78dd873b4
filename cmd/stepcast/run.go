package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/mask"
	"github.com/stepcast/stepcast/internal/runner"
)

type runCmd struct {
	Build string   `help:"The build that the step is part of, as 'stepcast build start' printed it. Default: in a CI system, the one of its run; else the step is a build of its own." env:"STEPCAST_BUILD" placeholder:"ID" group:"Build"`
	Step  string   `help:"The step's key, such as test/linux. Default: in a CI system, the job's name; else the command's." placeholder:"KEY" group:"Build"`
	Name  string   `help:"What people read for the step. Default: the key that --step gives, else the command line." placeholder:"TEXT" group:"Build"`
	Needs []string `help:"The keys of the steps that this one comes after." placeholder:"KEY" sep:"," group:"Build"`

	reporterFlags
	describeFlags
	spoolFlags

	Tests        []string      `help:"Files in which the command leaves test results: JUnit XML, TAP or go test -json. May be patterns." placeholder:"FILE" sep:","`
	PTY          bool          `name:"pty" help:"Run the command on a terminal of its own: for tools that print colours, or print at once, only there."`
	Timeout      time.Duration `help:"End the command, and what it started, after so long, such as 30m: SIGTERM, exit code 124." placeholder:"TIME"`
	KillAfter    time.Duration `help:"How long after --timeout it is killed if it has not ended. Default: 10s." default:"10s" placeholder:"TIME"`
	MaskEnv      []string      `help:"Variables whose values are hidden in the log, in every encoding." env:"STEPCAST_MASK_ENV" placeholder:"NAME" sep:"," group:"Secrets"`
	MaskFile     []string      `help:"Files whose lines are hidden in the log." env:"STEPCAST_MASK_FILE" placeholder:"FILE" sep:"," type:"path" group:"Secrets"`
	DrainTimeout time.Duration `help:"How long the server may take, after the command has ended, for the rest of the report. Default: 60s." default:"60s" placeholder:"TIME"`
	ShowURL      *bool         `name:"show-url" negatable:"" help:"Say on stderr where to watch. Default: if that is a terminal, once a build."`
	Command      []string      `arg:"" passthrough:"partial" help:"The command and its arguments, after --."`
}

// Help is what --help says beyond the flags.
func (c *runCmd) Help() string {
	return `The command runs as it would alone: same output, same exit code, and signals reach it. Nothing that happens to the server changes that.

  stepcast run -- go test ./...
  stepcast run --project acme/api --step lint -- golangci-lint run

In a CI system all jobs of a run report into one build, which stepcast build finish ends. Elsewhere the step is a build of its own, or part of the one that --build or STEPCAST_BUILD names; see stepcast build --help.

Exit codes: the command's own; 124 it ran longer than --timeout; 126 it is not executable; 127 it was not found; 128+N signal N ended it; 125 stepcast could not start.`
}

var errNoCommand = errors.New("which command? Such as: stepcast run -- make test")

// Run runs the command. Where it cannot be reported, for want of a server or of
// a valid name, it says so and runs it all the same.
func (c *runCmd) Run(ctx context.Context, std stdio) error {
	say := func(line string) { fmt.Fprintf(std.Err, "stepcast: %s%s", line, runner.LineEnd()) }
	if c.Command[0] == "--" {
		c.Command = c.Command[1:]
	}
	if len(c.Command) == 0 {
		return usage(std, exitRunSelf, errNoCommand)
	}
	signals, stop := runner.Signals()
	defer stop()
	r := runner.Run{
		Command:      runner.Command{Args: c.Command, Stdin: std.In, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals, PTY: c.PTY, Timeout: c.Timeout, KillAfter: c.KillAfter},
		Tests:        c.Tests,
		DrainTimeout: c.DrainTimeout,
		Say:          say,
	}
	if err := c.report(&r); err != nil {
		say("this run is not reported: " + err.Error())
	}
	result := r.Do(ctx)
	if result.Interrupted {
		runner.EndByInterrupt()
	}
	if result.Code != 0 {
		return exitCode(result.Code)
	}
	return nil
}

// report settles what is reported, and to whom.
func (c *runCmd) report(r *runner.Run) error {
	opt, err := c.options(r.Say)
	if err != nil {
		return err
	}
	if opt.SpoolRoot, opt.Spool, err = c.spool(); err != nil {
		return err
	}
	if address := restarting(c.dataDir()); address != "" && strings.TrimSpace(c.URL) == "" {
		// It may have been stopped for good as well, so nobody waits for long.
		c.URL, r.DrainTimeout = address, min(r.DrainTimeout, restartDrain)
	}
	client, err := c.reporter(r.Say, opt.Project, opt.SpoolRoot)
	if err != nil {
		return err
	}
	_ = opt.Masker.Add(client.Token) // one that is too short is none
	if client.Exchange != nil {
		client.Exchange.Hide = func(secret string) { _ = opt.Masker.Add(secret) }
		client.Exchange.HideKept()
	}
	opt.Say = r.Say
	r.Report = runner.NewReport(client, opt)
	r.Leftovers = runner.NewLeftovers(client, opt.SpoolRoot, opt.Spool, r.Say)
	r.Leftovers.Quiet = true
	return nil
}

// options settles what is reported.
func (c *runCmd) options(say func(string)) (opt runner.ReportOptions, err error) {
	if err := c.check(); err != nil {
		return opt, err
	}
	w, err := c.which(c.Build)
	if err != nil {
		return opt, err
	}
	opt = runner.ReportOptions{
		Build:    w.id,
		Run:      w.run,
		Own:      w.own,
		Project:  w.project,
		Guessed:  c.Build != "" && c.Project == "",
		Details:  w.details,
		Step:     runner.StepName(c.Command[0]),
		Name:     c.Name,
		Describe: describe,
		Watch:    c.ShowURL == nil && isTerminal(os.Stderr) || c.ShowURL != nil && *c.ShowURL,
		Told:     c.ShowURL == nil && w.system.Run == "", // else each job has a log of its own

		Buildkite: w.system.System == "buildkite",
	}
	if opt.Step, err = c.step(w); err != nil {
		return opt, err
	}
	for _, key := range c.Needs {
		if err := ci.CheckStepKey(key); err != nil {
			return opt, fmt.Errorf("--needs: %w", sentence(err))
		}
		opt.Needs = append(opt.Needs, ci.StepKey(key))
	}
	if opt.Name == "" && c.Step == "" { // who gives a key means it to be read
		opt.Name = runner.CommandLine(c.Command)
	}
	opt.Masker, err = c.masker(w.system.Secrets, say)
	return opt, err
}

// step settles the step's key: the one that was given, which gets its number in
// a job that was tried before; in a CI system the job's; else the command's.
func (c *runCmd) step(w which) (ci.StepKey, error) {
	switch {
	case c.Step != "":
		if err := ci.CheckStepKey(c.Step); err != nil {
			return "", badKey(err)
		}
		if w.derived() {
			return w.system.StepNamed(c.Step), nil
		}
		return ci.StepKey(c.Step), nil
	case w.derived() && w.system.Step != "":
		return w.system.Step, nil
	}
	return runner.StepName(c.Command[0]), nil
}

// masker knows what is to be hidden: what the user names, what the CI system
// calls secret; our own token comes to it. What cannot be hidden is a reason not to
// report, if the user asked for it by name.
func (c *runCmd) masker(secrets []string, say func(string)) (*mask.Masker, error) {
	m := mask.New()
	for _, secret := range secrets {
		_ = m.Add(secret) // one that is too short is none
	}
	for _, name := range c.MaskEnv {
		value := os.Getenv(name)
		if value == "" {
			say(fmt.Sprintf("--mask-env: %s is not set, there is nothing to hide", name))
			continue
		}
		if err := m.Add(value); err != nil {
			return nil, fmt.Errorf("--mask-env %s: %w", name, err)
		}
	}
	for _, path := range c.MaskFile {
		if err := m.AddFile(path); err != nil {
			return nil, fmt.Errorf("--mask-file: %w", err)
		}
	}
	return m, nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && !strings.HasSuffix(f.Name(), os.DevNull)
}
