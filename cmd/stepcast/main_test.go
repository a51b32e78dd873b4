package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stepcast/stepcast/internal/sweep"
)

// TestMain lets the test binary be stepcast itself, so that tests run it as a
// process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("STEPCAST_TEST_MAIN") != "" {
		os.Unsetenv("STEPCAST_TEST_MAIN")
		main()
	}
	// Built with the race detector, each process would sleep for a second at its end.
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	os.Exit(m.Run())
}

// transcript is what a process has printed, and can be read while it goes on.
type transcript struct {
	mu      sync.Mutex
	printed bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.printed.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.printed.String()
}

// ciSystems are the variables by which CI systems are known.
var ciSystems = []string{"GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "TF_BUILD", "DRONE", "CI_SYSTEM_NAME", "TRAVIS", "SEMAPHORE", "APPVEYOR", "CF_BUILD_ID", "TEAMCITY_VERSION", "BITRISE_IO", "BITBUCKET_BUILD_NUMBER", "JENKINS_URL", "CI"}

// nowhere is a data directory without a server, and nobody can make one there.
const nowhere = "/dev/null/stepcast"

// stepcast is a command line of stepcast, with no server to be found unless
// env names one.
func stepcast(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "STEPCAST_TEST_MAIN=1", "STEPCAST_URL=", "STEPCAST_TOKEN=", "STEPCAST_BUILD=", "STEPCAST_PROJECT=", "STEPCAST_DATA_DIR="+nowhere, "STEPCAST_SPOOL_DIR="+filepath.Join(t.TempDir(), "spool"))
	for _, marker := range ciSystems { // the one that runs the tests is none of theirs
		cmd.Env = append(cmd.Env, marker+"=")
	}
	cmd.Env = append(cmd.Env, env...)
	t.Cleanup(func() {
		for _, entry := range cmd.Env {
			if dir, ok := strings.CutPrefix(entry, "STEPCAST_SPOOL_DIR="); ok {
				sweep.KeepFiles(t, sweep.Disk, dir, "tokens") // where jobs keep those that they got
			}
		}
	})
	return cmd
}

// unhurried is what stepcast run says when a machine that has other things to do
// keeps the rest of a log waiting.
var unhurried = regexp.MustCompile(`(?m)^stepcast: waiting up to .*\n`)

// output runs a command to its end; of stderr it leaves out what the machine was
// too slow for.
func output(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	sweep.Keep(t, sweep.Log, errs.String())
	return out.String(), unhurried.ReplaceAllString(errs.String(), ""), cmd.ProcessState.ExitCode()
}
