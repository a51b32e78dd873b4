package cienv

import (
	"cmp"
	"strings"
)

func inWoodpecker(v vars) bool {
	return v.is("CI", "woodpecker") || v.is("CI_SYSTEM_NAME", "woodpecker")
}

// woodpecker reads the environment of Woodpecker:
// https://woodpecker-ci.org/docs/usage/environment
//
// The workflows of a matrix have one name; where the number of the workflow is
// set, it tells the second and later ones apart. The time guards against a
// repository that was removed and begins to count anew.
func woodpecker(v vars) Build {
	b := Build{
		System:  "woodpecker",
		Project: v.get("CI_REPO"),
		Branch:  v.first("CI_COMMIT_SOURCE_BRANCH", "CI_COMMIT_TAG", "CI_COMMIT_BRANCH"),
		Commit:  v.get("CI_COMMIT_SHA"),
		Title:   v.get("CI_COMMIT_MESSAGE"),
		Author:  v.get("CI_COMMIT_AUTHOR"),
		URL:     v.get("CI_PIPELINE_URL"),
		Trigger: v.get("CI_PIPELINE_EVENT"),
		Run:     run("woodpecker", server(v.get("CI_SYSTEM_URL")), v.get("CI_REPO"), number(v.get("CI_PIPELINE_NUMBER")), number(v.get("CI_PIPELINE_CREATED"))),
	}
	switch {
	case strings.HasPrefix(b.Trigger, "pull_request"): // also _closed, _metadata
		b.Trigger = "pull_request"
	case b.Trigger == "cron":
		b.Trigger = "schedule"
	}
	workflow := v.get("CI_WORKFLOW_NAME")
	if n := number(v.get("CI_WORKFLOW_NUMBER")); workflow != "" && n != "" && n != "1" {
		workflow += "-" + n
	}
	b.Step = stepKey("", workflow, v.get("CI_STEP_NAME"))
	return b
}

func inDrone(v vars) bool { return v.is("DRONE", "true") }

// drone reads the environment of Drone, and of what came after it under other
// names and sets the same:
// https://docs.drone.io/pipeline/environment/reference/
//
// The time guards against a repository that was removed and begins to count
// anew.
func drone(v vars) Build {
	b := Build{
		System:  "drone",
		Project: v.get("DRONE_REPO"),
		Branch:  v.first("DRONE_TAG", "DRONE_BRANCH", "DRONE_COMMIT_BRANCH"),
		Commit:  v.first("DRONE_COMMIT_SHA", "DRONE_COMMIT"),
		Title:   v.first("DRONE_PULL_REQUEST_TITLE", "DRONE_COMMIT_MESSAGE"),
		Author:  v.first("DRONE_COMMIT_AUTHOR_NAME", "DRONE_COMMIT_AUTHOR"),
		URL:     v.get("DRONE_BUILD_LINK"),
		Trigger: v.get("DRONE_BUILD_EVENT"),
	}
	switch b.Trigger {
	case "pull_request":
		b.Branch = cmp.Or(v.get("DRONE_SOURCE_BRANCH"), b.Branch)
	case "cron":
		b.Trigger = "schedule"
	case "custom":
		b.Trigger = "manual"
	}
	at := server(cmp.Or(v.get("DRONE_SYSTEM_PROTO"), "https") + "://" + v.first("DRONE_SYSTEM_HOST", "DRONE_SYSTEM_HOSTNAME"))
	b.Run = run("drone", at, v.get("DRONE_REPO"), number(v.get("DRONE_BUILD_NUMBER")), number(v.get("DRONE_BUILD_CREATED")))
	stage := v.get("DRONE_STAGE_NAME")
	if stage == "default" { // it was given no name
		stage = ""
	}
	b.Step = stepKey("", stage, v.get("DRONE_STEP_NAME"))
	return b
}
