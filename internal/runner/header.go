package runner

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepcast/stepcast/internal/ci"
)

// maxHeaderRows is how many rows the header takes at most; it never takes more
// than a third of the terminal.
const maxHeaderRows = 8

// maxStatus is how much of a status that is unknown here is shown, in bytes.
const maxStatus = 20

// What the header asks of a terminal. Each is understood, or passed over, by
// all that know cursor movement at all.
const (
	beginUpdate = "\x1b[?2026h" // show nothing until endUpdate: no flicker
	endUpdate   = "\x1b[?2026l"
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
	wrapOff     = "\x1b[?7l" // a row whose width the terminal sees differently is cut, not wrapped
	wrapOn      = "\x1b[?7h"
	eraseRight  = "\x1b[K"
	eraseBelow  = "\x1b[J"
)

// Header is a block of rows at the bottom of a terminal that shows how the
// build and its steps stand, while the log scrolls by above it. What the log
// has written stays in the terminal's own history.
//
// Between two writes the cursor stands, hidden, at the beginning of the block.
// A terminal that is resized keeps the cursor on the text that it is on, however
// it wraps and moves the rest: so erasing from the cursor on takes away the
// block and nothing else, whatever size it had.
type Header struct {
	Terminal *Terminal
	Colour   bool

	mu    sync.Mutex
	build headerBuild
	steps []headerStep  // as they came up
	open  string        // of the log, the line that has not ended; it leaves the terminal in its default
	live  bool          // the past has been told: from here on the block is shown
	ahead time.Duration // the server's clock before ours
	shown []string      // the rows of the block as they were shown; nil: there is none
	stale bool          // the terminal may have changed them
	over  bool
}

type headerBuild struct {
	name              string
	status            ci.Status
	started, finished *time.Time
}

type headerStep struct {
	key               ci.StepKey
	name              string
	status            ci.Status
	exitCode          int
	started, finished *time.Time
}

// Run keeps the durations going, and the block in its place when the terminal's
// size changes or the process is stopped and continued, until ctx ends.
func (h *Header) Run(ctx context.Context) {
	signals, stop := h.Terminal.signals()
	defer stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.update(func() {})
		case s := <-signals:
			if isSuspend(s) {
				h.suspend()
			} else { // resized, or continued
				h.redraw()
			}
		}
	}
}

// Write shows whole lines above the block.
func (h *Header) Write(lines []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(lines), h.draw(lines)
}

// Close shows the block a last time, as part of what the terminal keeps, and
// gives the terminal back.
func (h *Header) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	h.live, h.open, h.over = true, "", true
	_ = h.draw(nil) // nobody is left to be told
}

// text shows whole lines, and what has been written of the next one.
func (h *Header) text(lines []byte, open string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = open
	_ = h.draw(lines) // a terminal that is gone ends us by a signal
}

// handle takes in what an event says of the build and its steps.
func (h *Header) handle(e *FollowEvent) {
	h.update(func() {
		switch {
		case e.Build != nil:
			h.build = headerBuild{
				name: label(fmt.Sprintf("%s #%d", e.Build.Project, e.Build.Number), ci.MaxName+20), status: ci.Status(label(string(e.Build.Status), maxStatus)),
				started: e.Build.StartedAt, finished: e.Build.FinishedAt,
			}
		case e.Step != nil:
			s := headerStep{
				key: ci.StepKey(label(string(e.Step.Key), ci.MaxName)), name: label(e.Step.Name, ci.MaxTitle), status: ci.Status(label(string(e.Step.Status), maxStatus)),
				started: e.Step.StartedAt, finished: e.Step.FinishedAt,
			}
			if e.Step.ExitCode != nil {
				s.exitCode = *e.Step.ExitCode
			}
			i := slices.IndexFunc(h.steps, func(o headerStep) bool { return o.key == s.key })
			if i < 0 {
				h.steps = append(h.steps, s)
			} else {
				h.steps[i] = s
			}
		case e.Reset != "":
			h.build, h.steps, h.open = headerBuild{}, nil, ""
		case e.Live:
			h.live, h.ahead = true, e.Ahead
		}
	})
}

// update changes what the block shows, and the block if that makes a difference.
func (h *Header) update(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	change()
	_ = h.draw(nil)
}

// redraw shows the block anew, as nothing is known of how the terminal shows it.
func (h *Header) redraw() { h.update(func() { h.stale = true }) }

