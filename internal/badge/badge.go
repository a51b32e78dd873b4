package badge

import (
	"fmt"
	"math"
	"strings"
)

// A Look is what a status has besides its word. Its names are those of statuses.
type Look struct {
	Colour string // #rrggbb; white on it has a contrast of 4.5:1 or more
	mark   string // SVG in a square of 10 px, drawn in white; empty: none
}

var looks = map[string]Look{
	"passed":   {"#116329", `<path d="M1.5 5.5 4 8l4.5-6"/>`},
	"failed":   {"#b3212b", `<path d="m2 2 6 6m0-6-6 6"/>`},
	"running":  {"#7d4e00", `<circle cx="5" cy="5" r="3.2" fill="#fff"/>`},
	"queued":   {"#4a525c", `<circle cx="5" cy="5" r="3.2"/>`},
	"canceled": {"#5b3fa8", `<path d="M2.6 7.4l4.8-4.8"/><circle cx="5" cy="5" r="3.6"/>`},
	"skipped":  {"#59636e", `<path d="M2 5h6"/>`},
	"lost":     {"#8a3b00", `<path d="M5 1v4.8m0 2.2v1"/>`},
}

// Unknown is the look of what is no status.
const Unknown = ""

// LookOf returns the look of a status; of any other word, a grey one without a
// shape.
func LookOf(status string) Look {
	if look, ok := looks[status]; ok {
		return look
	}
	return Look{Colour: "#59636e"}
}

// Style is the form of a badge.
type Style string

// The styles. The zero Style is Flat.
const (
	Flat       Style = "flat"
	FlatSquare Style = "flat-square"
)

// Styles are all there are.
var Styles = []Style{Flat, FlatSquare}

// Part is a coloured field of a badge.
type Part struct {
	Text   string
	Status string // whose look it has; Unknown: none
}

// Badge is a label and one field or more. Any text may be anything.
type Badge struct {
	Label string // empty: no label
	Parts []Part // the first three are shown
	Title string // what is read out, and shown where a pointer rests; empty: the texts
	Style Style
}

// Sizes in px.
const (
	height   = 20
	fontSize = 11
	padding  = 6  // beside a text
	marked   = 14 // a shape and what is between it and its text
	mostText = 220

	// MaxWidth is that of a badge.
	MaxWidth = mostText + 2*padding + mostParts*(mostText+2*padding+marked)
)

// Other bounds.
const (
	mostParts = 3
	mostSays  = 1000 // characters that are read out
)

const labelColour = "#32383f"

// pulse lets the shape of what runs breathe three times after the picture was
// loaded, and then rest: what it says is as old as the picture, and something
// that goes on moving would say that it is still so.
const pulse = `<style>@media (prefers-reduced-motion:no-preference){.r{animation:r 1.5s ease-in-out 3}}@keyframes r{50%{opacity:.3}}</style>`

// SVG is the picture. The same badge is the same bytes.
func (b Badge) SVG() []byte {
	fields, x := b.fields(), 0
	radius := 3
	if b.Style == FlatSquare {
		radius = 0
	}
	var drawn strings.Builder
	style := ""
	for i, f := range fields {
		left, right := 0, 0 // radii of its corners
		if i == 0 {
			left = radius
		}
		if i == len(fields)-1 {
			right = radius
		}
		fmt.Fprintf(&drawn, `<path fill="%s" d="%s"/>`, f.colour, box(x, f.size(), left, right))
		if f.mark != "" {
			class := ""
			if f.running {
				class, style = ` class="r"`, pulse
			}
			fmt.Fprintf(&drawn, `<g%s transform="translate(%d 5)" fill="none" stroke="#fff" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">%s</g>`, class, x+padding, f.mark)
		}
		if f.text != "" {
			fmt.Fprintf(&drawn, `<text x="%d" y="14" textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`, x+f.indent(), f.width, escape(f.text))
		}
		x += f.size()
	}
	// A thin edge, so that the label does not run into a dark page.
	fmt.Fprintf(&drawn, `<rect x=".5" y=".5" width="%d" height="%d" rx="%d" fill="none" stroke="#fff" stroke-opacity=".18"/>`, max(0, x-1), height-1, radius)
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="%[3]s"><title>%[3]s</title>%[4]s`+
		`<g fill="#fff" font-family="Verdana,'DejaVu Sans',Geneva,sans-serif" font-size="%[5]d" text-rendering="geometricPrecision">%[6]s</g></svg>`+"\n",
		x, height, escape(b.title()), style, fontSize, drawn.String())
}

// field is a part of the picture, or its label.
type field struct {
	text    string
	width   float64 // of the text
	colour  string
	mark    string
	running bool
}

// indent is where the text begins.
func (f field) indent() int {
	if f.mark != "" {
		return padding + marked
	}
	return padding
}

func (f field) size() int { return f.indent() + int(math.Ceil(f.width)) + padding }

func (b Badge) fields() []field {
	var all []field
	add := func(text string, f field) {
		var units int
		f.text, units = fit(text, mostText*unitsPerEm/fontSize)
		f.width = float64(units) * fontSize / unitsPerEm
		all = append(all, f)
	}
	if clean(b.Label) != "" {
		add(b.Label, field{colour: labelColour})
	}
	for _, p := range b.parts() {
		look := LookOf(p.Status)
		add(p.Text, field{colour: look.Colour, mark: look.mark, running: p.Status == "running"})
	}
	return all
}

func (b Badge) parts() []Part { return b.Parts[:min(len(b.Parts), mostParts)] }

// title is what a screen reader says: "build: passed, running".
func (b Badge) title() string {
	title := clean(b.Title)
	if title == "" {
		var says []string
		for _, p := range b.parts() {
			says = append(says, clean(p.Text))
		}
		title = strings.Join(says, ", ")
		if label := clean(b.Label); label != "" {
			title = label + ": " + title
		}
	}
	n := 0
	for i := range title {
		if n++; n > mostSays {
			return title[:i] + "…"
		}
	}
	return title
}

// box is the path of a field, with round corners of these radii.
func box(x, size, left, right int) string {
	d := fmt.Sprintf("M%d 0h%d", x+left, size-left-right)
	if right > 0 {
		d += fmt.Sprintf("a%[1]d %[1]d 0 0 1 %[1]d %[1]dv%[2]da%[1]d %[1]d 0 0 1-%[1]d %[1]d", right, height-2*right)
	} else {
		d += fmt.Sprintf("v%d", height)
	}
	d += fmt.Sprintf("h-%d", size-left-right)
	if left > 0 {
		d += fmt.Sprintf("a%[1]d %[1]d 0 0 1-%[1]d-%[1]dv-%[2]da%[1]d %[1]d 0 0 1 %[1]d-%[1]d", left, height-2*left)
	}
	return d + "z"
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

func escape(s string) string { return escaper.Replace(s) }
