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

	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/postgres"
)

// adminCmd holds what an operator needs rarely.
type adminCmd struct {
	NewEpoch newEpochCmd `cmd:"" help:"Make every reader start over, after a restore that the server cannot notice."`
}

// newEpochCmd begins a new epoch.
type newEpochCmd struct {
	DatabaseURL       string `help:"The database, if the server was given one with --database-url." env:"STEPCAST_DATABASE_URL" placeholder:"URL"`
	ListenDatabaseURL string `help:"Its own address, if the server was given one with --listen-database-url." env:"STEPCAST_LISTEN_DATABASE_URL" placeholder:"URL"`
	DataDir           string `help:"Else the data directory of the server, which must not be running. Default: ${data_dir}." env:"STEPCAST_DATA_DIR" placeholder:"DIR" type:"path"`
}

// Help is what --help says beyond the flags.
func (c *newEpochCmd) Help() string {
	return `After the database was put back to an earlier state, readers hold places in logs that have changed since. The server notices that itself after a restored dump or backup, but not when the disk was put back, as by a snapshot, while everything was down. Then this makes every reader begin again.

  stepcast admin new-epoch
  stepcast admin new-epoch --database-url postgres://ci@db.example/stepcast`
}

// Run begins a new epoch in the database, or in the data directory of a server
// that is down.
func (c *newEpochCmd) Run(ctx context.Context, std stdio) error {
	url := cmp.Or(c.ListenDatabaseURL, c.DatabaseURL)
	if url == "" {
		dir := c.DataDir
		if dir == "" {
			var err error
			if dir, err = embedded.DefaultDataDir(); err != nil {
				return err
			}
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("find the data directory: %w", err)
		}
		// A PostgreSQL made for this would have no history to begin anew.
		if _, err := os.Stat(filepath.Join(dir, "pg")); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("no server has a database in %s: name the database with --database-url or STEPCAST_DATABASE_URL, or say where the data of the server is with --data-dir", dir)
		}
		pg, err := embedded.Start(ctx, embedded.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
		if errors.Is(err, embedded.ErrLocked) {
			return fmt.Errorf("a server is running on %s; stop it first", dir)
		}
		if err != nil {
			return err
		}
		defer pg.Stop()
		url = pg.URL()
	}
	if err := postgres.Migrate(ctx, url, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if err := postgres.NewEpoch(ctx, url); err != nil {
		return err
	}
	fmt.Fprintln(std.Out, "A new epoch has begun: every reader starts over with its next request.")
	return nil
}
