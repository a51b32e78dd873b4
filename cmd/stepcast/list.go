package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/runner"
)

type listCmd struct {
	serverFlags
	listFlags
	Project []string `help:"Only of this project, or of those of a pattern, such as acme/*. May be given several times, like --branch and --status." placeholder:"PATTERN" sep:","`
	Branch  []string `help:"Only of this branch." placeholder:"NAME" sep:"none"`
	Status  []string `help:"Only those that are queued, running, passed, failed, canceled or lost." placeholder:"STATUS" sep:"," complete:"queued,running,passed,failed,canceled,lost"`
	Author  string   `help:"Only those whose change this author made." placeholder:"NAME"`
	Limit   int      `short:"n" help:"At most so many builds; 0 for all. Default: 20." default:"20" placeholder:"N"`
}

// Help is what --help says beyond the flags.
func (c *listCmd) Help() string {
	return `The newest stands first. What the list calls a build is good for stepcast tail, too.

  stepcast list
  stepcast list --project 'acme/*' --branch main --status failed,lost
  stepcast list --json --limit 1 | jq -r .id`
}

// maxListedTitle bounds what is shown of a build's title, in bytes.
const maxListedTitle = 100

// Run lists the builds.
func (c *listCmd) Run(ctx context.Context, std stdio) error {
	if c.Limit < 0 {
		return usage(std, exitUsage, errors.New("--limit is a number of builds, or 0 for all"))
	}
	query := url.Values{}
	for name, values := range map[string][]string{"project": c.Project, "branch": c.Branch, "status": c.Status} {
		if len(values) > 0 {
			query[name] = values
		}
	}
	if c.Author != "" {
		query.Set("author", c.Author)
	}
	filtered := len(query) > 0
	client, err := c.client(std.say)
	stranger := err // why there is no token: then less may be seen
	if err != nil && !errors.Is(err, errNoToken) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	builds, err := client.Builds(ctx, query, c.Limit)
	switch {
	case err != nil:
		return fmt.Errorf("list builds: %w", unanswered(client, err))
	case len(builds) == 0 && stranger != nil:
		fmt.Fprintf(std.Err, "stepcast: there is no such build that may be seen without a token; %v\n", stranger)
		return nil
	case len(builds) == 0 && filtered:
		fmt.Fprintln(std.Err, "stepcast: no build is like that")
		return nil
	case len(builds) == 0:
		fmt.Fprintln(std.Err, "stepcast: there is no build yet")
		return nil
	}
	now := time.Now()
	return printFitted(std.Out, c.listFlags, builds, "BUILD, STATUS, CREATED, TOOK, BRANCH, TITLE", func(b runner.ListedBuild) []string {
		return []string{fmt.Sprintf("%s#%d", b.Project, b.Number), string(b.Status), ago(&b.CreatedAt, now), b.Took(now), b.Branch, ci.Excerpt(b.Title, maxListedTitle)}
	})
}
