package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/runner"
)

type projectCmd struct {
	List projectListCmd `cmd:"" help:"List the projects."`
	Set  projectSetCmd  `cmd:"" help:"Say who may see a project, and frame what is embedded of it."`
}

type projectListCmd struct{ serverFlags }

// Help is what --help says beyond the flags.
func (c *projectListCmd) Help() string {
	return "It takes a token with the scope status or read, and lists the projects that it is for, and public ones."
}

// Run lists the projects.
func (c *projectListCmd) Run(ctx context.Context, std stdio) error {
	client, err := c.reader(std.say)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	projects, err := client.Projects(ctx)
	if err != nil {
		return fmt.Errorf("list projects: %w", unanswered(client, err))
	}
	w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROJECT\tVISIBILITY")
	for _, p := range projects {
		fmt.Fprintf(w, "%s\t%s\n", p.Name, p.Visibility)
	}
	return w.Flush()
}

type projectSetCmd struct {
	serverFlags
	Public         bool     `help:"Let anybody read it, pages of other sites too." xor:"visibility"`
	Private        bool     `help:"Let pages of other sites read it with a token only, and, where people sign in, nobody who has not." xor:"visibility"`
	FrameAncestors []string `help:"The origins, such as https://portal.example, whose pages may show its embeds in a frame; 'default' for any, where the project is public or the frame has a token for it." placeholder:"ORIGIN" sep:","`
	Project        string   `arg:"" help:"The project, such as acme/api."`
}

// Help is what --help says beyond the flags.
func (c *projectSetCmd) Help() string {
	return `A project is there once something of it was reported, and private then. It takes a token with the scope admin: the server's first token has that.

  stepcast project set acme/api --public
  stepcast project set acme/api --frame-ancestors https://portal.example`
}

// Run sets it.
func (c *projectSetCmd) Run(ctx context.Context, std stdio) error {
	if err := ci.CheckProject(c.Project); err != nil {
		return usage(std, exitUsage, sentence(err))
	}
	var set runner.ProjectSet
	switch {
	case c.Public:
		set.Visibility = "public"
	case c.Private:
		set.Visibility = "private"
	}
	switch {
	case slices.Equal(c.FrameAncestors, []string{"default"}):
		set.FrameAncestors = ci.Field[[]string]{Present: true, Null: true}
	case c.FrameAncestors != nil:
		for _, origin := range c.FrameAncestors {
			if err := ci.CheckOrigin(origin); err != nil {
				return usage(std, exitUsage, sentence(err))
			}
		}
		set.FrameAncestors = ci.Set(c.FrameAncestors)
	case set.Visibility == "":
		return usage(std, exitUsage, errors.New("what is to be set? Such as --public"))
	}
	client, err := c.client(std.say)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	if err := client.SetProject(ctx, c.Project, set); err != nil {
		return fmt.Errorf("the project was not set: %w", unanswered(client, err))
	}
	return nil
}
