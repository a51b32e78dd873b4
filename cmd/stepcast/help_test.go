package main

import (
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// helpOf is what a command, and each one below it, says to --help.
func helpOf(t *testing.T, n *kong.Node, path ...string) map[string]string {
	t.Helper()
	stdout, stderr, code := output(t, stepcast(t, []string{"COLUMNS=100"}, append(path, "--help")...))
	if code != 0 || stderr != "" {
		t.Fatalf("%q: exit code %d, %q", path, code, stderr)
	}
	texts := map[string]string{strings.Join(path, " "): stdout}
	for _, child := range n.Children {
		for name, text := range helpOf(t, child, append(path[:len(path):len(path)], child.Name)...) {
			texts[name] = text
		}
	}
	return texts
}

// What the help shows as an example is a right command line, and what it says
// of each flag is a sentence.
func TestHelp_IsRight(t *testing.T) {
	t.Parallel()
	quiet := stdio{Out: io.Discard, Err: io.Discard}
	examples := 0
	for name, text := range helpOf(t, newParser(&cli{}, quiet).Model.Node) {
		if !strings.Contains(text, "  -h, --help") || strings.Contains(text, "--version") != (name == "") {
			t.Errorf("%q: of the flags that every command has, --help alone is there: %s", name, text)
		}
		for line := range strings.Lines(text) {
			if len(line) > 101 && !strings.HasPrefix(line, "    ") {
				t.Errorf("%q: a long line: %s", name, line)
			}
			example, found := strings.CutPrefix(line, "    ")
			if _, in, substituted := strings.Cut(example, "$("); substituted {
				example, _, _ = strings.Cut(in, ")")
			}
			example, _, _ = strings.Cut(strings.TrimSpace(example), " | ")
			if !found || !strings.HasPrefix(example, "stepcast ") {
				continue
			}
			examples++
			if _, err := newParser(&cli{}, quiet).Parse(strings.Fields(strings.ReplaceAll(example, "'", ""))[1:]); err != nil {
				t.Errorf("%q: the example %q: %v", name, example, err)
			}
		}
	}
	if examples < 15 {
		t.Errorf("%d examples were found", examples)
	}
	for _, n := range newParser(&cli{}, quiet).Model.Leaves(false) {
		for _, v := range n.Values() {
			if !strings.HasSuffix(v.Help, ".") {
				t.Errorf("%s %s: %q is no sentence", n.Path(), v.Name, v.Help)
			}
			if v.HasDefault && v.Flag != nil && !v.Flag.Hidden && !v.IsBool() && !strings.Contains(v.Help, "Default: ") {
				t.Errorf("%s %s: the default is not said: %q", n.Path(), v.Name, v.Help)
			}
		}
	}
}

func TestHelp_HoweverItIsAskedFor(t *testing.T) {
	t.Parallel()
	want, _, _ := output(t, stepcast(t, nil, "--help"))
	for _, args := range [][]string{{"help"}, {"-h"}} {
		if stdout, stderr, code := output(t, stepcast(t, nil, args...)); code != 0 || stdout != want || stderr != "" {
			t.Errorf("%q: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
	if stdout, stderr, code := output(t, stepcast(t, nil)); code != 2 || stdout != "" || stderr != want {
		t.Errorf("no command: exit code %d, %q, %q", code, stdout, stderr)
	}
	want, _, _ = output(t, stepcast(t, nil, "--version"))
	if stdout, stderr, code := output(t, stepcast(t, nil, "version")); code != 0 || stdout != want || stderr != "" {
		t.Errorf("version: exit code %d, %q, %q", code, stdout, stderr)
	}
	want, _, _ = output(t, stepcast(t, nil, "build", "start", "--help"))
	if stdout, _, code := output(t, stepcast(t, nil, "help", "build", "start")); code != 0 || stdout != want {
		t.Errorf("help build start: exit code %d, %q", code, stdout)
	}
	if stdout, stderr, code := output(t, stepcast(t, nil, "tail", "--colour")); code != 2 || stdout != "" || !strings.HasPrefix(stderr, "stepcast: unknown flag --colour") || !strings.HasSuffix(stderr, "; see `stepcast tail --help`\n") {
		t.Errorf("a wrong flag: exit code %d, %q", code, stderr)
	}
	for command, flag := range map[string]string{"tail": "--url", "serve": "--listen"} {
		want := "stepcast: unknown flag --host, did you mean \"" + flag + "\"?; see `stepcast " + command + " --help`\n"
		if _, stderr, code := output(t, stepcast(t, nil, command, "--host", "ci.example.com")); code != 2 || stderr != want {
			t.Errorf("another's name for a flag: exit code %d, %q, want %q", code, stderr, want)
		}
	}
}
