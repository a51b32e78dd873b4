package cienv

import (
	"cmp"
	"net/url"
	"strings"
)

func inTravis(v vars) bool { return v.is("TRAVIS", "true") }

// travis reads the environment of Travis CI:
// https://docs.travis-ci.com/user/environment-variables/
//
// A restart keeps the ids of build and job, and TRAVIS_JOB_RESTARTED does not
// say how often it was, nor whether the job was restarted alone: each
// restarted job is a build of its own.
func travis(v vars) Build {
	b := Build{
		System:  "travis",
		Project: v.get("TRAVIS_REPO_SLUG"),
		Branch:  v.first("TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_TAG", "TRAVIS_BRANCH"),
		Commit:  v.first("TRAVIS_PULL_REQUEST_SHA", "TRAVIS_COMMIT"),
		Title:   v.get("TRAVIS_COMMIT_MESSAGE"),
		URL:     v.get("TRAVIS_BUILD_WEB_URL"),
		Trigger: v.get("TRAVIS_EVENT_TYPE"),
	}
	switch {
	case b.Trigger == "push" && v.get("TRAVIS_TAG") != "":
		b.Trigger = "tag"
	case b.Trigger == "pull_request":
		b.Title = "" // that of the merge commit
	case b.Trigger == "cron":
		b.Trigger = "schedule"
	}
	if u, err := url.Parse(b.URL); err == nil && !v.is("TRAVIS_JOB_RESTARTED", "true") {
		b.Run = run("travis", strings.ToLower(u.Host), number(v.get("TRAVIS_BUILD_ID")))
	}
	_, n, _ := strings.Cut(v.get("TRAVIS_JOB_NUMBER"), ".") // "4.1"; names need not be unique
	b.Step = stepKey("", cmp.Or(v.get("TRAVIS_JOB_NAME"), "job"), number(n))
	return b
}
