package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/runner"
)

// adminWait is how long these commands wait for the server.
const adminWait = 10 * time.Second

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token and print it."`
	List   tokenListCmd   `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token for good."`
}

type tokenCreateCmd struct {
	serverFlags
	Scope   []string `help:"What it may do: report to write, read to read everything, status to see how builds stand but no logs, admin for settings and tokens." placeholder:"SCOPE" sep:"," required:"" complete:"report,read,status,admin"`
	Project string   `help:"The project that it is for, or the pattern of projects, such as acme/*." placeholder:"PATTERN" required:""`
	Name    string   `help:"What people know it by." placeholder:"TEXT"`
	Expires string   `help:"When it ends by itself, such as 12h or 90d. Default: never." placeholder:"TIME"`
}

// Help is what --help says beyond the flags.
func (c *tokenCreateCmd) Help() string {
	return `The token goes to stdout, this once; the server keeps only a sum of it. What is said of it goes to stderr. It takes a token with the scope admin to make one: the server's first token has that.

  stepcast token create --scope status --project 'acme/*' --expires 90d --name portal
  stepcast token create --scope report --project acme/api`
}

// Run makes the token.
func (c *tokenCreateCmd) Run(ctx context.Context, std stdio) error {
	if err := ci.CheckPattern(c.Project); err != nil {
		return usage(std, exitUsage, sentence(err))
	}
	now := time.Now()
	var expires *time.Time
	if c.Expires != "" {
		d, err := parseDays(c.Expires)
		if err != nil {
			return usage(std, exitUsage, fmt.Errorf("--expires: %w", err))
		}
		at := now.Add(d)
		expires = &at
	}
	client, err := c.client(std.say)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	t, err := client.CreateToken(ctx, c.Name, c.Project, c.Scope, expires)
	if err != nil {
		return fmt.Errorf("no token was made: %w", unanswered(client, err))
	}
	fmt.Fprintf(std.Err, "stepcast: %s for %s, %s; this is shown once, and ended by `stepcast token revoke %s`\n", strings.Join(c.Scope, ", "), c.Project, lasts(nil, t.ExpiresAt, now), t.ID)
	fmt.Fprintln(std.Out, t.Text)
	return nil
}

// parseDays reads a time such as 90d, or one that Go reads, such as 12h.
func parseDays(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100*366 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	return 0, fmt.Errorf("a time is one such as 12h or 90d, not %q", s)
}

type tokenListCmd struct {
	serverFlags
	listFlags
	Builds bool `help:"List tokens for one build too, which jobs of a CI system get for themselves."`
}

// Help is what --help says beyond the flags.
func (c *tokenListCmd) Help() string {
	return `Those for what your own token administers, the newest first; those that have ended too. When one was used last is written down once a minute.

  stepcast token list
  stepcast token list --json`
}

// Run lists the tokens.
func (c *tokenListCmd) Run(ctx context.Context, std stdio) error {
	client, err := c.client(std.say)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	tokens, err := client.Tokens(ctx, c.Builds)
	if err != nil {
		return fmt.Errorf("list tokens: %w", unanswered(client, err))
	}
	now := time.Now()
	return printList(std.Out, c.listFlags, tokens, "ID, NAME, SCOPES, PROJECT, MADE, USED, LASTS, MADE BY", func(t runner.Token) []string {
		project := t.Project
		if t.Build != nil {
			project += ", build " + *t.Build
		}
		return []string{t.ID, t.Name, strings.Join(t.Scopes, ","), project, ago(&t.CreatedAt, now), used(t.UsedAt, t.UsedFrom, now), lasts(t.RevokedAt, t.ExpiresAt, now), value(t.MadeBy)}
	})
}

type tokenRevokeCmd struct {
	serverFlags
	ID string `arg:"" help:"Its id, as 'stepcast token list' shows it: the first 16 digits of the SHA-256 of its text."`
}

// Help is what --help says beyond the flags.
func (c *tokenRevokeCmd) Help() string {
	return `Every process of the server acts by it within 5 seconds, and streams that were opened with the token end.

  stepcast token revoke 0123456789abcdef`
}

// Run ends the token.
func (c *tokenRevokeCmd) Run(ctx context.Context, std stdio) error {
	if !isID(c.ID) {
		return usage(std, exitUsage, errors.New("the id of a token is 16 digits, 0 to 9 and a to f; see `stepcast token list`"))
	}
	client, err := c.client(std.say)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	if err := client.RevokeToken(ctx, c.ID); err != nil {
		return fmt.Errorf("the token was not revoked: %w", unanswered(client, err))
	}
	fmt.Fprintf(std.Err, "stepcast: the token %s has ended\n", c.ID)
	return nil
}
