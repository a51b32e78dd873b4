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
// whose file names change with their content, and widgets.js and embed.js, whose
// do not; gallery.html is the document of the gallery.
func Files() fs.FS {
	files, err := fs.Sub(Dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return files
}

// Widgets is the script that defines the custom elements for pages of others.
func Widgets() []byte { return script("widgets.js") }

// FrameHeights is the script that gives frames on pages of others their height.
func FrameHeights() []byte { return script("embed.js") }

func script(name string) []byte {
	script, err := fs.ReadFile(Files(), name)
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

// FrameStyle and FrameScript are the addresses of what the document of a frame
// loads besides widgets.js. Their names change with their content.
func FrameStyle() string { return only("assets/embed/frame-*.css") }

func FrameScript() string { return only("assets/embed/frame-*.js") }

// only is the address of the one file of such a name.
func only(pattern string) string {
	names, err := fs.Glob(Files(), pattern)
	if err != nil || len(names) != 1 {
		panic("web: not one file " + pattern) // it is embedded
	}
	return "/" + names[0]
}

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
