// Package web is the pages: TypeScript in src, built by Vite into dist, which
// is committed so that building the server needs no Node.
package web

import (
	"embed"
	"io/fs"
)

// Dist holds the built site below "dist".
//
//go:embed all:dist
var Dist embed.FS

// Files is the built site: index.html, the one document of every page, and
// assets/, whose file names change with their content.
func Files() fs.FS {
	files, err := fs.Sub(Dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return files
}
