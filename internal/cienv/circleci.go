package cienv

import "strings"

func inCircleCI(v vars) bool { return v.is("CIRCLECI", "true") }

// circleci reads the environment of CircleCI:
// https://circleci.com/docs/reference/variables/
//
// A build is a workflow: it has a page and an id of its own, and is what a
// rerun repeats. The copies of a matrix are jobs with names of their own. Who
// or what started a workflow, the environment does not say, except for tags
// and pull requests.
func circleci(v vars) Build {
	id := identifier(v.get("CIRCLE_WORKFLOW_ID"))
	b := Build{
		System:  "circleci",
		Project: v.get("CIRCLE_PROJECT_USERNAME") + "/" + v.get("CIRCLE_PROJECT_REPONAME"),
		Branch:  v.first("CIRCLE_TAG", "CIRCLE_BRANCH"),
		Commit:  v.get("CIRCLE_SHA1"),
		Author:  v.first("CIRCLE_PR_USERNAME", "CIRCLE_USERNAME"),
		URL:     v.get("CIRCLE_BUILD_URL"), // the job's page
		Run:     run("circleci", id),
	}
	switch {
	case v.get("CIRCLE_TAG") != "":
		b.Trigger = "tag"
	case v.first("CIRCLE_PULL_REQUEST", "CIRCLE_PR_NUMBER") != "":
		b.Trigger = "pull_request"
	}
	if id != "" && (strings.HasPrefix(b.URL, "https://circleci.com/") || strings.HasPrefix(b.URL, "https://app.circleci.com/")) {
		b.URL = "https://app.circleci.com/pipelines/workflows/" + id
	}
	index := ""
	if total := number(v.get("CIRCLE_NODE_TOTAL")); total != "" && total != "1" {
		index = v.get("CIRCLE_NODE_INDEX") // 0 is the first
	}
	b.Step = stepKey("", v.get("CIRCLE_JOB"), index)
	return b
}
