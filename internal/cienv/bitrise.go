package cienv

import (
	"regexp"
	"strings"
)

func inBitrise(v vars) bool { return v.is("BITRISE_IO", "true") } // Bitrise's CLI on a person's machine does not set it

// bitrise reads the environment of Bitrise:
// https://docs.bitrise.io/en/bitrise-ci/references/available-environment-variables.html
//
// A build is a pipeline where there is one, else the one workflow that runs.
// Rebuilding what failed of a pipeline stays in it, and which attempt it is is
// not said; it can be done only once the pipeline is over. Of a pull request
// BITRISE_GIT_BRANCH is its source and BITRISE_GIT_COMMIT its head, and what
// GIT_CLONE_… says is of the merge that was made to be tested. A push, a click,
// the clock and a request to the API look alike.
func bitrise(v vars) Build {
	pull := v.get("BITRISE_PULL_REQUEST")
	b := Build{
		System:  "bitrise",
		Project: v.get("BITRISE_APP_TITLE"),
		Branch:  v.first("BITRISE_GIT_TAG", "BITRISE_GIT_BRANCH"),
		Commit:  v.get("BITRISE_GIT_COMMIT"),
		Title:   v.get("BITRISE_GIT_MESSAGE"), // of a pull request its title
		URL:     v.first("BITRISEIO_PIPELINE_BUILD_URL", "BITRISE_BUILD_URL"),
		Run:     run("bitrise", slug(v.first("BITRISEIO_PIPELINE_ID", "BITRISE_BUILD_SLUG"))),
	}
	if owner, name := v.get("BITRISEIO_GIT_REPOSITORY_OWNER"), v.get("BITRISEIO_GIT_REPOSITORY_SLUG"); owner != "" && name != "" {
		b.Project = owner + "/" + name
	}
	switch {
	case pull != "" && pull != "false":
		b.Trigger = "pull_request"
	default:
		if b.Commit == "" {
			b.Commit = v.get("GIT_CLONE_COMMIT_HASH")
		}
		if b.Title == "" {
			b.Title = v.get("GIT_CLONE_COMMIT_MESSAGE_SUBJECT")
		}
		b.Author = v.get("GIT_CLONE_COMMIT_AUTHOR_NAME")
		if v.get("BITRISE_GIT_TAG") != "" {
			b.Trigger = "tag"
		}
	}
	index := ""
	if total := number(v.get("BITRISE_IO_PARALLEL_TOTAL")); total != "" && total != "1" {
		index = v.get("BITRISE_IO_PARALLEL_INDEX") // 0 is the first
	}
	b.Step = stepKey("", v.get("BITRISE_TRIGGERED_WORKFLOW_ID"), index)
	return b
}

// slug returns an id of Bitrise in its one spelling, or "": a UUID, or of older
// builds 16 digits.
func slug(s string) string {
	if oldSlug.MatchString(s) {
		return strings.ToLower(s)
	}
	return identifier(s)
}

var oldSlug = regexp.MustCompile(`^[0-9A-Fa-f]{16}$`)