// suspend leaves the terminal to the shell and stops the process.
func (h *Header) suspend() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shown != nil {
		h.shown = nil
		_, _ = io.WriteString(h.Terminal, "\r"+eraseBelow+showCursor)
		h.Terminal.restore()
	}
	stopSelf()
}

// draw shows lines and, below them, the block as it is now: in one write, so
// that the terminal never shows the one without the other. h.mu is held.
func (h *Header) draw(lines []byte) error {
	var rows []string
	if columns, height := h.Terminal.size(); h.live && columns > 0 {
		rows = h.rows(columns, height, time.Now().Add(h.ahead))
	}
	switch {
	case rows == nil && h.shown == nil:
		_, err := h.Terminal.Write(lines)
		return err
	case len(lines) == 0 && !h.over && !h.stale && slices.Equal(rows, h.shown):
		return nil
	}
	var b bytes.Buffer
	b.WriteString(beginUpdate)
	if h.shown == nil {
		b.WriteString(hideCursor)
		h.Terminal.hush()
	}
	b.WriteByte('\r')
	if len(lines) > 0 || h.stale || len(h.shown) != len(rows) {
		b.WriteString(eraseBelow)
		b.Write(lines)
	}
	if len(rows) > 0 {
		// Row over row, where they stood: what stays the same does not flicker.
		b.WriteString(wrapOff)
		b.WriteString(strings.Join(rows, eraseRight+"\n"))
		b.WriteString(eraseRight + wrapOn)
	}
	switch {
	case h.over && len(rows) > 0:
		b.WriteByte('\n')
	case len(rows) > 1:
		fmt.Fprintf(&b, "\x1b[%dA\r", len(rows)-1)
	default:
		b.WriteByte('\r')
	}
	h.shown, h.stale = rows, false
	if h.over || rows == nil {
		b.WriteString(showCursor)
		h.Terminal.restore()
	}
	b.WriteString(endUpdate)
	_, err := h.Terminal.Write(b.Bytes())
	return err
}

// rows makes the block for a terminal of this size: the line of the log that
// has not ended, the build, and as many of its steps as there is room for. No
// row is as wide as the terminal.
func (h *Header) rows(columns, height int, now time.Time) (rows []string) {
	width := columns - 1
	if h.open != "" {
		rows = append(rows, ansi.Truncate(h.open, width, "…"))
	}
	limit := min(maxHeaderRows, height/3)
	if limit < 1 || width < 1 || h.build.name == "" {
		return rows
	}
	steps, rest := h.choose(limit - 1)
	rows = append(rows, h.buildRow(width, limit == 1, now))
	for _, s := range steps {
		rows = append(rows, h.stepRow(s, width, now))
	}
	if limit > 1 && len(rest) > 0 {
		rows = append(rows, h.fit(fmt.Sprintf("… %d more: %s", len(rest), counts(rest)), "2", width))
	}
	return rows
}

// choose takes the steps that there are rows for, in the order in which they
// came up: those that run, then those that went wrong, then the next ones, then
// the last that passed. Unless all fit, a row is left for the number of the rest.
func (h *Header) choose(room int) (steps, rest []headerStep) {
	if len(h.steps) <= room {
		return h.steps, nil
	}
	order := make([]int, len(h.steps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		ra, rb := signOf(h.steps[a].status).rank, signOf(h.steps[b].status).rank
		if ra == rb && h.steps[a].status == ci.Passed {
			return cmp.Compare(b, a)
		}
		return cmp.Compare(ra, rb)
	})
	chosen := order[:max(room-1, 0)]
	slices.Sort(chosen)
	for i, s := range h.steps {
		if _, found := slices.BinarySearch(chosen, i); found {
			steps = append(steps, s)
		} else {
			rest = append(rest, s)
		}
	}
	return steps, rest
}

// sign is how a status is shown.
type sign struct {
	mark, sgr string
	rank      int // who comes first when there is no room for all
}

// signs has one for each status: never by its colour alone. The colours are
// of the sixteen that every terminal's user has chosen.
var signs = map[ci.Status]sign{
	ci.Running:  {"●", "36", 0},
	ci.Failed:   {"✗", "31", 1},
	ci.Lost:     {"!", "33", 1},
	ci.Queued:   {"○", "90", 2},
	ci.Canceled: {"⊘", "35", 3},
	ci.Passed:   {"✓", "32", 4},
	ci.Skipped:  {"–", "90", 5},
}

// signOf also has one for what later servers may say.
func signOf(status ci.Status) sign {
	if l, ok := signs[status]; ok {
		return l
	}
	return sign{"·", "0", 2}
}

