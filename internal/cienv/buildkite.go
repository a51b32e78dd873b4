package cienv

import (
	"regexp"
	"strconv"
	"strings"
)

func inBuildkite(v vars) bool { return v.is("BUILDKITE", "true") }

// buildkite reads the environment of a Buildkite job:
// https://buildkite.com/docs/pipelines/configure/environment-variables
//
// BUILDKITE_RETRY_COUNT counts the tries of one job, so it belongs to the step
// and not to the run. The copies of a matrix are told apart by the label, if
// it shows the matrix's value.
func buildkite(v vars) Build {
	b := Build{
		System:  "buildkite",
		Project: v.get("BUILDKITE_ORGANIZATION_SLUG") + "/" + v.get("BUILDKITE_PIPELINE_SLUG"),
		Branch:  v.first("BUILDKITE_TAG", "BUILDKITE_BRANCH"),
		Commit:  v.get("BUILDKITE_COMMIT"),
		Title:   v.get("BUILDKITE_MESSAGE"),
		Author:  v.first("BUILDKITE_BUILD_AUTHOR", "BUILDKITE_BUILD_CREATOR"),
		URL:     v.get("BUILDKITE_BUILD_URL"),
		Trigger: v.get("BUILDKITE_SOURCE"),
		Run:     run("buildkite", identifier(v.get("BUILDKITE_BUILD_ID"))),
	}
	switch b.Trigger {
	case "webhook":
		switch pull := v.get("BUILDKITE_PULL_REQUEST"); {
		case v.get("BUILDKITE_TAG") != "":
			b.Trigger = "tag"
		case pull != "" && pull != "false":
			b.Trigger = "pull_request"
		default:
			b.Trigger = "push"
		}
	case "ui":
		b.Trigger = "manual"
	}

	key := v.get("BUILDKITE_STEP_KEY")
	label := strings.TrimSpace(emoji.ReplaceAllString(v.get("BUILDKITE_LABEL"), ""))
	switch {
	case key == "" && label == "":
		label = v.get("BUILDKITE_STEP_ID")
	case strings.EqualFold(key, string(stepKey("", label))):
		label = ""
	}
	index := ""
	if v.get("BUILDKITE_PARALLEL_JOB_COUNT") != "1" {
		index = v.get("BUILDKITE_PARALLEL_JOB") // 0 is the first
	}
	if count, err := strconv.Atoi(v.get("BUILDKITE_RETRY_COUNT")); err == nil && count > 0 {
		b.Retry = strconv.Itoa(count + 1)
	}
	b.Step = stepKey(b.Retry, key, label, index)
	return b
}

// emoji is how labels write pictures: ":hammer: Specs".
var emoji = regexp.MustCompile(`:[a-z0-9_+-]+:`)
