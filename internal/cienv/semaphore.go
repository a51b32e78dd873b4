package cienv

import "strings"

func inSemaphore(v vars) bool { return v.is("SEMAPHORE", "true") }

// semaphore reads the environment of Semaphore:
// https://docs.semaphore.io/reference/env-vars
//
// A build is a pipeline. Those that a workflow is promoted to begin hours
// later or never, so each is a build of its own. Of a pull request
// SEMAPHORE_GIT_BRANCH is the branch that it is to be merged into, of a tag a
// ref. Who debugs a job sits in its environment, and is no part of its run.
func semaphore(v vars) Build {
	b := Build{
		System:  "semaphore",
		Project: v.first("SEMAPHORE_GIT_REPO_SLUG", "SEMAPHORE_PROJECT_NAME"),
		Branch:  v.first("SEMAPHORE_GIT_TAG_NAME", "SEMAPHORE_GIT_PR_BRANCH", "SEMAPHORE_GIT_WORKING_BRANCH"),
		Commit:  v.first("SEMAPHORE_GIT_PR_SHA", "SEMAPHORE_GIT_SHA"),
		Title:   v.get("SEMAPHORE_GIT_PR_NAME"),
		Author:  v.first("SEMAPHORE_GIT_COMMIT_AUTHOR", "SEMAPHORE_WORKFLOW_TRIGGERED_BY"),
	}
	kind := v.get("SEMAPHORE_GIT_REF_TYPE")
	if b.Branch == "" && kind != "pull-request" {
		b.Branch = branchOf(v.get("SEMAPHORE_GIT_BRANCH"))
	}
	switch {
	case v.is("SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE", "true"):
		b.Trigger = "schedule"
	case v.is("SEMAPHORE_WORKFLOW_TRIGGERED_BY_API", "true"):
		b.Trigger = "api"
	case v.is("SEMAPHORE_WORKFLOW_TRIGGERED_BY_MANUAL_RUN", "true"):
		b.Trigger = "manual"
	case kind == "tag":
		b.Trigger = "tag"
	case kind == "pull-request":
		b.Trigger = "pull_request"
	case v.is("SEMAPHORE_WORKFLOW_TRIGGERED_BY_HOOK", "true"):
		b.Trigger = "push"
	}

	pipeline := identifier(v.get("SEMAPHORE_PIPELINE_ID"))
	at, workflow := server(v.get("SEMAPHORE_ORGANIZATION_URL")), identifier(v.get("SEMAPHORE_WORKFLOW_ID"))
	if at != "" && workflow != "" && pipeline != "" {
		b.URL = at + "/workflows/" + workflow + "?pipeline_id=" + pipeline
	}
	if !strings.HasSuffix(v.get("SEMAPHORE_JOB_TYPE"), "debug_job") {
		b.Run = run("semaphore", pipeline)
	}

	// A copy of a parallel job is named "test - 3/5", one of a matrix
	// "test - GO=1.26, OS=linux".
	job, index := v.get("SEMAPHORE_JOB_NAME"), number(v.get("SEMAPHORE_JOB_INDEX")) // 1 is the first
	if index != "" {
		job = strings.TrimSuffix(job, " - "+index+"/"+v.get("SEMAPHORE_JOB_COUNT"))
	}
	b.Step = stepKey("", v.get("SEMAPHORE_BLOCK_NAME"), strings.ReplaceAll(job, " - ", " "), index)
	return b
}