func (h *Header) buildRow(width int, alone bool, now time.Time) string {
	b := h.build
	m := signOf(b.status)
	text := "── " + b.name + "  "
	state := m.mark + " " + string(b.status)
	if d := elapsed(b.status, b.started, b.finished, now); d != "" {
		state += "  " + d
	}
	if alone && len(h.steps) > 0 {
		state += "  " + counts(h.steps)
	}
	if ansi.StringWidth(text)+ansi.StringWidth(state) > width { // how it stands is more than what it is called
		text = ansi.Truncate(text, max(width-ansi.StringWidth(state), 3), "… ")
	}
	rule := ""
	if left := width - ansi.StringWidth(text) - ansi.StringWidth(state) - 1; left > 0 {
		rule = " " + strings.Repeat("─", left)
	}
	return narrow(h.sgr("1")+text+h.sgr("0")+h.sgr(m.sgr)+state+h.sgr("0")+h.sgr("2")+rule+h.sgr("0"), width)
}

func (h *Header) stepRow(s headerStep, width int, now time.Time) string {
	m := signOf(s.status)
	state := fmt.Sprintf("%s %-8s", m.mark, s.status)
	d := elapsed(s.status, s.started, s.finished, now)
	if width >= 32 {
		state += fmt.Sprintf(" %7s", d)
	}
	row := h.sgr(m.sgr) + state + h.sgr("0") + "  " + string(s.key)
	if s.exitCode != 0 {
		row += fmt.Sprintf("  exit code %d", s.exitCode)
	}
	if s.name != "" && s.name != string(s.key) {
		row += "  " + h.sgr("2") + s.name
	}
	return narrow(row, width) + h.sgr("0")
}

func (h *Header) fit(text, sgr string, width int) string {
	return h.sgr(sgr) + narrow(text, width) + h.sgr("0")
}

func (h *Header) sgr(codes string) string {
	if !h.Colour {
		return ""
	}
	return "\x1b[" + codes + "m"
}

// narrow cuts a row to a width, by whichever way of counting makes it wider:
// terminals disagree about what is joined into one character.
func narrow(row string, width int) string {
	row = ansi.Truncate(row, width, "…")
	if widest(row) <= width {
		return row
	}
	for row != "" && widest(row) >= width {
		_, last := utf8.DecodeLastRuneInString(row)
		row = row[:len(row)-last]
	}
	if strings.Contains(row, "\x1b") { // what was cut has the end of its colours
		return row + "…\x1b[m"
	}
	return row + "…"
}

// widest is how many columns a row takes of a terminal that joins nothing, and draws numbers in
// a circle on black (U+3248 to U+324F) as glibc counts them.
func widest(row string) int {
	n := ansi.StringWidthWc(row)
	for _, r := range row {
		if r >= '\u3248' && r <= '\u324f' {
			n++
		}
	}
	return n
}

// counts says how many steps stand how: "2 passed, 1 running".
func counts(steps []headerStep) string {
	var parts []string
	other := len(steps)
	for _, status := range []ci.Status{ci.Failed, ci.Lost, ci.Running, ci.Canceled, ci.Passed, ci.Skipped, ci.Queued} {
		n := 0
		for _, s := range steps {
			if s.status == status {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
		other -= n
	}
	if other > 0 {
		parts = append(parts, fmt.Sprintf("%d other", other))
	}
	return strings.Join(parts, ", ")
}

// elapsed says how long something took or has been running; empty when that is
// not known.
func elapsed(status ci.Status, started, finished *time.Time, now time.Time) string {
	switch {
	case started == nil:
		return ""
	case finished != nil:
		d := max(finished.Sub(*started), 0)
		if d < 10*time.Second {
			return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
		}
		return roughly(d)
	case status == ci.Running:
		return roughly(max(now.Sub(*started), 0)) // their clock may be ahead of ours
	}
	return ""
}

func roughly(d time.Duration) string {
	switch s := int(d / time.Second); {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm %02ds", s/60, s%60)
	default:
		return fmt.Sprintf("%dh %02dm", s/3600, s/60%60)
	}
}

// label makes a text of the server's safe for a row: one line of at most limit
// bytes, nothing invisible in it, nothing that turns the direction of what
// follows.
func label(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) && !unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	return ci.OneLine(s, limit)
}

// Fit cuts a row of text to the width of a terminal. Of no terminal, or where nobody knows
// how wide it is, it is whole.
func (t *Terminal) Fit(row string) string {
	if t == nil {
		return row
	}
	columns, _ := t.size()
	if columns == 0 {
		return row
	}
	return narrow(row, columns)
}
