package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/termtest"
)

// script is the completion script for a shell, in a file.
func script(t *testing.T, shell string) string {
	t.Helper()
	stdout, stderr, code := output(t, stepcast(t, nil, "completion", shell))
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, %q", code, stderr)
	}
	path := filepath.Join(t.TempDir(), "completion")
	writeText(t, path, stdout)
	return path
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Each shell gets what a person types, with Tab, at a terminal; stepcast is a
// function there that shows what it was given.
func TestCompletion_InTheShellItself(t *testing.T) {
	t.Parallel()
	for shell, start := range map[string]struct{ args, init []string }{
		"bash": {[]string{"--norc", "--noprofile", "-i"}, []string{"bind 'set bell-style none'; unset PROMPT_COMMAND", `stepcast() { printf '<%s>\n' "$*"; }`, "source SCRIPT"}},
		"zsh":  {[]string{"-f", "-i"}, []string{"autoload -U compinit && compinit -u -D", `stepcast() { printf '<%s>\n' "$*"; }`, "source SCRIPT"}},
		"fish": {[]string{"--no-config", "-i"}, []string{"set fish_autosuggestion_enabled 0", `function stepcast; printf '<%s>\n' "$argv"; end`, "source SCRIPT"}},
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(err)
			}
			file := script(t, shell)
			if out, err := exec.CommandContext(t.Context(), path, "-n", file).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			term := termtest.New(t, 200, 50)
			cmd := exec.CommandContext(t.Context(), path, start.args...)
			dir := t.TempDir()
			cmd.Dir = dir
			cmd.Env = append(cmd.Environ(), "TERM=xterm", "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir, "PS1=$ ", "HISTFILE=")
			term.Start(t, cmd)
			writeText(t, filepath.Join(dir, "folder-1", "in-it"), "")
			writeText(t, filepath.Join(dir, "file-1"), "")
			for i, line := range start.init {
				term.Type(t, strings.ReplaceAll(line, "SCRIPT", file)+"; echo 'step'-"+string(rune('0'+i))+"\n")
				said(t, term, "step-"+string(rune('0'+i)))
			}
			for _, tt := range [][2]string{
				{"ser\t", "serve"},
				{"bui\tfin\t--status pas\t", "build finish --status passed"},
				{"build finish --status=can\t", "build finish --status=canceled"},
				{"tail --url http://127.0.0.1:80 --no-h\tla\t", "tail --url http://127.0.0.1:80 --no-header latest"},
				{"tail --data-dir fo\t", "tail --data-dir folder-1"},
				{"adm\tnew\t", "admin new-epoch"},
				{"completion fi\t", "completion fish"},
				{"run --step tail -- printen\t", "run --step tail -- printenv"},
				{"run -- cat fil\t", "run -- cat file-1"},
			} {
				term.Type(t, "stepcast "+tt[0]+"\n")
				want := "<" + tt[1]
				if !eventually(func() bool { return bytes.Contains(term.Raw(), []byte(want)) }) {
					t.Fatalf("%q is not completed to %q: %q", tt[0], tt[1], term.Raw())
				}
			}
			term.Type(t, "exit\n")
			term.Wait(cmd)
		})
	}
}

func said(t *testing.T, term *termtest.Terminal, text string) {
	t.Helper()
	if !eventually(func() bool { return bytes.Contains(term.Raw(), []byte(text)) }) {
		t.Fatalf("%q is not said: %q", text, term.Raw())
	}
}

// Bash lists all that there is, and nothing hidden.
func TestCompletion_Lists(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	file := script(t, "bash")
	for line, want := range map[string]string{
		"stepcast|":                        "admin audit build completion flush link list project run serve step tail token",
		"stepcast|build|":                  "finish start",
		"stepcast|build|finish|--status|":  "auto canceled failed passed",
		"stepcast|build|finish|--status|=": "auto canceled failed passed",
		"stepcast|completion|":             "bash fish zsh",
		"stepcast|tail|--co":               "--color",
		"stepcast|serve|--li":              "--limit-loopback --listen --listen-database-url",
		"stepcast|tail|--step|":            "",
	} {
		args := strings.Split(line, "|")
		code := `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _stepcast; printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '`
		out, err := exec.CommandContext(t.Context(), "bash", append([]string{"-c", code, "bash", file}, args...)...).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q: got %q, want %q; %v", args, out, want, err)
		}
	}
}
