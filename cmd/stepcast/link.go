package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/runner"
)

type linkCmd struct {
	Create linkCreateCmd `cmd:"" help:"Make a link to one build and print its address."`
	List   linkListCmd   `cmd:"" help:"List the links to a build."`
	Revoke linkRevokeCmd `cmd:"" help:"End a link for good."`
}

type linkCreateCmd struct {
	serverFlags
	Expires string `help:"When it ends by itself, such as 12h or 30d; 90d at most. Default: 7d." placeholder:"TIME"`
	Status  bool   `help:"Show how the build and its steps stand, and no log text."`
	Build   string `arg:"" help:"The build's id, the address of its page, or its project and number, such as acme/api#12."`
}

// Help is what --help says beyond the flags.
func (c *linkCreateCmd) Help() string {
	return `Whoever opens the address sees that one build, live, without signing in, and nothing else of its project: a link is for people outside. The address goes to stdout, this once; what is said of it goes to stderr. It takes a token with the scope admin for the build's project.

  stepcast link create acme/api#12
  stepcast link create --expires 30d --status https://ci.example/builds/0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10`
}

// longestLink is how long a link may last.
const longestLink = 90 * 24 * time.Hour

// Run makes the link.
func (c *linkCreateCmd) Run(ctx context.Context, std stdio) error {
	var expires time.Duration
	if c.Expires != "" {
		var err error
		if expires, err = parseDays(c.Expires); err == nil && (expires > longestLink || expires < time.Second) {
			err = fmt.Errorf("a link lasts a second at least and 90d at most, not %s", c.Expires)
		}
		if err != nil {
			return usage(std, exitUsage, fmt.Errorf("--expires: %w", err))
		}
	}
	scope := "read"
	if c.Status {
		scope = "status"
	}
	client, err := c.client(std.say)
	if err != nil {
		return err
	}
	build, err := namedBuild(ctx, std, client, c.Build, "")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	l, err := client.CreateLink(ctx, build, scope, expires)
	if err != nil {
		return fmt.Errorf("no link was made: %w", unanswered(client, err))
	}
	shows := "the build with its logs"
	if c.Status {
		shows = "how the build stands, and no log"
	}
	fmt.Fprintf(std.Err, "stepcast: whoever opens this sees %s; it %s, is shown once, and ended by `stepcast link revoke %s`\n", shows, lasts(nil, l.ExpiresAt, time.Now()), l.ID)
	fmt.Fprintln(std.Out, l.URL)
	return nil
}

type linkListCmd struct {
	serverFlags
	listFlags
	Build string `arg:"" help:"The build's id, the address of its page, or its project and number, such as acme/api#12."`
}

// Help is what --help says beyond the flags.
func (c *linkListCmd) Help() string {
	return `Those that have ended are listed too. Their addresses are not: they are known to whom they were sent.

  stepcast link list acme/api#12`
}

// Run lists the links.
func (c *linkListCmd) Run(ctx context.Context, std stdio) error {
	client, err := c.client(std.say)
	if err != nil {
		return err
	}
	build, err := namedBuild(ctx, std, client, c.Build, "")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	links, err := client.Links(ctx, build)
	if err != nil {
		return fmt.Errorf("list links: %w", unanswered(client, err))
	}
	now := time.Now()
	return printList(std.Out, c.listFlags, links, "ID, SHOWS, MADE, OPENED, LASTS, MADE BY", func(l runner.Link) []string {
		shows := "everything"
		if l.Scope == "status" {
			shows = "status"
		}
		return []string{l.ID, shows, ago(&l.CreatedAt, now), used(l.UsedAt, l.UsedFrom, now), lasts(l.RevokedAt, l.ExpiresAt, now), value(l.MadeBy)}
	})
}

type linkRevokeCmd struct {
	serverFlags
	ID string `arg:"" help:"Its id, as 'stepcast link list' shows it."`
}

// Help is what --help says beyond the flags.
func (c *linkRevokeCmd) Help() string {
	return `Every process of the server acts by it within 5 seconds, and what was opened with the link ends.

  stepcast link revoke 0123456789abcdef`
}

// Run ends the link.
func (c *linkRevokeCmd) Run(ctx context.Context, std stdio) error {
	if !isID(c.ID) {
		return usage(std, exitUsage, errors.New("the id of a link is 16 digits, 0 to 9 and a to f; see `stepcast link list`"))
	}
	client, err := c.client(std.say)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	if err := client.RevokeLink(ctx, c.ID); err != nil {
		return fmt.Errorf("the link was not revoked: %w", unanswered(client, err))
	}
	fmt.Fprintf(std.Err, "stepcast: the link %s has ended\n", c.ID)
	return nil
}

// isID tells whether a text can be the id of a token or a link.
func isID(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdef") == "" }
