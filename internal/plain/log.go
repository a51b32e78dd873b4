package plain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
)

// Log is a page of a step's log.
type Log struct {
	Frame
	Build ci.Build
	Step  ci.Step // its count of lines is of the same moment as Rows
	First int64   // the line that the page begins with
	Rows  []Row
	Notes []Note // the step's groups, and annotations and failed tests of these lines at least, in the order in which they came
	Short bool   // there are more notes, which the page does not have
	Times bool   // lines tell when they were printed
}

// HTML is the whole document.
func (l Log) HTML() []byte { return pages.HTML("log", l) }

// Title names the step's result, and the lines of the page if there are more.
func (l Log) Title() string {
	title := fmt.Sprintf("%s %s: %s, %s #%d", marks[l.Step.Status], l.Step.Status, l.Step.Key, l.Build.Project, l.Build.Number)
	if l.Previous() != "" || l.Next() != "" {
		title += fmt.Sprintf(", lines %s to %s", page.Count(l.First), page.Count(l.Last()))
	}
	return title
}

// Name is what the step is called.
func (l Log) Name() string {
	if l.Step.Name != "" {
		return string(l.Step.Name)
	}
	return string(l.Step.Key)
}

// Span is how long the step took, or has taken until now.
func (l Log) Span() string { return span(l.Step.StartedAt, l.Step.FinishedAt, l.At) }

// Last is the last line of the page; without any, the one before its first.
func (l Log) Last() int64 {
	if len(l.Rows) == 0 {
		return l.First - 1
	}
	return l.Rows[len(l.Rows)-1].Number
}

// Raw is the address of the log as it is; of a line of it, unless that is 0.
func (l Log) Raw(line int64) string {
	raw := "/api/v1/builds/" + l.Build.ID.String() + "/steps/" + string(l.Step.Key) + "/log"
	if line > 0 {
		raw += fmt.Sprintf("?lines=%d", line)
	}
	return raw
}

// Page is the address of the page that begins with a line.
func (l Log) Page(first int64) string {
	address := fmt.Sprintf("%s?from=%d", StepPath(l.Build.ID, l.Step.Key), first)
	if l.Times {
		address += "&times=1"
	}
	return address
}

// Line is the address of a line on this page; on a page that begins with it, if
// this one ends before it.
func (l Log) Line(line int64) string {
	if l.Last() < line {
		l.First = line
	}
	return fmt.Sprintf("%s#L%d", l.Page(l.First), line)
}

// OtherTimes is the address of the same page with times, or without.
func (l Log) OtherTimes() string {
	l.Times = !l.Times
	return l.Page(l.First)
}

// Previous is the address of the page before; empty: this is the first.
func (l Log) Previous() string {
	if l.First <= 1 {
		return ""
	}
	return l.Page(max(1, l.First-PageLines))
}

// Next is the address of the page after; empty: this is the last.
func (l Log) Next() string {
	if l.Last() >= l.Step.LogLines {
		return ""
	}
	return l.Page(l.Last() + 1)
}

// Early tells that the page ends before its time, for it is bounded in bytes too.
func (l Log) Early() bool { return l.Next() != "" && l.Last()-l.First+1 < PageLines }

// End is the address of the last page.
func (l Log) End() string { return l.Page(PageOf(max(1, l.Step.LogLines))) }

// A Block is a part of the page; exactly one member is there.
type Block struct {
	Heading *Heading
	End     string // the name of a group that ended before the lines that follow
	Hole    int64  // bytes
	Cut     string // why these, and all that came after, were not kept; empty: they were lost
	Lines   []Line // of consecutive numbers
}

// Heading begins a group.
type Heading struct {
	Level     int // 3 to 6, as in HTML
	Name      string
	Continued bool // it began on an earlier page
	Facts     string
}

// Line is a row with what was understood of it.
type Line struct {
	Row
	Notes []Note
}

// Grave is the gravest level that the line is marked with; empty: none.
func (l Line) Grave() ci.Level {
	grave := ci.Level("")
	for _, n := range l.Notes {
		switch {
		case n.Test != nil || n.Annotation.Level == ci.LevelError:
			return ci.LevelError
		case n.Annotation.Level == ci.LevelWarning || grave == "":
			grave = n.Annotation.Level
		}
	}
	return grave
}

// Says tells whether the line itself has the words already, which are then not
// said twice.
func (l Line) Says(words string) bool { return strings.Contains(l.Text, strings.TrimSpace(words)) }

// Blocks divides the page as the step's groups divide the log: a group that
// began earlier and goes on is named again, and a line behind the end of one
// says so.
func (l Log) Blocks() (blocks []Block) {
	var groups []Note
	marked := make(map[int64][]Note)
	for _, n := range l.Notes {
		switch {
		case n.Line == 0:
		case n.Group != nil:
			groups = append(groups, n)
		case n.Line >= l.First && n.Line <= l.Last():
			marked[n.Line] = append(marked[n.Line], n)
		}
	}
	groups = slices.DeleteFunc(groups, func(g Note) bool { return g.Line < l.First && g.end() < l.First })
	slices.SortStableFunc(groups, func(a, b Note) int { return cmp.Compare(a.Line, b.Line) })

	var open []Note
	ended := ""
	// enter closes and begins what ends and begins before a line.
	enter := func(line int64) {
		for {
			begins := len(groups) > 0 && groups[0].Line <= line
			at := line
			if begins {
				at = groups[0].Line
			}
			for n := len(open); n > 0 && (open[n-1].end() < at || begins && open[n-1].Group.Level >= groups[0].Group.Level); n-- {
				ended, open = open[n-1].Group.Name, open[:n-1]
			}
			if !begins {
				return
			}
			g := groups[0]
			groups = groups[1:]
			open, ended = append(open, g), ""
			if g.Line >= l.First {
				blocks = append(blocks, Block{Heading: heading(g, l.First)})
			}
		}
	}
	enter(l.First - 1)
	for _, g := range open { // but not those that another has followed
		blocks = append(blocks, Block{Heading: heading(g, l.First)})
	}
	enter(l.First)
	for _, row := range l.Rows {
		if row.Hole > 0 {
			block := Block{Hole: row.Hole}
			if row.Quota != (ci.Quota{}) {
				block.Cut = row.Quota.Why()
			}
			blocks = append(blocks, block)
			continue
		}
		enter(row.Number)
		if ended != "" {
			blocks, ended = append(blocks, Block{End: ended}), ""
		}
		line := Line{Row: row}
		if !row.Rest {
			line.Notes = marked[row.Number]
		}
		if n := len(blocks); n > 0 && blocks[n-1].Lines != nil && !row.Rest {
			blocks[n-1].Lines = append(blocks[n-1].Lines, line)
		} else {
			blocks = append(blocks, Block{Lines: []Line{line}})
		}
	}
	if l.Next() == "" {
		enter(math.MaxInt64)
	}
	return blocks
}

// end is the last line of a group.
func (n Note) end() int64 {
	if n.Group.Last == nil {
		return math.MaxInt64
	}
	return *n.Group.Last
}

func heading(g Note, first int64) *Heading {
	h := &Heading{Level: min(6, 2+max(1, g.Group.Level)), Name: g.Group.Name, Continued: g.Line < first}
	if h.Name == "" {
		h.Name = "Group"
	}
	var facts []string
	if g.Group.Last != nil {
		facts = append(facts, page.Counted(max(0, *g.Group.Last-g.Line+1), "line"))
	}
	if g.Group.Duration != nil {
		facts = append(facts, took(*g.Group.Duration))
	}
	h.Facts = strings.Join(facts, ", ")
	return h
}
