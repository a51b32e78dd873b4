//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/embedded"
)

// reference is a PostgreSQL like the server's, with one table of lines.
type reference struct {
	pg *embedded.Server
}

// One row a line, with a key: the plainest table that could serve a log.
const linesSQL = `CREATE TABLE lines (build bigint, line bigint, text text NOT NULL, PRIMARY KEY (build, line))`

// startReference runs a PostgreSQL on a data directory, and makes the table if
// the cluster is new.
func startReference(ctx context.Context, dir string) (*reference, error) {
	pg, err := embedded.Start(ctx, embedded.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("start the reference: %w", err)
	}
	r := &reference{pg}
	conn, err := pgx.Connect(ctx, pg.URL())
	if err == nil {
		_, err = conn.Exec(ctx, strings.Replace(linesSQL, "TABLE", "TABLE IF NOT EXISTS", 1))
		_ = conn.Close(ctx)
	}
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("make the table of lines: %w", err)
	}
	return r, nil
}

func (r *reference) stop() { _ = r.pg.Stop() }

var psqlTime = regexp.MustCompile(`(?m)^Time: ([0-9.]+) ms`)

// psql runs one command and returns the time that psql itself says it took.
func (r *reference) psql(ctx context.Context, command string) (time.Duration, error) {
	bin, err := findPsql()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, bin, "-X", "-q", "-v", "ON_ERROR_STOP=1", r.pg.URL())
	cmd.Stdin = strings.NewReader("\\timing on\n" + command + "\n")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("psql: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	match := psqlTime.FindSubmatch(said.Bytes())
	if match == nil {
		return 0, fmt.Errorf("psql names no time: %s", said.Bytes())
	}
	ms, err := strconv.ParseFloat(string(match[1]), 64)
	return time.Duration(ms * float64(time.Millisecond)), err
}

// findPsql prefers the real one to Debian's wrapper.
func findPsql() (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/psql"); len(found) > 0 {
		return slices.Max(found), nil
	}
	bin, err := exec.LookPath("psql")
	if err != nil {
		return "", errors.New("the references need psql: install PostgreSQL's client")
	}
	return bin, nil
}
