package cienv

import "strings"

func inBitbucket(v vars) bool { return number(v.get("BITBUCKET_BUILD_NUMBER")) != "" }

// bitbucket reads the environment of Bitbucket Pipelines:
// https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
//
// A rerun of the failed steps stays in its pipeline, a rerun of the whole is
// another. A step has an id and no name. Who or what started a pipeline, the
// environment does not say, except for tags and pull requests.
func bitbucket(v vars) Build {
	b := Build{
		System:  "bitbucket",
		Project: v.get("BITBUCKET_REPO_FULL_NAME"),
		Branch:  v.first("BITBUCKET_TAG", "BITBUCKET_BRANCH"), // of a pull request its source
		Commit:  v.get("BITBUCKET_COMMIT"),
		Run:     run("bitbucket", braced(v.get("BITBUCKET_PIPELINE_UUID"))),
	}
	switch {
	case v.get("BITBUCKET_TAG") != "":
		b.Trigger = "tag"
	case v.get("BITBUCKET_PR_ID") != "":
		b.Trigger = "pull_request"
	}
	if b.Project != "" {
		b.URL = "https://bitbucket.org/" + b.Project + "/pipelines/results/" + number(v.get("BITBUCKET_BUILD_NUMBER"))
	}
	if n := number(v.get("BITBUCKET_STEP_RUN_NUMBER")); n != "1" {
		b.Retry = n
	}
	id, _, _ := strings.Cut(braced(v.get("BITBUCKET_STEP_UUID")), "-")
	b.Step = stepKey(b.Retry, "step", id)
	return b
}

// braced returns a UUID that is written in braces, or "".
func braced(s string) string { return identifier(strings.Trim(s, "{}")) }
