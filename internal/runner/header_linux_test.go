package runner

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/sse"
	"github.com/stepcast/stepcast/internal/termtest"
)

// shown is a printer with a header on a terminal, and what feeds it.
func shown(t *testing.T, columns, rows int) (*termtest.Terminal, *Printer, func(kind, data string)) {
	t.Helper()
	term := termtest.New(t, columns, rows)
	h := &Header{Terminal: OpenTerminal(term.Theirs), Colour: true}
	p := &Printer{Out: h, Status: h, Header: h, Colour: true}
	f := Follow{Handle: p.Handle}
	return term, p, func(kind, data string) {
		t.Helper()
		if err := f.handle(sse.Event{Name: kind, Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever a server calls its projects and steps, a row is a row.
func TestHeader_NamesAreOnlyText(t *testing.T) {
	t.Parallel()
	term, p, say := shown(t, 60, 30)
	say("build", `{"project":"a\u001b[2Jb\u0007\u009b1mc\u202ed\ne\u2028f","number":1,"title":"\u001b]52;c;x\u0007\u2066","status":"\u001b[1mnew"}`)
	say("step", `{"key":"k\u001bcx\r\ty","name":"\u001b]8;;http://x\u0007n\u202e\u200b","status":"running"}`)
	say("step", `{"key":"later","name":"`+strings.Repeat("日本語🏳️‍🌈e\u0301", 50)+`","status":"paused"}`)
	say("live", `{}`)
	p.Close()
	term.Theirs.Close()
	term.WaitFor(t, "the last row", func(s *termtest.Screen) bool { return !s.Hidden && strings.HasSuffix(s.Text(), "…\n") })
	term.Look(func(s *termtest.Screen) {
		if len(s.Faults) > 0 || s.Wrapped || s.Hidden {
			t.Errorf("faults %q, wrapped %v, hidden %v", s.Faults, s.Wrapped, s.Hidden)
		}
		rows := s.Visible()
		if got := strings.Join(rows[len(rows)-4:len(rows)-2], "\n"); got != "── a [2Jb  1mcd ef #1  · [1mnew "+strings.Repeat("─", 27)+"\n● running           k cx  y  ]8;;http://x n" {
			t.Errorf("got %q", rows)
		}
	})
}

// Of many steps those are shown that a person looks for.
func TestHeader_ManySteps(t *testing.T) {
	t.Parallel()
	term, p, say := shown(t, 60, 15)
	say("build", `{"project":"acme/api","number":12,"status":"running"}`)
	for i := range 20 {
		status := ci.Passed
		switch {
		case i == 3:
			status = ci.Failed
		case i == 12:
			status = ci.Running
		case i > 12:
			status = ci.Queued
		}
		say("step", fmt.Sprintf(`{"key":"s%d","status":%q}`, i, status))
	}
	say("live", `{}`)
	p.Close()
	want := "── acme/api #12  ● running ────────────────────────────────\n✗ failed            s3\n● running           s12\n○ queued            s13\n… 17 more: 11 passed, 6 queued\n"
	term.WaitFor(t, want, func(s *termtest.Screen) bool { return strings.HasSuffix(s.Text(), want) })
}

// A bar that is written over for ever is one row, and costs no memory; a line
// that never ends is broken.
func TestHeader_ProgressWithoutAnEnd(t *testing.T) {
	t.Parallel()
	term, p, say := shown(t, 60, 15)
	say("build", `{"project":"acme/api","number":1,"status":"running"}`)
	say("live", `{}`)
	offset := 0
	log := func(text string) {
		say("log", string(mustJSON(map[string]any{"step": "get", "offset": offset, "bytes": len(text), "text": text})))
		offset += len(text)
	}
	for i := range 8_000 { // 200 KiB
		log(fmt.Sprintf("\x1b[32m%4d of 8000\x1b[0m\r", i+1))
		if held := len(p.steps["get"].held); held > 2*maxHeld {
			t.Fatalf("%d bytes are held", held)
		}
	}
	term.WaitFor(t, "the bar", func(s *termtest.Screen) bool {
		return strings.HasPrefix(s.Text(), "stepcast: acme/api #1\n8000 of 8000\n── acme/api #1  ● running ─")
	})
	log("done          \n" + strings.Repeat("x", 3*maxHeld) + "\nand on")
	p.Close()
	term.WaitFor(t, "all of it", func(s *termtest.Screen) bool {
		text := s.Text()
		return strings.HasPrefix(text, "stepcast: acme/api #1\ndone\nx") && strings.Count(text, "x") == 3*maxHeld && strings.Contains(text, "x\nand on\n── acme/api #1  ● running ─")
	})
}

func TestElapsed(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for want, d := range map[string]time.Duration{
		"0.0s": -time.Second, "0.4s": 460 * time.Millisecond, "9.9s": 9999 * time.Millisecond, "10s": 10 * time.Second,
		"59s": 59900 * time.Millisecond, "1m 00s": time.Minute, "59m 59s": time.Hour - 1, "1h 00m": time.Hour, "26h 05m": 26*time.Hour + 5*time.Minute,
	} {
		end := start.Add(d)
		if got := elapsed(ci.Passed, &start, &end, start); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := elapsed(ci.Running, &start, nil, start.Add(-time.Hour)); got != "0s" {
		t.Errorf("their clock ahead of ours: %q", got)
	}
	if got := elapsed(ci.Lost, &start, nil, start.Add(time.Hour)); got != "" {
		t.Errorf("lost at no known time: %q", got)
	}
}

// TestTerminal_Fit cuts rows whose characters some terminals join, and others show side by side.
func TestTerminal_Fit(t *testing.T) {
	t.Parallel()
	terminal := OpenTerminal(termtest.New(t, 40, 5).Theirs)
	for row, want := range map[string]string{
		"acme/api#1  passed":                                "acme/api#1  passed",
		"acme/api#1  " + strings.Repeat("x", 40):            "acme/api#1  " + strings.Repeat("x", 27) + "…",
		strings.Repeat("\u1100", 27) + "acme/api#32 passed": strings.Repeat("\u1100", 19) + "…",
		strings.Repeat("\u3248", 27) + "acme/api#32 passed": strings.Repeat("\u3248", 19) + "…",
	} {
		if got := terminal.Fit(row); got != want {
			t.Errorf("%q becomes %q, want %q", row, got, want)
		}
	}
}
