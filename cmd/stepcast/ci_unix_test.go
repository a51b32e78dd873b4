//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// gitlab is the environment of a job of a GitLab pipeline.
func gitlab(job string, env ...string) []string {
	return append([]string{
		"GITLAB_CI=true", "CI=true", "CI_SERVER_URL=https://gitlab.example.com", "CI_PROJECT_PATH=acme/api", "CI_PIPELINE_ID=4711",
		"CI_JOB_NAME=" + job, "CI_JOB_ID=1" + job, "CI_JOB_RETRY_COUNT=0", "CI_COMMIT_BRANCH=main", "CI_COMMIT_REF_NAME=main", "CI_COMMIT_SHA=0123456789abcdef0123456789abcdef01234567",
		"CI_PIPELINE_URL=https://gitlab.example.com/acme/api/-/pipelines/4711", "CI_PIPELINE_SOURCE=push", "CI_JOB_TOKEN=glcbt-64_abcdefghijklmnop", "CI_COMMIT_TITLE=Say hello",
	}, env...)
}

// Two jobs of one run on two machines, which know nothing of each other, and a
// last one that ends their build. A job that is tried again after that, and the
// next, begin another one.
func TestRun_JobsOfOneCIRun(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	job := func(name string, args ...string) (stderr string, code int) {
		t.Helper()
		_, stderr, code = output(t, stepcast(t, append(gitlab(name), s.env...), args...))
		return stderr, code
	}
	if stderr, code := job("lint", "run", "--", "echo", "clean"); code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if stderr, code := job("test", "run", "--needs", "lint", "--", "sh", "-c", "echo the token is $CI_JOB_TOKEN; exit 4"); code != 4 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if b := s.build("acme/api"); b.Status != "running" || b.Title != "Say hello" || len(b.Steps) != 2 {
		t.Errorf("the build is %+v", b)
	}
	if stderr, code := job("end", "step", "set", "deploy", "--status", "skipped"); code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if stderr, code := job("end", "build", "finish", "--status", "auto"); code != 0 || !strings.HasPrefix(stderr, "stepcast: failed "+s.url) {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	b := s.build("acme/api")
	if b.Status != "failed" || b.Steps[0].Key != "lint" || b.Steps[1].Key != "test" || *b.Steps[1].ExitCode != 4 || b.Steps[2].Status != "skipped" {
		t.Errorf("the build is %+v", b)
	}
	if log := s.get("/api/v1/builds/" + b.ID + "/steps/test/log"); string(log) != "the token is ***\n" {
		t.Errorf("the log is %q", log)
	}

	for _, name := range []string{"test", "deploy"} {
		if stderr, code := job(name, "run", "--", "echo", "again"); code != 0 || !strings.Contains(stderr, "the build has ended; this is reported into another one") {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
	}
	var list struct{ Builds []shownBuild }
	if err := json.Unmarshal(s.get("/api/v1/builds?project=acme/api"), &list); err != nil || len(list.Builds) != 2 {
		t.Fatalf("%d builds, %v", len(list.Builds), err)
	}
	if again := list.Builds[0]; again.Status != "running" || len(again.Steps) != 2 {
		t.Errorf("the second build is %+v", again)
	}
	if stderr, code := job("end", "build", "finish"); code != 0 || !strings.Contains(stderr, list.Builds[0].ID) {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// The jobs of one run that report to several projects have a build in each, and
// whoever says more of one that is not the system's names it.
func TestRun_ProjectsOfOneCIRun(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	job := func(env []string, args ...string) {
		t.Helper()
		if _, stderr, code := output(t, stepcast(t, append(gitlab("any", env...), s.env...), args...)); code != 0 {
			t.Errorf("%v: exit code %d, stderr %q", args, code, stderr)
		}
	}
	job(nil, "run", "--step", "test", "--", "true")
	job(nil, "run", "--project", "acme/docs", "--step", "pages", "--", "true")
	job([]string{"STEPCAST_PROJECT=acme/docs"}, "run", "--step", "links", "--", "true")
	job(nil, "step", "set", "deploy", "--project", "acme/docs", "--status", "skipped")
	job([]string{"STEPCAST_PROJECT=acme/docs"}, "build", "finish")
	if docs, api := s.build("acme/docs"), s.build("acme/api"); docs.Status != "passed" || len(docs.Steps) != 3 || api.Status != "running" || len(api.Steps) != 1 {
		t.Errorf("the builds are %+v and %+v", docs, api)
	}
	job(nil, "build", "finish")
	if api := s.build("acme/api"); api.Status != "passed" {
		t.Errorf("the build is %+v", api)
	}
}

// What is secret is not in the spool, not on the wire and not in the log, and
// is on the terminal as the command printed it.
func TestRun_Masks(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	env := append([]string{"PASSWORD=swordfish & chips"}, s.env...)
	stdout, stderr, code := output(t, stepcast(t, env, "run", "--project", "acme/mask", "--mask-env", "PASSWORD,NOTHING", "--name", "secrets", "--",
		"sh", "-c", `printf %s "$PASSWORD" | base64; echo "it is $PASSWORD"; printf 'in two swordfish '; sleep 0.3; echo '& chips'; echo '::add-mask::opensesame'; echo opensesame`))
	if code != 0 || stderr != "stepcast: --mask-env: NOTHING is not set, there is nothing to hide\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if want := "c3dvcmRmaXNoICYgY2hpcHM=\nit is swordfish & chips\nin two swordfish & chips\n::add-mask::opensesame\nopensesame\n"; stdout != want {
		t.Errorf("the terminal has %q, want %q", stdout, want)
	}
	b := s.build("acme/mask")
	log := string(s.get("/api/v1/builds/" + b.ID + "/steps/sh/log"))
	if b.Steps[0].Name != "secrets" {
		t.Errorf("the step is called %q", b.Steps[0].Name)
	}
	if want := "***\nit is ***\nin two ***\n::add-mask::***\n***\n"; log != want {
		t.Errorf("the log is %q, want %q", log, want)
	}
}

// What is hidden in the log is hidden in what is said beside it; and our own
// token is, wherever it came from.
func TestRun_MasksNamesAndResults(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	write(t, dir, map[string]string{"results.sh": `echo '<testsuite name="s"><testcase name="login with '"$PASSWORD"'"><failure message="bad '"$PASSWORD"'"/></testcase></testsuite>' > out.xml; cat "$1"`})
	cmd := stepcast(t, append([]string{"PASSWORD=swordfish"}, s.env...), "run", "--project", "acme/names", "--title", "with swordfish", "--mask-env", "PASSWORD", "--tests", "out.xml", "--",
		"sh", "results.sh", s.dir+"/token", "swordfish")
	cmd.Dir = dir
	if _, stderr, code := output(t, cmd); code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	b := s.build("acme/names")
	notes := s.notes(b.ID, "kind=test")
	log := string(s.get("/api/v1/builds/" + b.ID + "/steps/sh/log"))
	if b.Title != "with ***" || !strings.HasSuffix(b.Steps[0].Name, "/token ***") || notes != "failed s.login with ***\n" || log != "***\n" {
		t.Errorf("title %q, name %q, notes %q, log %q", b.Title, b.Steps[0].Name, notes, log)
	}
	// Nor is it in the spool of a run whose server is away.
	s.kill()
	spool := filepath.Join(t.TempDir(), "spool")
	cmd = stepcast(t, append([]string{"PASSWORD=swordfish", "STEPCAST_SPOOL_DIR=" + spool, "STEPCAST_URL=" + s.url}, s.env...), "run", "--project", "acme/away", "--mask-env", "PASSWORD", "--drain-timeout", "0s", "--tests", "out.xml", "--",
		"sh", "results.sh", s.dir+"/token", "swordfish")
	cmd.Dir = dir
	output(t, cmd)
	kept, err := filepath.Glob(filepath.Join(spool, "*", "*"))
	if err != nil || len(kept) < 3 {
		t.Fatalf("the spool has %v, %v", kept, err)
	}
	for _, path := range kept {
		if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), "swordfish") || strings.Contains(string(text), "stp_") {
			t.Errorf("%s: %v, %q", path, err, text)
		}
	}
	s.start()
	if events := string(s.get("/api/v1/builds/" + b.ID + "/events")); strings.Contains(events, "swordfish") || strings.Contains(events, "stp_") {
		t.Errorf("events %s", events)
	}
}

// The failed step of this machine waits for the server while the build is
// finished: it is delivered first, and the build has failed.
func TestBuildFinish_DeliversThisMachinesStepsFirst(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	env := append(s.env, "STEPCAST_SPOOL_DIR="+t.TempDir()+"/spool", "STEPCAST_URL="+s.url)
	stdout, _, _ := output(t, stepcast(t, env, "build", "start", "--project", "acme/finish", "--steps", "lint,test"))
	env = append(env, "STEPCAST_BUILD="+strings.TrimSpace(stdout))
	output(t, stepcast(t, env, "run", "--step", "lint", "--", "true"))
	s.kill()
	output(t, stepcast(t, env, "run", "--step", "test", "--drain-timeout", "0s", "--", "sh", "-c", "echo broken; exit 2"))
	s.start()
	if _, stderr, code := output(t, stepcast(t, env, "build", "finish")); code != 0 || !strings.HasPrefix(stderr, "stepcast: failed ") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if b := s.build("acme/finish"); b.Status != "failed" || b.Steps[1].Status != "failed" || !b.Steps[1].LogComplete {
		t.Errorf("the build is %+v", b)
	}
	if _, stderr, code := output(t, stepcast(t, env, "build", "finish", "nope")); code != 2 || !strings.HasPrefix(stderr, `stepcast: The build id "nope" is not a UUID`) {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}
