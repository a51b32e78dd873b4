//go:build unix

package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestList lists builds, to people and to scripts, and names them as it does.
func TestList(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	do := s.do
	if stdout, stderr := do(0, "list"); stdout != "" || stderr != "stepcast: there is no build yet\n" {
		t.Errorf("without builds: %q, %q", stdout, stderr)
	}
	stranger := stepcast(t, nil, "list", "--url", s.url)
	if stdout, stderr, code := output(t, stranger); code != 0 || stdout != "" || stderr != "stepcast: there is no such build that may be seen without a token; no token was found: give one with --token or STEPCAST_TOKEN\n" {
		t.Errorf("without a token: exit code %d, %q, %q", code, stdout, stderr)
	}
	do(0, "run", "--project", "acme/api", "--branch", "main", "--author", "Ada", "--title", "First", "--", "echo", "one")
	do(3, "run", "--project", "acme/api", "--branch", "next", "--author", "Ben", "--title", "Second\x1b[2J\u202e\u2066\u200b", "--", "sh", "-c", "echo two; exit 3")
	// Nothing in a row turns the direction of what follows, or hides in it.
	do(0, "run", "--project", "beta", "--branch", "\u202emain", "--author", "Ada", "--title", "Third", "--", "echo", "three")

	lines := []string{
		`BUILD +STATUS +CREATED +TOOK +BRANCH +TITLE`,
		`beta#1 +passed +just now +\d\.\ds +main +Third`,
		`acme/api#2 +failed +just now +\d\.\ds +next +Second *\[2J`,
		`acme/api#1 +passed +just now +\d\.\ds +main +First`,
	}
	for args, want := range map[string][]int{
		"":                                  {0, 1, 2, 3},
		"--project acme/*":                  {0, 2, 3},
		"--project acme/api --project beta": {0, 1, 2, 3},
		"--branch main":                     {0, 3},
		"--status failed,lost":              {0, 2},
		"--author Ada --limit 1":            {0, 1},
	} {
		stdout, stderr := do(0, append([]string{"list"}, strings.Fields(args)...)...)
		var pattern strings.Builder
		for _, i := range want {
			pattern.WriteString(lines[i] + "\n")
		}
		if stderr != "" || !regexp.MustCompile("^"+pattern.String()+"$").MatchString(stdout) {
			t.Errorf("%s: %q\n%s\nis not\n%s", args, stderr, stdout, pattern.String())
		}
	}
	if stdout, stderr := do(0, "list", "--branch", "none"); stdout != "" || stderr != "stepcast: no build is like that\n" {
		t.Errorf("of no branch: %q, %q", stdout, stderr)
	}
	do(1, "list", "--status", "broken")
	do(2, "list", "--limit", "-1")

	stdout, _ := do(0, "list", "--json", "--project", "acme/api", "-n", "1")
	var listed shownBuild
	if err := json.Unmarshal([]byte(stdout), &listed); err != nil || listed.Status != "failed" || len(listed.Steps) != 1 || listed.Steps[0].Key != "sh" || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("to scripts: %v, %s", err, stdout)
	}
	for name, want := range map[string]string{"acme/api#2": "two\n", "acme/api #1": "one\n", listed.ID: "two\n"} {
		if stdout, _, _ := output(t, stepcast(t, s.env, "tail", name)); stdout != want {
			t.Errorf("%s is %q, want %q", name, stdout, want)
		}
	}
	for _, name := range []string{"1", "#1"} {
		if stdout, _ := do(0, "tail", "--project", "beta", name); stdout != "three\n" {
			t.Errorf("%s of beta is %q", name, stdout)
		}
	}
	do(0, "link", "create", "beta#1")
	if stdout, _ := do(0, "link", "list", "beta#1"); strings.Count(stdout, "\n") != 2 {
		t.Errorf("the links are %q", stdout)
	}
	for name, want := range map[string]string{
		"acme/api#3":  "has no build acme/api#3, or it is not for you to see",
		"acme//api#1": "a build is named by its id",
		"newest":      "a build is named by its id",
		"#0":          "a build is named by its id",
	} {
		if stdout, stderr := do(2, "tail", name); stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: %q, %q", name, stdout, stderr)
		}
	}
}
