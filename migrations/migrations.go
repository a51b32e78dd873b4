// Package migrations holds the schema: plain SQL, forward only, read by goose.
// A file is never edited once it was released.
package migrations

import "embed"

// FS holds the migrations.
//
//go:embed *.sql
var FS embed.FS
