package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/postgres"
)

// adminCmd holds what an operator needs rarely.
type adminCmd struct {
	NewEpoch newEpochCmd `cmd:"" help:"Make every reader start over, after a restore that the server cannot notice."`
	Prune    pruneCmd    `cmd:"" help:"Delete old builds."`
}

// databaseFlags say where the server's database is.
type databaseFlags struct {
	DatabaseURL       string `help:"The database, if the server was given one with --database-url." env:"STEPCAST_DATABASE_URL" placeholder:"URL"`
	ListenDatabaseURL string `help:"Its own address, if the server was given one with --listen-database-url." env:"STEPCAST_LISTEN_DATABASE_URL" placeholder:"URL"`
	DataDir           string `help:"Else the data directory of the server. Default: ${data_dir}." env:"STEPCAST_DATA_DIR" placeholder:"DIR" type:"path"`
}

// open returns the address of the database. One in a data directory is started
// and has to be closed, unless a server runs there: then it is that one's, or,
// where running is not allowed, an error.
func (f *databaseFlags) open(ctx context.Context, running bool) (url string, stop func(), err error) {
	stop = func() {}
	if url := cmp.Or(f.ListenDatabaseURL, f.DatabaseURL); url != "" {
		return url, stop, nil
	}
	if f.DataDir == "" {
		if f.DataDir, err = embedded.DefaultDataDir(); err != nil {
			return "", nil, err
		}
	}
	dir, err := filepath.Abs(f.DataDir)
	if err != nil {
		return "", nil, fmt.Errorf("find the data directory: %w", err)
	}
	f.DataDir = dir
	// A PostgreSQL made for this would have nothing in it.
	if _, err := os.Stat(filepath.Join(dir, "pg")); errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("no server has a database in %s: name the database with --database-url or STEPCAST_DATABASE_URL, or say where the data of the server is with --data-dir", dir)
	}
	pg, err := embedded.Start(ctx, embedded.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	switch {
	case errors.Is(err, embedded.ErrLocked) && running:
		url, err = embedded.Running(dir)
		return url, stop, err
	case errors.Is(err, embedded.ErrLocked):
		return "", nil, fmt.Errorf("a server is running on %s; stop it first", dir)
	case err != nil:
		return "", nil, err
	}
	return pg.URL(), func() { pg.Stop() }, nil
}

// where is what an answer ends with: the data directory, where no database was
// named, for it may be another server's than was meant.
func (f *databaseFlags) where() string {
	if f.ListenDatabaseURL != "" || f.DatabaseURL != "" {
		return ""
	}
	return ", in " + f.DataDir
}

// newEpochCmd begins a new epoch.
type newEpochCmd struct{ databaseFlags }

// Help is what --help says beyond the flags.
func (c *newEpochCmd) Help() string {
	return `After the database was put back to an earlier state, readers hold places in logs that have changed since. The server notices that itself after a restored dump or backup, but not when the disk was put back, as by a snapshot, while everything was down. Then this makes every reader begin again. A server that runs its PostgreSQL itself has to be stopped for it.

  stepcast admin new-epoch
  stepcast admin new-epoch --database-url postgres://ci@db.example/stepcast`
}

// Run begins a new epoch in the database, or in the data directory of a server
// that is down.
func (c *newEpochCmd) Run(ctx context.Context, std stdio) error {
	url, stop, err := c.open(ctx, false)
	if err != nil {
		return err
	}
	defer stop()
	if err := postgres.Migrate(ctx, url, slog.New(slog.DiscardHandler)); err != nil {
		return wrongAddress(err, c.ListenDatabaseURL)
	}
	if err := postgres.NewEpoch(ctx, url); err != nil {
		return err
	}
	fmt.Fprintf(std.Out, "A new epoch has begun%s: every reader starts over with its next request.\n", c.where())
	return nil
}

// pruneCmd deletes old builds.
type pruneCmd struct {
	databaseFlags
	OlderThan string `help:"Delete builds that ended longer ago than this, such as 90d; 1d at least." placeholder:"TIME" required:""`
	Project   string `help:"Only of this project, or of those of a pattern, such as acme/*. Default: of all." placeholder:"PATTERN"`
	Keep      int    `help:"Keep so many of each project's newest builds, however old they are. Default: 0." default:"0" placeholder:"N"`
	DryRun    bool   `help:"Delete nothing, and say what would be."`
}

// Help is what --help says beyond the flags.
func (c *pruneCmd) Help() string {
	return `A build goes with its steps, logs and notes; its address is answered 404 from then on. Events of the feed that are as old go too, those of the last 8 days aside, unless only some projects are asked for. The server may run meanwhile, and it may be run again at any time: what was deleted stays so when it is ended in between.

  stepcast admin prune --older-than 90d --keep 20 --dry-run
  stepcast admin prune --older-than 30d --project acme/nightly`
}

// theOperator is who deletes builds, in the audit.
var theOperator = postgres.Actor{Name: "the operator"}

// Run deletes old builds.
func (c *pruneCmd) Run(ctx context.Context, std stdio) error {
	p := postgres.Pruning{Project: c.Project, Keep: c.Keep}
	var err error
	if p.OlderThan, err = parseDays(c.OlderThan); err == nil && p.OlderThan < postgres.PruneAfter {
		err = errors.New("it is 1d at least: until then what belongs to a build may still be delivered")
	}
	if err != nil {
		return usage(std, exitUsage, fmt.Errorf("--older-than: %w", err))
	}
	if c.Keep < 0 {
		return usage(std, exitUsage, errors.New("--keep is a number of builds, or 0 for none"))
	}
	if c.Project != "" {
		if err := ci.CheckPattern(c.Project); err != nil {
			return usage(std, exitUsage, sentence(err))
		}
	}
	url, stop, err := c.open(ctx, true)
	if err != nil {
		return err
	}
	defer stop()
	done, err := postgres.Prune(ctx, url, theOperator, p, c.DryRun)
	said := "Deleted"
	if c.DryRun {
		said = "Would delete"
	}
	if err == nil || done.Builds > 0 {
		fmt.Fprintf(std.Out, "%s %s that ended before %s, with %.1f MiB of log text, and %s of the feed%s.\n", said, count(done.Builds, "build"), done.Before.UTC().Format(time.DateTime), float64(done.Bytes)/(1<<20), count(done.Events, "event"), c.where())
	}
	return wrongAddress(err, c.ListenDatabaseURL)
}

func count(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
