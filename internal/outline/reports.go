package outline

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// Tests reads a file of test results: JUnit XML, TAP, or the output of go test
// -json, decided by the content. The path is for the error only. At most
// ci.MaxNotes tests are returned; with an error come those that were read.
func Tests(path string, content io.Reader) ([]ci.Test, error) {
	in := bufio.NewReaderSize(content, 64<<10)
	head, err := in.Peek(64 << 10)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	var tests []ci.Test
	switch {
	case bytes.HasPrefix(head, []byte("<")):
		tests, err = JUnit(in)
	case bytes.HasPrefix(head, []byte("{")):
		tests, err = GoTests(in)
	case looksLikeTAP(head):
		tests, err = TAP(in)
	case len(head) == 0:
		return nil, fmt.Errorf("%s is empty; give a file of JUnit XML, TAP, or the output of go test -json", path)
	default:
		return nil, fmt.Errorf("%s is neither JUnit XML nor TAP nor the output of go test -json", path)
	}
	if err != nil {
		return tests, fmt.Errorf("%s: %w", path, err)
	}
	return tests, nil
}

// looksLikeTAP tells whether a line of the beginning is one that TAP begins
// with.
func looksLikeTAP(head []byte) bool {
	for line := range bytes.Lines(head) {
		line := strings.TrimRight(string(line), "\r\n ")
		if strings.HasPrefix(line, "TAP version ") {
			return true
		}
		if last, ok := strings.CutPrefix(line, "1.."); ok {
			_, rest, ok := cutNumber(last)
			return ok && (rest == "" || rest[0] == ' ')
		}
		if _, ok := cutPoint(line, 0, 0); ok {
			return true
		}
		if line != "" && line[0] != '#' {
			return false
		}
	}
	return false
}

// TAP reads a report in the Test Anything Protocol, version 13 or 14, of which
// the version and the plan may be missing.
func TAP(r io.Reader) ([]ci.Test, error) {
	var tests []ci.Test
	p := reportParser(&tests)
	p.tap = tapReader{sure: true, loose: true, yaml: -1}
	err := p.lineByLine(r, func(text string) { p.tap.read(p, text) })
	p.tap.close(p)
	switch {
	case err != nil:
		return tests, fmt.Errorf("read the TAP report: %w", err)
	case len(tests) == 0 && p.tap.points == 0 && !p.tap.empty:
		return nil, errors.New("read the TAP report: it has no line that begins with ok or not ok")
	}
	return tests, nil
}

// GoTests reads the output of go test -json. A package of whose tests none says
// why it failed is a failed test of its own name.
func GoTests(r io.Reader) ([]ci.Test, error) {
	var tests []ci.Test
	p := reportParser(&tests)
	known := false
	err := p.lineByLine(r, func(text string) { known = p.gojson.read(p, text) || known })
	switch {
	case err != nil:
		return tests, fmt.Errorf("read the output of go test -json: %w", err)
	case !known:
		return nil, errors.New("read the output of go test -json: it has no event of a test")
	}
	return tests, nil
}

// reportParser returns a parser that keeps the tests alone.
func reportParser(tests *[]ci.Test) *Parser {
	size := 0
	return New(Options{}, func(u ci.NoteUpdate) {
		t := u.Note.Test
		if t == nil || len(*tests) == ci.MaxNotes || size > maxNames {
			return
		}
		if size += len(t.Suite) + len(t.Name) + len(t.Message); size > maxTexts {
			size -= len(t.Message)
			t.Message = ""
		}
		*tests = append(*tests, *t)
	})
}

// lineByLine reads a report as a log is read, with its escape sequences gone.
func (p *Parser) lineByLine(r io.Reader, read func(text string)) error {
	in := bufio.NewReaderSize(io.LimitReader(r, maxReport), maxLine)
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		long := false
		for err == bufio.ErrBufferFull {
			long = true
			_, err = in.ReadSlice('\n')
		}
		if len(line) > 0 && !long {
			p.lines++
			if first {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			p.plain = appendPlain(p.plain[:0], bytes.TrimRight(line, "\r\n"))
			read(string(p.plain))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
