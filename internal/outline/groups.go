package outline

import (
	"strconv"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// groups are those that are open, outermost first.
type groups struct {
	open    []openGroup
	stopped string // the token that brings GitHub's commands back
	hunk    hunk
}

// An openGroup has begun and not ended.
type openGroup struct {
	number  int64 // of its note
	kind    groupKind
	name    string // by which it will be ended
	began   time.Time
	stamp   float64 // when it began by its own word, in seconds of the Unix era; 0: it did not say
	elapsed float64 // seconds that Travis timed in it
}

type groupKind int

const (
	flat      groupKind = iota // of GitHub or Azure
	section                    // of GitLab
	fold                       // of Travis
	buildkite                  // what it says
)

// maxStamp bounds times of GitLab's, in seconds: the year 5138.
const maxStamp = 1e11

func (p *Parser) beginGroup(g openGroup, name string, folded bool) {
	if len(p.groups.open) == ci.MaxNoteLevel {
		return
	}
	g.number, g.began = p.next, p.at
	if p.emit(p.lines, ci.Note{Group: &ci.Group{Name: cleanName(name), Level: len(p.groups.open) + 1, Folded: folded}}) {
		p.groups.open = append(p.groups.open, g)
	}
}

// endGroups ends all groups but the first n, the innermost first. Line is the
// first that does not belong to them.
func (p *Parser) endGroups(n int, line int64) {
	for len(p.groups.open) > n {
		last := len(p.groups.open) - 1
		g := p.groups.open[last]
		p.groups.open = p.groups.open[:last]
		d := g.elapsed
		if d == 0 && !p.at.IsZero() && !g.began.IsZero() {
			d = p.at.Sub(g.began).Seconds()
		}
		p.push(line, ci.Note{GroupEnd: &ci.GroupEnd{Group: g.number, Duration: seconds(d)}})
	}
}

// endKind ends the innermost group of a kind and all within it; what is open
// around it stays. Name "": whatever its name.
func (p *Parser) endKind(kind groupKind, name string, stamp float64) {
	for i := len(p.groups.open) - 1; i >= 0; i-- {
		g := &p.groups.open[i]
		if g.kind != kind || name != "" && g.name != name {
			continue
		}
		if g.stamp > 0 && stamp > g.stamp {
			g.elapsed = stamp - g.stamp
		}
		p.endGroups(i, p.lines)
		return
	}
}

// marks reads a line in which carriage returns separate GitLab's or Travis'
// marks from what a terminal shows instead of them.
func (p *Parser) marks(line string) (found bool) {
	for line != "" {
		part, rest, _ := strings.Cut(line, "\r")
		header, _, _ := strings.Cut(rest, "\r")
		if p.mark(part, header) {
			found = true
		}
		line = rest
	}
	return found
}

// mark reads section_start:1560896352:name[collapsed=true], section_end:…,
// travis_fold:start:name, travis_fold:end:name, travis_time:start:id and
// travis_time:end:id:start=…,finish=…,duration=… (nanoseconds). The header is
// the text that stands in its line.
// Sources: docs.gitlab.com/ci/jobs/job_logs, "Custom collapsible sections";
// github.com/travis-ci/travis-build, lib/travis/build/bash.
func (p *Parser) mark(text, header string) bool {
	kind, rest, _ := strings.Cut(text, ":")
	verb, rest, ok := strings.Cut(rest, ":")
	if !ok {
		return false
	}
	switch kind {
	case "section_start", "section_end":
		stamp, err := strconv.ParseFloat(verb, 64)
		if err != nil || !(stamp >= 0 && stamp < maxStamp) {
			return false
		}
		name, options, _ := strings.Cut(strings.TrimSpace(rest), "[")
		if name == "" || len(name) > ci.MaxNoteName {
			return false
		}
		if kind == "section_end" {
			p.endKind(section, name, stamp)
			return true
		}
		if strings.TrimSpace(header) == "" {
			header = name
		}
		folded := false
		for option := range strings.SplitSeq(strings.TrimSuffix(options, "]"), ",") {
			folded = folded || strings.TrimSpace(option) == "collapsed=true"
		}
		p.beginGroup(openGroup{kind: section, name: name, stamp: stamp}, header, folded)
	case "travis_fold":
		name := strings.TrimSpace(rest)
		switch {
		case name == "" || len(name) > ci.MaxNoteName:
			return false
		case verb == "start":
			if strings.TrimSpace(header) == "" || strings.HasPrefix(header, "travis_") {
				header = name
			}
			p.beginGroup(openGroup{kind: fold, name: name}, header, true)
		case verb == "end":
			p.endKind(fold, name, 0)
		default:
			return false
		}
	case "travis_time":
		if verb == "end" {
			_, d, _ := strings.Cut(rest, "duration=")
			d, _, _ = strings.Cut(strings.TrimSpace(d), ",")
			ns, err := strconv.ParseInt(d, 10, 64)
			if open := p.groups.open; err == nil && ns > 0 && len(open) > 0 && open[len(open)-1].kind == fold {
				open[len(open)-1].elapsed += time.Duration(ns).Seconds()
			}
		}
	default:
		return false
	}
	return true
}

// buildkite reads a line that begins a group there: "--- name" folded, "+++
// name" open, "~~~ name" folded. The headers of a unified diff and its hunks,
// and the results of go test, look the same.
// Source: buildkite.com/docs/pipelines/configure/managing-log-output.
func (p *Parser) buildkite(text string) bool {
	if !p.options.Buildkite {
		return false
	}
	if p.groups.hunk.read(text) {
		return true
	}
	if len(text) < 5 || text[3] != ' ' {
		return false
	}
	name := strings.TrimSpace(text[4:])
	switch text[:3] {
	case "---", "+++", "~~~":
		if name == "" {
			return false
		}
		p.endKind(buildkite, "", 0)
		p.beginGroup(openGroup{kind: buildkite}, name, text[0] != '+')
		return true
	}
	return false
}

// A hunk follows a unified diff, so that its lines are not taken for something
// else.
type hunk struct {
	old, new int64 // lines that are still to come
	header   int   // lines in which a header may still come
	removed  bool  // the last line was the header's "---"
}

func (h *hunk) inside() bool { return h.old > 0 || h.new > 0 || h.header > 0 }

// read tells whether the line is part of a diff.
func (h *hunk) read(text string) bool {
	if h.old > 0 || h.new > 0 {
		switch {
		case text == "" || text[0] == ' ':
			h.old--
			h.new--
			return true
		case text[0] == '-':
			h.old--
			return true
		case text[0] == '+':
			h.new--
			return true
		case text[0] == '\\':
			return true
		}
		h.old, h.new = 0, 0 // it was none
	}
	removed := h.removed
	h.removed = false
	if h.header > 0 {
		h.header--
	}
	switch {
	case strings.HasPrefix(text, "diff "), strings.HasPrefix(text, "index "):
		h.header = 4
		return true
	case strings.HasPrefix(text, "--- ") && (h.header > 0 || diffed(text[4:], "a/")):
		h.removed, h.header = true, 3
		return true
	case strings.HasPrefix(text, "+++ ") && (removed || diffed(text[4:], "b/")):
		h.header = 2
		return true
	case strings.HasPrefix(text, "@@ -") && h.header > 0:
		h.header = 0
		h.old, h.new = hunkSizes(text)
		return true
	}
	return false
}

// diffed tells whether a header names a file, as git does with a prefix, or
// diff -u with a tab and a time.
func diffed(name, prefix string) bool {
	return strings.HasPrefix(name, prefix) || name == "/dev/null" || strings.IndexByte(name, '\t') > 0
}

// hunkSizes reads @@ -1,7 +1,6 @@; a size that is not there is 1.
func hunkSizes(text string) (before, after int64) {
	fields := strings.Fields(text)
	if len(fields) < 3 {
		return 0, 0
	}
	size := func(s string) int64 {
		_, n, ok := strings.Cut(s, ",")
		if !ok {
			return 1
		}
		v, err := strconv.ParseInt(n, 10, 32)
		if err != nil || v < 0 {
			return 0
		}
		return v
	}
	return size(fields[1]), size(fields[2])
}
