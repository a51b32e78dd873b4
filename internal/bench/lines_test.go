//go:build linux

package main

import (
	"bytes"
	"testing"
)

// The disk row rests on lines that compress no better than those of real
// builds do.
func TestLines_AreRealistic(t *testing.T) {
	t.Parallel()
	const n = 20_000
	w := newLineWriter(1)
	var text []byte
	for range n {
		text = append(w.line(text), '\n')
	}
	if length := len(text) / n; length < 110 || length > 125 {
		t.Errorf("a line has %d bytes on average, want about 120", length)
	}
	if bytes.ContainsAny(text, "\t\\\r") {
		t.Error("a line is no plain column of COPY's text format")
	}
	if factor := shrinks(text); factor > 4.5 {
		t.Errorf("zstd shrinks the lines %.2f times, want at most 4.5", factor)
	}
	if line := w.sized(nil, 128); len(line) != 128 {
		t.Errorf("a line of 128 bytes has %d", len(line))
	}
}
