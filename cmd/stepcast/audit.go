package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/runner"
)

type auditCmd struct {
	serverFlags
	listFlags
	Project string `help:"Only of this project, or of those of a pattern, such as acme/*. Default: of all that your token administers." placeholder:"PATTERN"`
	Limit   int    `help:"At most so many lines; 0 for all. Default: 50." default:"50" placeholder:"N"`
}

// Help is what --help says beyond the flags.
func (c *auditCmd) Help() string {
	return `The newest stands first, and times are UTC. What is of the whole server is shown to whose token administers *, and so is everything else. Nothing of it is ever changed or deleted.

  stepcast audit
  stepcast audit --project 'acme/*' --limit 0 --json`
}

// Run shows the audit.
func (c *auditCmd) Run(ctx context.Context, std stdio) error {
	if c.Project != "" {
		if err := ci.CheckPattern(c.Project); err != nil {
			return usage(std, exitUsage, sentence(err))
		}
	}
	if c.Limit < 0 {
		return usage(std, exitUsage, errors.New("--limit is a number of lines, or 0 for all"))
	}
	client, err := c.client(std.say)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	entries, err := client.Audit(ctx, c.Project, c.Limit)
	if err != nil {
		return fmt.Errorf("read the audit: %w", unanswered(client, err))
	}
	return printList(std.Out, c.listFlags, entries, "WHEN, WHO, FROM, DID, PROJECT, TO, DETAIL", func(e runner.Entry) []string {
		return []string{e.At.UTC().Format(time.DateTime), e.Actor, value(e.Address), e.Action, e.Project, e.Target, details(e.Detail)}
	})
}

// maxDetail bounds what is shown of an entry's detail, in bytes.
const maxDetail = 400

// details are what else an entry says, on a line for people.
func details(data json.RawMessage) string {
	var detail map[string]any
	if json.Unmarshal(data, &detail) != nil {
		return ""
	}
	var said []string
	for _, name := range slices.Sorted(maps.Keys(detail)) {
		if detail[name] == nil || detail[name] == "" {
			continue
		}
		if change, ok := detail[name].(map[string]any); ok && len(change) == 2 {
			said = append(said, fmt.Sprintf("%s %s → %s", name, shown(change["from"]), shown(change["to"])))
			continue
		}
		said = append(said, name+" "+shown(detail[name]))
	}
	return ci.Excerpt(visible(strings.Join(said, ", ")), maxDetail)
}

// visible shows what would hide in a line, or turn the direction of what follows,
// as \u202e.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsGraphic(r) || unicode.IsControl(r) { // of the latter OneLine leaves none
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "default"
	case []any:
		var words []string
		for _, one := range v {
			words = append(words, shown(one))
		}
		return strings.Join(words, " ")
	case float64: // of which 268435456 is one
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC().Format(time.DateTime)
		}
	}
	return fmt.Sprint(v)
}
