package cienv

import (
	"regexp"
	"strings"
)

// inCodefresh looks at the form as well: names that begin with CF_ are also
// those of Cloud Foundry and Cloudflare.
func inCodefresh(v vars) bool { return objectID.MatchString(v.get("CF_BUILD_ID")) }

// codefresh reads the environment of Codefresh:
// https://codefresh.io/docs/docs/pipelines/variables/
//
// CF_BRANCH is the branch of a pull request itself, and CF_REVISION its head.
// Pipelines without a git trigger name no repository, but always themselves.
// That a push was one of a tag is told of GitHub's releases alone.
func codefresh(v vars) Build {
	b := Build{
		System:  "codefresh",
		Project: v.get("CF_PIPELINE_NAME"),
		Branch:  v.first("CF_PULL_REQUEST_HEAD_BRANCH", "CF_RELEASE_TAG", "CF_BRANCH"),
		Commit:  v.first("CF_PULL_REQUEST_HEAD_COMMIT_SHA", "CF_REVISION"),
		Title:   v.get("CF_PULL_REQUEST_TITLE"),
		Author:  v.first("CF_COMMIT_AUTHOR", "CF_BUILD_INITIATOR"),
		URL:     v.get("CF_BUILD_URL"),
		Trigger: v.get("CF_BUILD_TRIGGER"),
		Run:     run("codefresh", server(v.get("CF_URL")), strings.ToLower(v.get("CF_BUILD_ID"))),
		Step:    stepKey("", v.get("CF_STEP_NAME")),
	}
	if owner, name := v.get("CF_REPO_OWNER"), v.get("CF_REPO_NAME"); owner != "" && name != "" {
		b.Project = owner + "/" + name
	}
	if b.Title == "" {
		b.Title = unquoted.Replace(v.get("CF_COMMIT_MESSAGE"))
	}
	switch b.Trigger {
	case "build":
		b.Trigger = "manual"
	case "cron":
		b.Trigger = "schedule"
	case "webhook":
		switch {
		case v.first("CF_PULL_REQUEST_NUMBER", "CF_PULL_REQUEST_ID") != "":
			b.Trigger = "pull_request"
		case v.get("CF_RELEASE_TAG") != "":
			b.Trigger = "tag"
		default:
			b.Trigger = "push"
		}
	}
	return b
}

// objectID is what an id of Codefresh looks like.
var objectID = regexp.MustCompile(`^[0-9A-Fa-f]{24}$`)

// unquoted takes back what Codefresh does to quotes in a commit's message.
var unquoted = strings.NewReplacer(`\'`, `'`, `\"`, `"`)
