// Package web is the pages: TypeScript in src, built by Vite into dist, which
// is committed so that building the server needs no Node.
package web

import (
	"embed"
	"io/fs"
	"regexp"
)

// Dist holds the built site below "dist".
//
//go:embed all:dist
var Dist embed.FS

// Files is the built site: index.html, the one document of every page, assets/,
// whose file names change with their content, and widgets.js, whose does not.
func Files() fs.FS {
	files, err := fs.Sub(Dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return files
}

// Widgets is the script that defines the custom elements for pages of others.
func Widgets() []byte {
	script, err := Dist.ReadFile("dist/widgets.js")
	if err != nil {
		panic(err) // it is embedded
	}
	return script
}

// Stylesheet and Icon are the addresses of the site's colours and fonts, which
// the pages that the server makes share, and of its picture.
var (
	Stylesheet = link("stylesheet")
	Icon       = link("icon")
)

// link is where the page's first link of this kind leads.
func link(rel string) string {
	page, err := fs.ReadFile(Files(), "index.html")
	if err != nil {
		panic(err) // it is embedded
	}
	found := regexp.MustCompile(`<link rel="` + rel + `"[^>]* href="([^"]+)"`).FindSubmatch(page)
	if found == nil {
		panic("web: index.html links to no " + rel)
	}
	return string(found[1])
}
