package cienv

import (
	"cmp"
	"strconv"
	"strings"
)

func inGitLab(v vars) bool { return v.is("GITLAB_CI", "true") }

// gitlab reads the environment of GitLab CI:
// https://docs.gitlab.com/ci/variables/predefined_variables/
//
// A pipeline that another one started is a run of its own, with an id of its
// own.
func gitlab(v vars) Build {
	author, _, _ := strings.Cut(v.get("CI_COMMIT_AUTHOR"), " <") // Name <email>
	b := Build{
		System:  "gitlab",
		Project: v.get("CI_PROJECT_PATH"),
		Branch:  v.first("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"),
		// In a merge request's own pipeline the first is empty, and CI_COMMIT_SHA
		// is the head of the change.
		Commit:  v.first("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"),
		Title:   v.first("CI_MERGE_REQUEST_TITLE", "CI_COMMIT_TITLE"),
		Author:  cmp.Or(author, v.first("GITLAB_USER_NAME", "GITLAB_USER_LOGIN")),
		URL:     v.get("CI_PIPELINE_URL"),
		Trigger: v.get("CI_PIPELINE_SOURCE"),
		Run:     GitLabRun(v.get("CI_SERVER_URL"), v.get("CI_PIPELINE_ID")),
	}
	switch b.Trigger {
	case "push":
		if v.get("CI_COMMIT_TAG") != "" {
			b.Trigger = "tag"
		}
	case "merge_request_event", "external_pull_request_event":
		b.Trigger = "pull_request"
	case "web", "webide":
		b.Trigger = "manual"
	case "trigger":
		b.Trigger = "api"
	}

	job, index := v.get("CI_JOB_NAME"), ""
	if i, n := number(v.get("CI_NODE_INDEX")), number(v.get("CI_NODE_TOTAL")); i != "" {
		// The third copy of five of rspec is called "rspec 3/5". Those of a
		// matrix have its values in their names.
		if name, ok := strings.CutSuffix(job, " "+i+"/"+n); ok {
			job, index = name, i
		}
	}
	if count, err := strconv.Atoi(v.get("CI_JOB_RETRY_COUNT")); err == nil {
		if count > 0 {
			b.Retry = strconv.Itoa(count + 1)
		}
		b.Step = stepKey(b.Retry, job, index)
		return b
	}
	// Before GitLab 19.3 a job cannot know that it is a second try: every try
	// has the job's id in its key.
	b.Step = stepKey(number(v.get("CI_JOB_ID")), job, index)
	return b
}

// GitLabRun is the Run of a pipeline of a GitLab, or "" when a part of it is
// missing: of the instance's address and the pipeline's id, which no other
// pipeline of the instance has. The id says the same in a job's environment and
// in its ID token.
func GitLabRun(at, pipeline string) string { return run("gitlab", server(at), number(pipeline)) }
