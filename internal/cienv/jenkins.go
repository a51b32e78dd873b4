package cienv

import (
	"cmp"
	"strings"
)

func inJenkins(v vars) bool {
	return v.get("JOB_NAME") != "" && v.get("BUILD_NUMBER") != "" &&
		(v.get("JENKINS_URL") != "" || strings.HasPrefix(v.get("BUILD_TAG"), "jenkins-"))
}

// jenkins reads the environment of Jenkins, of its core, the git plugin and
// multibranch projects; each server lists them under /env-vars.html:
// https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
//
// The project is made of the job's name, not of the repository, which only
// steps after a checkout know: all steps have to name the same. The run is
// named by BUILD_URL, which the controller sets if an administrator told it
// its own address; without that, build 7 of test may be anybody's. JENKINS_URL
// would not do, as agents in containers are started with one of their own.
func jenkins(v vars) Build {
	job, axes := v.get("JOB_NAME"), ""
	project, page := job, server(v.get("BUILD_URL"))
	if i := strings.LastIndexByte(job, '/'); i > 0 {
		switch {
		case v.get("BRANCH_NAME") != "": // folder/project/branch
			project = job[:i]
		case strings.Contains(job[i:], "="): // a copy of a matrix project, test/os=linux,jdk=21, at …/os=linux,jdk=21/7
			project, axes = job[:i], job[i+1:]
			page = withoutCopy(page)
		}
	}
	branch := strings.TrimPrefix(strings.TrimPrefix(v.first("GIT_LOCAL_BRANCH", "GIT_BRANCH"), "refs/remotes/"), "origin/")
	if branch == "detached" {
		branch = ""
	}
	b := Build{
		System:  "jenkins",
		Project: project,
		Branch:  branchOf(cmp.Or(v.first("CHANGE_BRANCH", "TAG_NAME", "BRANCH_NAME"), branch)),
		Commit:  v.get("GIT_COMMIT"),
		Title:   v.get("CHANGE_TITLE"),
		Author:  v.first("CHANGE_AUTHOR_DISPLAY_NAME", "CHANGE_AUTHOR"),
		URL:     v.get("BUILD_URL"),
		Run:     run("jenkins", page),
		Step:    stepKey("", v.get("STAGE_NAME"), axes),
	}
	switch {
	case v.get("CHANGE_ID") != "":
		b.Trigger = "pull_request"
	case v.get("TAG_NAME") != "":
		b.Trigger = "tag"
	}
	return b
}

// withoutCopy leaves the segment before the last out of an address: "…/test/7"
// of "…/test/os=linux/7".
func withoutCopy(page string) string {
	last := strings.LastIndexByte(page, '/')
	if last < 0 {
		return page
	}
	copied := strings.LastIndexByte(page[:last], '/')
	if copied < 0 {
		return page
	}
	return page[:copied] + page[last:]
}
