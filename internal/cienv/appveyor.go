package cienv

import (
	"cmp"
	"net/url"
)

func inAppVeyor(v vars) bool { return v.is("APPVEYOR", "true") } // "True" on Windows

// appveyor reads the environment of AppVeyor:
// https://www.appveyor.com/docs/environment-variables/
//
// Of a pull request APPVEYOR_REPO_BRANCH is the branch that it is to be merged
// into. "Re-run incomplete" runs failed jobs once more in the same build, and
// how often it did is not said: each such job is a build of its own.
func appveyor(v vars) Build {
	b := Build{
		System:  "appveyor",
		Project: v.get("APPVEYOR_REPO_NAME"),
		Branch:  v.first("APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "APPVEYOR_REPO_TAG_NAME"),
		Commit:  v.first("APPVEYOR_PULL_REQUEST_HEAD_COMMIT", "APPVEYOR_REPO_COMMIT"),
		Title:   v.first("APPVEYOR_PULL_REQUEST_TITLE", "APPVEYOR_REPO_COMMIT_MESSAGE"),
		Author:  v.get("APPVEYOR_REPO_COMMIT_AUTHOR"),
	}
	pull := v.get("APPVEYOR_PULL_REQUEST_NUMBER") != ""
	if b.Branch == "" && !pull {
		b.Branch = v.get("APPVEYOR_REPO_BRANCH")
	}
	switch {
	case v.is("APPVEYOR_SCHEDULED_BUILD", "true"):
		b.Trigger = "schedule"
	case v.is("APPVEYOR_FORCED_BUILD", "true"): // a button, or the API behind it
		b.Trigger = "manual"
	case pull:
		b.Trigger = "pull_request"
	case v.is("APPVEYOR_REPO_TAG", "true"):
		b.Trigger = "tag"
	default:
		b.Trigger = "push"
	}

	at, id := server(v.get("APPVEYOR_URL")), number(v.get("APPVEYOR_BUILD_ID"))
	account, slug := v.get("APPVEYOR_ACCOUNT_NAME"), v.get("APPVEYOR_PROJECT_SLUG")
	if at != "" && account != "" && slug != "" && id != "" {
		b.URL = at + "/project/" + url.PathEscape(account) + "/" + url.PathEscape(slug) + "/builds/" + id
	}
	if !v.is("APPVEYOR_RE_RUN_INCOMPLETE", "true") {
		b.Run = run("appveyor", at, id)
	}
	// A job of a matrix is named after its values, "Environment: GO=1.26",
	// others as appveyor.yml does, where names need not be unique.
	b.Step = stepKey("", cmp.Or(v.get("APPVEYOR_JOB_NAME"), "job"), number(v.get("APPVEYOR_JOB_NUMBER")))
	return b
}
