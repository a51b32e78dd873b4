package cienv

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// Build is what the environment says. Each field is valid for the server, or
// empty where nothing, or nothing valid, is said.
type Build struct {
	System  string // github, forgejo, gitea, gitlab, buildkite, circleci, azure, woodpecker, drone, travis, semaphore, appveyor, codefresh, teamcity, bitrise, bitbucket, jenkins
	Project string
	Branch  string // of a pull request its source branch, of a tag the tag
	Commit  string // of a pull request the head of the change where that is said
	Title   string // of the pull request, else the commit's first line
	Author  string
	URL     string // of the run's page
	Trigger string // push, pull_request, tag, schedule, manual, api, else the system's own word in lower case

	// Run names the run and its attempt, see the package comment: text for
	// [ci.DerivedBuildID], unique over the world as far as the system allows.
	Run string
	// Step is the key of this job. Commands of one job share it, unless the
	// system runs each in a step of its own that it tells of.
	Step ci.StepKey
	// Retry ends the step keys of a job that was retried alone, such as "2";
	// "" in its first try, and where that is not said.
	Retry string
	// Secrets are the values that must not be shown, STEPCAST_TOKEN among
	// them, also when no system was found.
	Secrets []string
}

// StepNamed returns the key of a step of this job that was given a name: of
// the name, and in a retried job with what tells it from the first try. It is
// "" when nothing of the name can be a key.
func (b Build) StepNamed(name string) ci.StepKey { return stepKey(b.Retry, name) }

// Env is an environment.
type Env struct {
	Get      func(name string) string          // "" when it is not set
	Names    func() []string                   // of all variables; nil: patterns of secrets find nothing
	ReadFile func(name string) ([]byte, error) // nil: no file can be read
}

// Process is the environment of this process.
func Process() Env {
	return Env{
		Get: os.Getenv,
		Names: func() []string {
			environ := os.Environ()
			for i, v := range environ {
				environ[i], _, _ = strings.Cut(v, "=")
			}
			return environ
		},
		ReadFile: readFile,
	}
}

// maxFile bounds a file that is read, in bytes: GitHub does not send an event
// of more than 25 MB.
const maxFile = 25 << 20

// readFile reads a regular file of at most maxFile bytes.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name) // opening a pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", name, maxFile)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// systems in the order in which they are asked; see the package comment.
var systems = []struct {
	here func(vars) bool
	read func(vars) Build
}{
	{inGitHub, github},
	{inGitLab, gitlab},
	{inBuildkite, buildkite},
	{inCircleCI, circleci},
	{inAzure, azure},
	{inWoodpecker, woodpecker},
	{inDrone, drone},
	{inTravis, travis},
	{inSemaphore, semaphore},
	{inAppVeyor, appveyor},
	{inCodefresh, codefresh},
	{inTeamCity, teamcity},
	{inBitrise, bitrise},
	{inBitbucket, bitbucket},
	{inJenkins, jenkins},
}

// Detect tells what the environment says; ok is false when it is of no CI
// system that is known.
func Detect(env Env) (b Build, ok bool) {
	v := vars{env}
	for _, system := range systems {
		if system.here(v) {
			b, ok = system.read(v).tidy(), true
			break
		}
	}
	b.Secrets = secrets(v, b.System)
	return b, ok
}

// tidy keeps of each field what is valid.
func (b Build) tidy() Build {
	b.Project = ci.ProjectName(b.Project)
	b.Branch = whole(b.Branch, ci.MaxBranch)
	b.Commit = whole(b.Commit, ci.MaxShort)
	if b.Commit == "HEAD" || strings.ContainsAny(b.Commit, " \t") {
		b.Commit = "" // not the name of one
	}
	b.Title = ci.OneLine(firstLine(b.Title), ci.MaxTitle)
	b.Author = ci.OneLine(firstLine(b.Author), ci.MaxShort)
	b.URL = webAddress(b.URL)
	b.Trigger = ci.OneLine(strings.ToLower(b.Trigger), ci.MaxShort)
	return b
}

// vars reads an environment.
type vars struct{ env Env }

// get returns a variable without space around it.
func (v vars) get(name string) string {
	if v.env.Get == nil {
		return ""
	}
	return strings.TrimSpace(v.env.Get(name))
}

// first returns the first of the variables that says something.
func (v vars) first(names ...string) string {
	for _, name := range names {
		if s := v.get(name); s != "" {
			return s
		}
	}
	return ""
}

// is tells whether a variable has a value, in upper or lower case.
func (v vars) is(name, value string) bool { return strings.EqualFold(v.get(name), value) }

// read returns a file that a variable names, or nil.
func (v vars) read(name string) []byte {
	path := v.get(name)
	if path == "" || v.env.ReadFile == nil {
		return nil
	}
	data, err := v.env.ReadFile(path)
	if err != nil || len(data) > maxFile {
		return nil
	}
	return data
}
