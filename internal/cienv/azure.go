package cienv

import (
	"cmp"
	"net/url"
	"strings"
)

func inAzure(v vars) bool { return v.is("TF_BUILD", "true") }

// azure reads the environment of Azure Pipelines:
// https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
//
// The organization is named by its id, as its address may be another on each
// agent. A classic release carries the id of the build that it deploys and is
// no run of it.
func azure(v vars) Build {
	repo, team := v.get("BUILD_REPOSITORY_NAME"), v.get("SYSTEM_TEAMPROJECT")
	id, ref := number(v.get("BUILD_BUILDID")), v.get("BUILD_SOURCEBRANCH")
	b := Build{
		System:  "azure",
		Project: repo,
		Branch:  branchOf(cmp.Or(v.get("SYSTEM_PULLREQUEST_SOURCEBRANCH"), ref)),
		Commit:  v.first("SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"),
		Title:   v.get("BUILD_SOURCEVERSIONMESSAGE"),
		Author:  v.get("BUILD_REQUESTEDFOR"),
		Trigger: v.get("BUILD_REASON"),
	}
	if !strings.Contains(repo, "/") { // that of GitHub has its owner with it
		b.Project = team + "/" + repo
	}
	switch b.Trigger {
	case "IndividualCI", "BatchedCI":
		b.Trigger = "push"
		if strings.HasPrefix(ref, "refs/tags/") {
			b.Trigger = "tag"
		}
	case "PullRequest":
		b.Trigger = "pull_request"
		b.Title = "" // that of the merge commit
	}
	if at := v.first("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"); at != "" && team != "" && id != "" {
		b.URL = strings.TrimRight(at, "/") + "/" + url.PathEscape(team) + "/_build/results?buildId=" + id
	}
	if host := v.get("SYSTEM_HOSTTYPE"); host == "" || strings.EqualFold(host, "build") {
		b.Run = run("azure", identifier(v.get("SYSTEM_COLLECTIONID")), id)
	}

	// A job without a strategy is the one job of its phase, __default. The
	// copies of a matrix have names; those of parallel: 5 are numbered.
	phase, job, index := unnamed(v.get("SYSTEM_PHASENAME")), unnamed(v.get("SYSTEM_JOBNAME")), ""
	if job == phase {
		job = ""
	}
	if total := number(v.get("SYSTEM_TOTALJOBSINPHASE")); total != "" && total != "1" && job == "" {
		index = number(v.get("SYSTEM_JOBPOSITIONINPHASE"))
	}
	b.Retry = azureRetry(v)
	b.Step = stepKey(b.Retry, unnamed(v.get("SYSTEM_STAGENAME")), phase, job, index)
	return b
}

// unnamed returns "" for the name of what has none.
func unnamed(s string) string {
	if s == "__default" {
		return ""
	}
	return s
}

// azureRetry tells the tries of a job apart. Stage, phase and job are counted
// each for itself; that they count alike is not promised.
func azureRetry(v vars) string {
	one := func(name string) string { return cmp.Or(number(v.get(name)), "1") }
	stage, phase, job := one("SYSTEM_STAGEATTEMPT"), one("SYSTEM_PHASEATTEMPT"), one("SYSTEM_JOBATTEMPT")
	switch {
	case stage == "1" && phase == "1" && job == "1":
		return ""
	case stage == phase && phase == job:
		return job
	}
	return stage + "." + phase + "." + job
}
