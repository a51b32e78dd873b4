package cienv

import (
	"cmp"
	"encoding/json"
	"strings"
)

func inGitHub(v vars) bool { return v.is("GITHUB_ACTIONS", "true") }

// github reads the environment of GitHub Actions, and of Gitea's and Forgejo's,
// which set the same variables and say so in one of their own:
// https://docs.github.com/en/actions/reference/workflows-and-actions/variables
// https://docs.github.com/en/webhooks/webhook-events-and-payloads
// https://docs.gitea.com/usage/actions/actions-variables
// https://forgejo.org/docs/latest/user/actions/reference/
func github(v vars) Build {
	event := readGitHubEvent(v)
	change := event.PullRequest
	name := v.get("GITHUB_EVENT_NAME")
	b := Build{
		System:  "github",
		Project: v.get("GITHUB_REPOSITORY"),
		Branch:  cmp.Or(v.get("GITHUB_HEAD_REF"), change.Head.Ref, branchOf(cmp.Or(v.get("GITHUB_REF"), v.get("GITHUB_REF_NAME")))),
		Commit:  cmp.Or(change.Head.SHA, v.get("GITHUB_SHA")),
		Title:   cmp.Or(change.Title, event.HeadCommit.Message),
		Author:  cmp.Or(change.User.Login, event.HeadCommit.Author.Name, v.get("GITHUB_ACTOR")),
		Trigger: name,
	}
	switch {
	case strings.HasPrefix(name, "pull_request"): // also _target, _review, _review_comment
		b.Trigger = "pull_request"
	case name == "push" && strings.HasPrefix(v.get("GITHUB_REF"), "refs/tags/"):
		b.Trigger = "tag"
	case name == "workflow_dispatch":
		b.Trigger = "manual"
	case name == "repository_dispatch":
		b.Trigger = "api"
	}

	at, repo := v.get("GITHUB_SERVER_URL"), v.get("GITHUB_REPOSITORY")
	id, attempt := number(v.get("GITHUB_RUN_ID")), cmp.Or(number(v.get("GITHUB_RUN_ATTEMPT")), "1")
	switch {
	case v.is("FORGEJO_ACTIONS", "true"):
		b.System = "forgejo"
	case v.is("GITEA_ACTIONS", "true"):
		b.System = "gitea"
	}
	page := strings.TrimRight(at, "/") + "/" + repo
	if b.System == "github" {
		if id != "" {
			b.URL = page + "/actions/runs/" + id + "/attempts/" + attempt
		}
		if !inAct(v) {
			b.Run = GitHubRun(at, repo, id, attempt)
		}
		b.Step = stepKey("", append(githubJob(v), githubStep(v.get("GITHUB_ACTION")))...)
		return b
	}
	if n := number(v.get("GITHUB_RUN_NUMBER")); n != "" { // their pages are numbered by repository
		b.URL = cmp.Or(event.Repository.HTMLURL, page) + "/actions/runs/" + n
	}
	b.Run = run(b.System, strings.ToLower(repo), id, v.get("GITHUB_SHA"), attempt)
	b.Step = stepKey("", v.get("GITHUB_JOB"), githubStep(v.get("GITHUB_ACTION")))
	return b
}

// GitHubRun is the Run of an attempt of a workflow's run on GitHub, or "" when a
// part of it is missing: of the server's address and of what is called
// repository, run_id and run_attempt, which say the same in a job's environment
// and in its ID token.
func GitHubRun(at, repository, id, attempt string) string {
	return run("github", server(at), strings.ToLower(repository), number(id), number(attempt))
}

// inAct tells whether a workflow is run by https://github.com/nektos/act, whose
// runs are all number 1 of the repository that the working copy came from.
func inAct(v vars) bool {
	return v.get("ACT") != "" || v.is("GITHUB_ACTOR", "nektos/act") || v.get("GITHUB_RUN_ID") == "1"
}

// githubJob names the job. Matrix copies have one GITHUB_JOB, and so have jobs
// of a workflow that is called twice; what tells them apart is, where it is
// set, the id that GitHub's runner gives to its requests: a UUID, the calling
// job if any, the job, and "__default" or "_2" for the second of a matrix,
// joined by dots.
func githubJob(v vars) []string {
	job := v.get("GITHUB_JOB")
	plan, rest, _ := strings.Cut(v.get("ACTIONS_ORCHESTRATION_ID"), ".")
	if identifier(plan) == "" {
		return []string{job}
	}
	var names []string
	known := false
	for name := range strings.SplitSeq(rest, ".") {
		copied, isCopy := strings.CutPrefix(name, "_")
		switch {
		case name == "__default":
		case isCopy && number(copied) != "":
			names = append(names, copied)
		default:
			names = append(names, name)
			known = known || strings.EqualFold(name, job)
		}
	}
	if !known || len(names) > 6 {
		return []string{job}
	}
	return names
}

// githubStep names the step in its job by GITHUB_ACTION: "" for the first
// script without an id, run-2 for the second (__run_2), else the step's id or
// the action's name.
func githubStep(action string) string {
	if rest, ok := strings.CutPrefix(action, "__run"); ok {
		if n := number(strings.TrimPrefix(rest, "_")); n != "" {
			return "run-" + n
		}
		return ""
	}
	return strings.TrimLeft(action, "_")
}

// githubEvent is what is of interest in the payload of the event that started
// a workflow.
type githubEvent struct {
	PullRequest struct {
		Title string `json:"title"`
		User  struct {
			Login string `json:"login"`
		} `json:"user"`
		Head struct {
			Ref string `json:"ref"`
			SHA string `json:"sha"`
		} `json:"head"`
	} `json:"pull_request"`
	HeadCommit struct { // of a push
		Message string `json:"message"`
		Author  struct {
			Name string `json:"name"`
		} `json:"author"`
	} `json:"head_commit"`
	Repository struct {
		HTMLURL string `json:"html_url"`
	} `json:"repository"`
}

// readGitHubEvent reads the event; what is missing or of another form in it
// stays empty.
func readGitHubEvent(v vars) (event githubEvent) {
	if data := v.read("GITHUB_EVENT_PATH"); data != nil {
		_ = json.Unmarshal(data, &event) // a member of another type leaves the others as they are
	}
	return event
}
