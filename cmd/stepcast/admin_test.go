package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Without the server's settings they say so, instead of doing it to a database
// that they made for this.
func TestAdmin_MakesNoDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flags := databaseFlags{DataDir: dir}
	for _, cmd := range []interface {
		Run(context.Context, stdio) error
	}{&newEpochCmd{flags}, &pruneCmd{databaseFlags: flags, OlderThan: "90d"}} {
		var out bytes.Buffer
		err := cmd.Run(t.Context(), stdio{Out: &out})
		if err == nil || !strings.Contains(err.Error(), "--database-url") || out.Len() > 0 {
			t.Errorf("%T: got %v and %q", cmd, err, out.String())
		}
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		t.Errorf("it left %v, %v", there, err)
	}
}

func TestAdminPrune_SaysWhatItDid(t *testing.T) {
	t.Parallel()
	database := databaseFlags{DatabaseURL: pgtest.New(t)}
	for _, tt := range []struct {
		cmd  pruneCmd
		want string // of what is said
	}{
		{pruneCmd{OlderThan: "90d"}, `^Deleted 0 builds that ended before \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, with 0\.0 MiB of log text, and 0 events of the feed\.\n$`},
		{pruneCmd{OlderThan: "24h", Project: "acme/*", Keep: 1, DryRun: true}, `^Would delete 0 builds`},
		{pruneCmd{OlderThan: "12h"}, `--older-than: it is 1d at least`},
		{pruneCmd{OlderThan: "soon"}, `--older-than: a time is one such as 12h or 90d`},
		{pruneCmd{OlderThan: "90d", Keep: -1}, `--keep is a number`},
		{pruneCmd{OlderThan: "90d", Project: "a//b"}, `a//b`},
	} {
		tt.cmd.databaseFlags = database
		var out bytes.Buffer
		err := tt.cmd.Run(t.Context(), stdio{Out: &out, Err: &out})
		if refused := !strings.HasPrefix(tt.want, "^"); refused != errors.Is(err, exitCode(exitUsage)) || !refused && err != nil || !regexp.MustCompile(tt.want).Match(out.Bytes()) {
			t.Errorf("%+v: %v, %q", tt.cmd, err, out.String())
		}
	}
}

// Without a database's address, the answer says in which data directory it was
// done: another server may have left one where nobody meant it. One that runs there
// is in the way of a new epoch alone.
func TestAdmin_InADataDirectory(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	pg, err := embedded.Start(t.Context(), embedded.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pg.Stop() })
	if err := postgres.Migrate(t.Context(), pg.URL(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	flags := databaseFlags{DataDir: dir}
	says := func(cmd interface {
		Run(context.Context, stdio) error
	}) string {
		var out bytes.Buffer
		if err := cmd.Run(t.Context(), stdio{Out: &out}); err != nil {
			return err.Error()
		}
		return out.String()
	}
	if got := says(&pruneCmd{databaseFlags: flags, OlderThan: "90d"}); !strings.HasSuffix(got, " of the feed, in "+dir+".\n") {
		t.Errorf("beside a server: %q", got)
	}
	if got := says(&newEpochCmd{flags}); got != "a server is running on "+dir+"; stop it first" {
		t.Errorf("a new epoch beside a server: %q", got)
	}
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := says(&newEpochCmd{flags}); !strings.HasPrefix(got, "A new epoch has begun, in "+dir+": ") {
		t.Errorf("a new epoch: %q", got)
	}
}

func TestDetails_NumbersAreWhole(t *testing.T) {
	t.Parallel()
	if got := details([]byte(`{"log_bytes": 268435456}`)); got != "log_bytes 268435456" {
		t.Errorf("got %q", got)
	}
}
