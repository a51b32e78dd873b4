//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
)

const sizesSQL = `
	SELECT pg_database_size(current_database()),
		(SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema'))::bigint,
		pg_table_size('events'), pg_indexes_size('events')`

type diskSizes struct{ database, tables, events, indexes int64 }

// measureDisk posts lines as a runner would, 200 at a time in builds of 50,000
// lines, and returns by how much the database grew.
func measureDisk(ctx context.Context, r *round) ([]value, error) {
	sample := newSample(6, r.size.lines, linesPerPost, 0)
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	before, err := sizesOf(ctx, srv)
	if err != nil {
		return nil, err
	}
	if _, _, err := postAll(ctx, srv, sample.pieces, 20); err != nil {
		return nil, err
	}
	after, err := sizesOf(ctx, srv)
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	var length int64
	for _, piece := range sample.pieces {
		all.Write(piece.escaped)
		length += piece.bytes
	}
	lines := float64(sample.lines)
	each := float64(after.database-before.database) / lines
	note := fmt.Sprintf("%d lines of %.0f bytes, which zstd shrinks %.2f times as a whole and %.2f times in pieces of %d lines; tables with indexes %.1f bytes a line, of these events %.1f and their indexes %.1f",
		sample.lines, float64(length)/lines, shrinks(all.Bytes()), shrinksApart(sample.pieces), linesPerPost,
		float64(after.tables-before.tables)/lines, float64(after.events-before.events)/lines, float64(after.indexes-before.indexes)/lines)
	return []value{{got: each, ratio: each, note: note}}, nil
}

// shrinksApart tells how many times smaller pieces become each by itself.
func shrinksApart(pieces []text) float64 {
	var whole, packed float64
	for _, piece := range pieces[:min(len(pieces), 200)] {
		whole += float64(len(piece.escaped))
		packed += float64(len(piece.escaped)) / shrinks(piece.escaped)
	}
	return whole / packed
}

// sizesOf asks a server's database once all is in its files.
func sizesOf(ctx context.Context, s *server) (d diskSizes, err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return d, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `CHECKPOINT`); err != nil {
		return d, err
	}
	err = conn.QueryRow(ctx, sizesSQL).Scan(&d.database, &d.tables, &d.events, &d.indexes)
	return d, err
}
