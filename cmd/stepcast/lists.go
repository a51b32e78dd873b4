package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stepcast/stepcast/internal/runner"
)

// listFlags are those of commands that list something.
type listFlags struct {
	JSON bool `name:"json" help:"Print a JSON object a line, as the server has it."`
}

// printList prints a list: for people as a table, whose rows row makes, and for
// scripts as a JSON object a line.
func printList[T any](w io.Writer, f listFlags, list []T, head string, row func(T) []string) error {
	if f.JSON {
		var lines bytes.Buffer
		encoder := json.NewEncoder(&lines)
		encoder.SetEscapeHTML(false)
		for _, one := range list {
			lines.Reset()
			err := encoder.Encode(one)
			if err == nil {
				_, err = w.Write(runner.AppendPrintable(nil, lines.Bytes()))
			}
			if err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.ReplaceAll(head, ", ", "\t"))
	for _, one := range list {
		fmt.Fprintln(table, strings.TrimRight(strings.Join(row(one), "\t"), "\t"))
	}
	return table.Flush()
}

// printFitted is printList for a table whose rows may be cut at their end: on a terminal
// none is wider than that.
func printFitted[T any](w io.Writer, f listFlags, list []T, head string, row func(T) []string) error {
	file, ok := w.(*os.File)
	if !ok || f.JSON {
		return printList(w, f, list, head, row)
	}
	terminal := runner.OpenTerminal(file)
	var table strings.Builder
	if err := printList(&table, f, list, head, row); err != nil {
		return err
	}
	for line := range strings.Lines(table.String()) {
		if _, err := fmt.Fprintln(w, terminal.Fit(strings.TrimSuffix(line, "\n"))); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}

// ago tells how long ago something was, as people do; nil is never.
func ago(at *time.Time, now time.Time) string {
	switch {
	case at == nil:
		return "never"
	case now.Sub(*at) < time.Minute: // clocks differ
		return "just now"
	}
	return about(now.Sub(*at), 2) + " ago"
}

// about tells how long something is, rounded, in the largest unit that it has two of
// and in which that is true to such a part of it: 20 is a twentieth. What was, is not said
// so exactly.
func about(d time.Duration, part time.Duration) string {
	const day = 24 * time.Hour
	d = max(d.Round(time.Second), time.Second)
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"years", 365 * day}, {"days", day}, {"hours", time.Hour}, {"min", time.Minute}} {
		if n := d.Round(unit.is); n >= 2*unit.is && (n-d).Abs() < d/part {
			return fmt.Sprintf("%d %s", n/unit.is, unit.name)
		}
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// lasts says for how long a token or a link is good, or since when it is not.
func lasts(revoked, expires *time.Time, now time.Time) string {
	switch {
	case revoked != nil:
		return "revoked " + ago(revoked, now)
	case expires == nil:
		return "never expires"
	case expires.After(now):
		return "expires in " + about(expires.Sub(now), 20)
	}
	return "expired " + ago(expires, now)
}

// used says when something was used last, and from where.
func used(at *time.Time, from *string, now time.Time) string {
	if at == nil || value(from) == "" {
		return ago(at, now)
	}
	return ago(at, now) + " from " + *from
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
