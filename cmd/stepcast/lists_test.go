package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// What a server says in JSON cannot steer a terminal, and is the same to a program.
func TestPrintList_JSON(t *testing.T) {
	t.Parallel()
	list := []any{map[string]string{"name": "a\u009b1m\u0085\x7f\u202e<é>\x1b"}, json.RawMessage("{ \"b\u202e\":\"\x7f\" }")}
	var out strings.Builder
	if err := printList(&out, listFlags{JSON: true}, list, "", nil); err != nil {
		t.Fatal(err)
	}
	if want := `{"name":"a\u009b1m\u0085\u007f\u202e<é>\u001b"}` + "\n" + `{"b\u202e":"\u007f"}` + "\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestAbout(t *testing.T) {
	t.Parallel()
	for d, want := range map[string]string{
		"10ms":      "1 s",
		"70s":       "70 s",
		"89.99s":    "90 s",
		"90s":       "90 s",
		"2m":        "2 min",
		"2m30s":     "150 s",
		"9m59s":     "10 min",
		"11m29s":    "11 min",
		"110m":      "110 min",
		"2h":        "2 hours",
		"36h":       "36 hours",
		"47h59m":    "2 days",
		"100h":      "4 days",
		"2159h59m":  "90 days",
		"2160h":     "90 days",
		"8760h":     "365 days",
		"17520h":    "2 years",
		"17519h59m": "2 years",
	} {
		long, err := time.ParseDuration(d)
		if err != nil {
			t.Fatal(err)
		}
		if got := about(long, 20); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
	now := time.Now()
	for d, want := range map[time.Duration]string{
		59 * time.Second: "just now", 70 * time.Second: "70 s ago", 147 * time.Second: "2 min ago", 387 * time.Second: "6 min ago", 36 * time.Hour: "2 days ago", 60 * time.Hour: "3 days ago",
	} {
		at := now.Add(-d)
		if got := ago(&at, now); got != want {
			t.Errorf("%s ago: %s, want %s", d, got, want)
		}
	}
}
