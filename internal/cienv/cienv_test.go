package cienv

import (
	"errors"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

// env is an environment of these variables and, under "event", the contents of
// GitHub's event file.
type env map[string]string

func (e env) env() Env {
	return Env{
		Get:   func(name string) string { return e[name] },
		Names: func() []string { return slices.Sorted(maps.Keys(e)) },
		ReadFile: func(name string) ([]byte, error) {
			if event, ok := e["event"]; ok && name == "/github/workflow/event.json" {
				return []byte(event), nil
			}
			return nil, errors.New("no such file")
		},
	}
}

// but is the environment with some variables set otherwise; an empty one is
// not set.
func (e env) but(pairs ...string) env {
	e = maps.Clone(e)
	for i := 0; i < len(pairs); i += 2 {
		e[pairs[i]] = pairs[i+1]
	}
	return e
}

const (
	sha  = "ffac537e6cbbf934b08745a378932722df287a53"
	head = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
)

var (
	githubPush = env{
		"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTION": "__run", "GITHUB_ACTOR": "octocat", "GITHUB_SERVER_URL": "https://github.com",
		"GITHUB_REPOSITORY": "octocat/Hello-World", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "/github/workflow/event.json",
		"GITHUB_REF": "refs/heads/feature-branch-1", "GITHUB_REF_NAME": "feature-branch-1", "GITHUB_REF_TYPE": "branch", "GITHUB_SHA": sha,
		"GITHUB_RUN_ID": "1658821493", "GITHUB_RUN_NUMBER": "3", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "greeting_job", "GITHUB_WORKFLOW": "My test workflow",
		"event": `{"ref":"refs/heads/feature-branch-1","repository":{"html_url":"https://github.com/octocat/Hello-World"},
			"head_commit":{"id":"` + sha + `","message":"Update README.md\n\nIt was old.","author":{"name":"Monalisa Octocat","username":"octocat"}}}`,
	}
	githubPull = githubPush.but("GITHUB_EVENT_NAME", "pull_request", "GITHUB_REF", "refs/pull/7/merge", "GITHUB_REF_NAME", "7/merge",
		"GITHUB_HEAD_REF", "new-topic", "GITHUB_BASE_REF", "main",
		"event", `{"action":"opened","number":7,"pull_request":{"html_url":"https://github.com/octocat/Hello-World/pull/7","title":"Amazing new feature",
			"user":{"login":"hubot"},"head":{"ref":"new-topic","sha":"`+head+`"}},"repository":{"html_url":"https://github.com/octocat/Hello-World"}}`)
	githubMatrix = githubPush.but("GITHUB_JOB", "build", "ACTIONS_ORCHESTRATION_ID", "3e77825e-0f10-4ef9-9852-a3291ffef79a.build._1")

	giteaPush = githubPush.but("GITEA_ACTIONS", "true", "ACT", "true", "GITHUB_SERVER_URL", "http://gitea:3000", "GITHUB_RUN_ID", "17", "GITHUB_RUN_ATTEMPT", "",
		"GITHUB_ACTION", "2", "event", `{"repository":{"html_url":"https://git.example.com/octocat/Hello-World"},"head_commit":{"message":"one","author":{"name":"Ada"}}}`)
	forgejoPush = giteaPush.but("FORGEJO_ACTIONS", "true", "GITHUB_RUN_ATTEMPT", "1")

	gitlabPush = env{
		"CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.example.com:8080", "CI_PROJECT_PATH": "my-group/my-project", "CI_PROJECT_ID": "17893",
		"CI_COMMIT_REF_NAME": "main", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": sha, "CI_COMMIT_TITLE": "Fix the parser", "CI_COMMIT_AUTHOR": "Jane Doe <jane@example.com>",
		"CI_PIPELINE_ID": "1234567", "CI_PIPELINE_IID": "123", "CI_PIPELINE_SOURCE": "push", "CI_PIPELINE_URL": "https://gitlab.example.com:8080/my-group/my-project/-/pipelines/1234567",
		"CI_JOB_ID": "9876543", "CI_JOB_NAME": "rspec", "CI_JOB_STAGE": "test", "CI_JOB_RETRY_COUNT": "0", "CI_NODE_TOTAL": "1", "CI_JOB_TOKEN": "glcbt-64_secret",
		"GITLAB_USER_NAME": "Jane D.", "GITLAB_USER_LOGIN": "jane",
	}
	gitlabMerge = gitlabPush.but("CI_PIPELINE_SOURCE", "merge_request_event", "CI_COMMIT_BRANCH", "", "CI_COMMIT_REF_NAME", "topic",
		"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "topic", "CI_MERGE_REQUEST_TITLE", "Accept tabs", "CI_MERGE_REQUEST_IID", "7")

	buildkitePush = env{
		"CI": "true", "BUILDKITE": "true", "BUILDKITE_ORGANIZATION_SLUG": "acme-inc", "BUILDKITE_PIPELINE_SLUG": "my-project", "BUILDKITE_BRANCH": "main",
		"BUILDKITE_COMMIT": "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d", "BUILDKITE_MESSAGE": "Added a great new feature\n\nIt is great.", "BUILDKITE_BUILD_AUTHOR": "Carol Danvers",
		"BUILDKITE_BUILD_ID": "4735ba57-80d0-46e2-8fa0-b28223a86586", "BUILDKITE_BUILD_NUMBER": "1514", "BUILDKITE_BUILD_URL": "https://buildkite.com/acme-inc/my-project/builds/1514",
		"BUILDKITE_JOB_ID": "e44f9784-e20e-4b93-a21d-f41fd5869db9", "BUILDKITE_LABEL": ":hammer: Specs", "BUILDKITE_STEP_KEY": "specs", "BUILDKITE_STEP_ID": "080b7d73-986d-4a39-a510-b34f9faf4710",
		"BUILDKITE_PULL_REQUEST": "false", "BUILDKITE_RETRY_COUNT": "0", "BUILDKITE_SOURCE": "webhook", "BUILDKITE_TAG": "",
	}

	circleciPush = env{
		"CI": "true", "CIRCLECI": "true", "CIRCLE_BRANCH": "main", "CIRCLE_BUILD_NUM": "3", "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/api/3", "CIRCLE_JOB": "test",
		"CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "1", "CIRCLE_PROJECT_REPONAME": "api", "CIRCLE_PROJECT_USERNAME": "acme", "CIRCLE_SHA1": sha, "CIRCLE_USERNAME": "jane",
		"CIRCLE_WORKFLOW_ID": "4f7238f8-bbeb-4428-912f-da28c816002f", "CIRCLE_WORKFLOW_JOB_ID": "0793c975-7b9f-489f-909b-6d9bb71cbe3a", "CIRCLE_OIDC_TOKEN": "ey.secret",
	}

	azurePush = env{
		"TF_BUILD": "True", "SYSTEM_COLLECTIONID": "6c6f3423-1c84-4625-995a-f7f143a1e43d", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/fabrikamfiber/", "SYSTEM_HOSTTYPE": "build",
		"SYSTEM_TEAMPROJECT": "Fabrikam Fiber", "SYSTEM_TEAMPROJECTID": "79f5c12e-3337-4151-be41-a268d2c73344", "BUILD_BUILDID": "1430", "BUILD_BUILDNUMBER": "20260901.2",
		"BUILD_REASON": "IndividualCI", "BUILD_REPOSITORY_NAME": "Scripts", "BUILD_REPOSITORY_PROVIDER": "TfsGit", "BUILD_REQUESTEDFOR": "Raisa Pokrovskaya",
		"BUILD_SOURCEBRANCH": "refs/heads/feature/tools", "BUILD_SOURCEBRANCHNAME": "tools", "BUILD_SOURCEVERSION": sha, "BUILD_SOURCEVERSIONMESSAGE": "Update tools",
		"SYSTEM_STAGENAME": "__default", "SYSTEM_PHASENAME": "Build", "SYSTEM_JOBNAME": "__default", "SYSTEM_JOBATTEMPT": "1", "SYSTEM_PHASEATTEMPT": "1", "SYSTEM_STAGEATTEMPT": "1",
		"SYSTEM_TOTALJOBSINPHASE": "1", "SYSTEM_JOBPOSITIONINPHASE": "1", "SYSTEM_ACCESSTOKEN": "azure-secret",
	}

	woodpeckerPush = env{
		"CI": "woodpecker", "CI_SYSTEM_NAME": "woodpecker", "CI_SYSTEM_URL": "https://ci.example.com", "CI_REPO": "john-doe/my-repo", "CI_COMMIT_SHA": "eba09b46064473a1d345da7abf28b477468e8dbd",
		"CI_COMMIT_REF": "refs/heads/main", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_MESSAGE": "Initial commit\n", "CI_COMMIT_AUTHOR": "john-doe", "CI_PIPELINE_NUMBER": "8", "CI_PIPELINE_PARENT": "0",
		"CI_PIPELINE_EVENT": "push", "CI_PIPELINE_URL": "https://ci.example.com/repos/7/pipeline/8", "CI_PIPELINE_CREATED": "1722617519", "CI_WORKFLOW_NAME": "release", "CI_STEP_NAME": "build package",
	}
	dronePush = env{
		"CI": "true", "DRONE": "true", "DRONE_SYSTEM_PROTO": "https", "DRONE_SYSTEM_HOST": "drone.company.com", "DRONE_REPO": "octocat/hello-world", "DRONE_BRANCH": "main", "DRONE_SOURCE_BRANCH": "main",
		"DRONE_COMMIT": sha, "DRONE_COMMIT_SHA": sha, "DRONE_COMMIT_REF": "refs/heads/main", "DRONE_COMMIT_MESSAGE": "Updated README.md", "DRONE_COMMIT_AUTHOR": "octocat", "DRONE_COMMIT_AUTHOR_NAME": "The Octocat",
		"DRONE_BUILD_NUMBER": "42", "DRONE_BUILD_PARENT": "0", "DRONE_BUILD_EVENT": "push", "DRONE_BUILD_LINK": "https://drone.company.com/octocat/hello-world/42", "DRONE_BUILD_CREATED": "915148800",
		"DRONE_STAGE_NAME": "build", "DRONE_STAGE_NUMBER": "1", "DRONE_STEP_NAME": "backend", "CI_BUILD_NUMBER": "42", "CI_REPO": "octocat/hello-world", "CI_COMMIT_SHA": sha,
	}

	travisPush = env{
		"CI": "true", "TRAVIS": "true", "TRAVIS_REPO_SLUG": "acme/api", "TRAVIS_BRANCH": "main", "TRAVIS_COMMIT": sha, "TRAVIS_COMMIT_MESSAGE": "Fix it", "TRAVIS_EVENT_TYPE": "push",
		"TRAVIS_BUILD_ID": "46812085", "TRAVIS_BUILD_NUMBER": "4", "TRAVIS_BUILD_WEB_URL": "https://app.travis-ci.com/github/acme/api/builds/46812085", "TRAVIS_JOB_ID": "46812086", "TRAVIS_JOB_NUMBER": "4.1",
		"TRAVIS_JOB_NAME": "Unit Tests", "TRAVIS_JOB_RESTARTED": "false", "TRAVIS_PULL_REQUEST": "false", "TRAVIS_PULL_REQUEST_BRANCH": "", "TRAVIS_PULL_REQUEST_SHA": "",
	}

	semaphorePush = env{
		"CI": "true", "SEMAPHORE": "true", "SEMAPHORE_ORGANIZATION_URL": "https://acme.semaphoreci.com", "SEMAPHORE_PROJECT_NAME": "api", "SEMAPHORE_PROJECT_ID": "0dd982e8-32f5-4037-983e-4de01ac7fb1e",
		"SEMAPHORE_GIT_REPO_SLUG": "acme/api", "SEMAPHORE_GIT_BRANCH": "main", "SEMAPHORE_GIT_WORKING_BRANCH": "main", "SEMAPHORE_GIT_REF": "refs/heads/main", "SEMAPHORE_GIT_REF_TYPE": "branch", "SEMAPHORE_GIT_SHA": sha,
		"SEMAPHORE_GIT_COMMIT_AUTHOR": "jane", "SEMAPHORE_WORKFLOW_TRIGGERED_BY": "joe", "SEMAPHORE_WORKFLOW_TRIGGERED_BY_HOOK": "true", "SEMAPHORE_WORKFLOW_TRIGGERED_BY_API": "false",
		"SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE": "false", "SEMAPHORE_WORKFLOW_TRIGGERED_BY_MANUAL_RUN": "false", "SEMAPHORE_WORKFLOW_ID": "65c9bb1c-aeb6-41f0-b8d9-6fa177241cdf", "SEMAPHORE_WORKFLOW_NUMBER": "42",
		"SEMAPHORE_PIPELINE_ID": "ea3e6bba-d19a-45d7-86a0-e78a2301b616", "SEMAPHORE_PIPELINE_RERUN": "false", "SEMAPHORE_BLOCK_NAME": "Test", "SEMAPHORE_JOB_NAME": "Unit tests", "SEMAPHORE_JOB_TYPE": "pipeline_job",
		"SEMAPHORE_JOB_ID": "a26d42cf-89ac-4c3f-9e2d-51bb231897bf", "SEMAPHORE_OIDC_TOKEN": "ey.secret", "SEMAPHORE_ARTIFACT_TOKEN": "artifact",
	}
	semaphorePull = semaphorePush.but("SEMAPHORE_GIT_REF_TYPE", "pull-request", "SEMAPHORE_GIT_REF", "refs/pull/7/merge", "SEMAPHORE_GIT_WORKING_BRANCH", "topic",
		"SEMAPHORE_GIT_PR_BRANCH", "topic", "SEMAPHORE_GIT_PR_NAME", "Accept tabs", "SEMAPHORE_GIT_PR_NUMBER", "7", "SEMAPHORE_GIT_PR_SHA", head)

	appveyorPush = env{
		"CI": "True", "APPVEYOR": "True", "APPVEYOR_URL": "https://ci.appveyor.com", "APPVEYOR_API_URL": "http://localhost:1032/", "APPVEYOR_ACCOUNT_NAME": "acme", "APPVEYOR_PROJECT_SLUG": "api-x1y2z",
		"APPVEYOR_PROJECT_ID": "447936", "APPVEYOR_PROJECT_NAME": "api", "APPVEYOR_REPO_NAME": "acme/api", "APPVEYOR_REPO_PROVIDER": "gitHub", "APPVEYOR_REPO_BRANCH": "main", "APPVEYOR_REPO_COMMIT": sha,
		"APPVEYOR_REPO_COMMIT_AUTHOR": "Jane Doe", "APPVEYOR_REPO_COMMIT_MESSAGE": "Fix it", "APPVEYOR_REPO_TAG": "false", "APPVEYOR_BUILD_ID": "16428432", "APPVEYOR_BUILD_NUMBER": "7", "APPVEYOR_BUILD_VERSION": "1.0.7",
		"APPVEYOR_JOB_ID": "v8xadmxjx5ys0fhw", "APPVEYOR_JOB_NAME": "Unit tests", "APPVEYOR_JOB_NUMBER": "1",
	}
	appveyorPull = appveyorPush.but("APPVEYOR_PULL_REQUEST_NUMBER", "5", "APPVEYOR_PULL_REQUEST_TITLE", "Accept tabs", "APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME", "hubot/api",
		"APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "topic", "APPVEYOR_PULL_REQUEST_HEAD_COMMIT", head)

	codefreshPush = env{
		"CI": "true", "CF_URL": "https://g.codefresh.io", "CF_ACCOUNT": "acme", "CF_REPO_OWNER": "acme", "CF_REPO_NAME": "api", "CF_BRANCH": "main", "CF_REVISION": sha, "CF_SHORT_REVISION": "ffac537",
		"CF_COMMIT_AUTHOR": "jane", "CF_COMMIT_MESSAGE": `Don\'t say \"tabs\"`, "CF_BUILD_INITIATOR": "joe", "CF_BUILD_TRIGGER": "webhook", "CF_BUILD_ID": "5ffef04e1d0ac0ea83ef4b4e", "CF_BUILD_TIMESTAMP": "1610543182353",
		"CF_BUILD_URL": "https://g.codefresh.io/build/5ffef04e1d0ac0ea83ef4b4e", "CF_PIPELINE_NAME": "backend/api-tests", "CF_STEP_NAME": "MyUnitTests", "CF_API_KEY": "cf-secret",
	}
	codefreshPull = codefreshPush.but("CF_BRANCH", "topic", "CF_PULL_REQUEST_ACTION", "opened", "CF_PULL_REQUEST_ID", "1234", "CF_PULL_REQUEST_NUMBER", "7", "CF_PULL_REQUEST_TARGET", "main", "CF_PULL_REQUEST_TITLE", "Accept tabs",
		"CF_REVISION", head)

	teamcityPush = env{
		"TEAMCITY_VERSION": "2025.07 (build 197242)", "TEAMCITY_PROJECT_NAME": "Api", "TEAMCITY_BUILDCONF_NAME": "Unit tests", "BUILD_NUMBER": "1.0.7", "BUILD_VCS_NUMBER": sha,
		"BUILD_URL": "https://teamcity.example.com/buildConfiguration/Acme_Api_Unit/48211", "TEAMCITY_BUILD_PROPERTIES_FILE": "/opt/buildagent/temp/agentTmp/teamcity.build1.properties",
	}

	bitrisePush = env{
		"CI": "true", "BITRISE_IO": "true", "BITRISE_APP_TITLE": "API", "BITRISE_APP_SLUG": "38b7a2f3c1d04e55", "BITRISE_BUILD_NUMBER": "512", "BITRISE_BUILD_SLUG": "2f0c7a0e-9d2b-4b1c-8a41-8f7c3d4f5a10",
		"BITRISE_BUILD_URL": "https://app.bitrise.io/build/2f0c7a0e-9d2b-4b1c-8a41-8f7c3d4f5a10", "BITRISE_TRIGGERED_WORKFLOW_ID": "unit_tests", "BITRISE_TRIGGERED_WORKFLOW_TITLE": "Unit tests",
		"BITRISEIO_PIPELINE_ID": "7b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9", "BITRISEIO_PIPELINE_TITLE": "main", "BITRISEIO_PIPELINE_BUILD_URL": "https://app.bitrise.io/app/38b7a2f3c1d04e55/pipelines/7b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9",
		"BITRISEIO_GIT_REPOSITORY_OWNER": "acme", "BITRISEIO_GIT_REPOSITORY_SLUG": "api", "BITRISE_GIT_BRANCH": "main", "BITRISE_GIT_COMMIT": sha, "BITRISE_GIT_MESSAGE": "Fix it\n\nIt was broken.",
		"GIT_CLONE_COMMIT_HASH": sha, "GIT_CLONE_COMMIT_MESSAGE_SUBJECT": "Fix it", "GIT_CLONE_COMMIT_AUTHOR_NAME": "Jane Doe", "BITRISE_BUILD_API_TOKEN": "api-secret", "PR": "false",
	}
	bitrisePull = bitrisePush.but("PR", "true", "BITRISE_PULL_REQUEST", "7", "BITRISE_GIT_BRANCH", "topic", "BITRISEIO_GIT_BRANCH_DEST", "main", "BITRISEIO_PULL_REQUEST_HEAD_BRANCH", "pull/7/head",
		"BITRISE_GIT_COMMIT", head, "BITRISE_GIT_MESSAGE", "Accept tabs", "GIT_CLONE_COMMIT_MESSAGE_SUBJECT", "Merge x into y")

	bitbucketPush = env{
		"CI": "true", "BITBUCKET_BUILD_NUMBER": "5", "BITBUCKET_PIPELINE_UUID": "{e40a1ce1-2c4e-4b8e-9a43-2d8c5d1b7f60}", "BITBUCKET_WORKSPACE": "acme", "BITBUCKET_REPO_SLUG": "api",
		"BITBUCKET_REPO_FULL_NAME": "acme/api", "BITBUCKET_GIT_HTTP_ORIGIN": "http://bitbucket.org/acme/api", "BITBUCKET_BRANCH": "main", "BITBUCKET_COMMIT": sha,
		"BITBUCKET_STEP_UUID": "{1fd5b4c0-7c6a-4f39-8a0e-5b7f43e0a1d2}", "BITBUCKET_STEP_RUN_NUMBER": "1", "BITBUCKET_STEP_OIDC_TOKEN": "ey.secret",
	}

	jenkinsPush = env{
		"JENKINS_URL": "http://server:8080/jenkins/", "JOB_NAME": "acme/api/feature%2Ffoo", "JOB_BASE_NAME": "feature%2Ffoo", "BUILD_NUMBER": "15", "BUILD_TAG": "jenkins-acme-api-feature%2Ffoo-15",
		"BUILD_URL": "http://server:8080/jenkins/job/acme/job/api/job/feature%252Ffoo/15/", "BRANCH_NAME": "feature/foo", "GIT_BRANCH": "feature/foo", "GIT_COMMIT": sha, "STAGE_NAME": "Unit tests",
	}
	jenkinsMatrix = jenkinsPush.but("JOB_NAME", "acme/foo/jdk=21,os=linux", "BUILD_URL", "http://server:8080/jenkins/job/acme/job/foo/jdk=21,os=linux/15/", "BRANCH_NAME", "", "GIT_BRANCH", "detached", "STAGE_NAME", "")
)

// known has an environment of each system, in the order in which they are
// asked, and the marker without which it is none.
var known = []struct {
	system, marker string
	env            env
}{
	{"github", "GITHUB_ACTIONS", githubPush},
	{"gitlab", "GITLAB_CI", gitlabPush},
	{"buildkite", "BUILDKITE", buildkitePush},
	{"circleci", "CIRCLECI", circleciPush},
	{"azure", "TF_BUILD", azurePush},
	{"woodpecker", "CI_SYSTEM_NAME", woodpeckerPush},
	{"drone", "DRONE", dronePush},
	{"travis", "TRAVIS", travisPush},
	{"semaphore", "SEMAPHORE", semaphorePush},
	{"appveyor", "APPVEYOR", appveyorPush},
	{"codefresh", "CF_BUILD_ID", codefreshPush},
	{"teamcity", "TEAMCITY_VERSION", teamcityPush},
	{"bitrise", "BITRISE_IO", bitrisePush},
	{"bitbucket", "BITBUCKET_BUILD_NUMBER", bitbucketPush},
	{"jenkins", "JOB_NAME", jenkinsPush},
}

func TestDetect(t *testing.T) {
	t.Parallel()
	github := Build{
		System: "github", Project: "octocat/Hello-World", Branch: "feature-branch-1", Commit: sha, Title: "Update README.md", Author: "Monalisa Octocat", Trigger: "push",
		URL: "https://github.com/octocat/Hello-World/actions/runs/1658821493/attempts/1", Run: "github https://github.com octocat/hello-world 1658821493 1", Step: "greeting_job",
	}
	gitea := Build{
		System: "gitea", Project: "octocat/Hello-World", Branch: "feature-branch-1", Commit: sha, Title: "one", Author: "Ada", Trigger: "push",
		URL: "https://git.example.com/octocat/Hello-World/actions/runs/3", Run: "gitea octocat/hello-world 17 " + sha + " 1", Step: "greeting_job/2",
	}
	gitlab := Build{
		System: "gitlab", Project: "my-group/my-project", Branch: "main", Commit: sha, Title: "Fix the parser", Author: "Jane Doe", Trigger: "push",
		URL: "https://gitlab.example.com:8080/my-group/my-project/-/pipelines/1234567", Run: "gitlab https://gitlab.example.com:8080 1234567", Step: "rspec",
	}
	buildkite := Build{
		System: "buildkite", Project: "acme-inc/my-project", Branch: "main", Commit: "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d", Title: "Added a great new feature", Author: "Carol Danvers", Trigger: "push",
		URL: "https://buildkite.com/acme-inc/my-project/builds/1514", Run: "buildkite 4735ba57-80d0-46e2-8fa0-b28223a86586", Step: "specs",
	}
	circleci := Build{
		System: "circleci", Project: "acme/api", Branch: "main", Commit: sha, Author: "jane",
		URL: "https://app.circleci.com/pipelines/workflows/4f7238f8-bbeb-4428-912f-da28c816002f", Run: "circleci 4f7238f8-bbeb-4428-912f-da28c816002f", Step: "test",
	}
	azure := Build{
		System: "azure", Project: "Fabrikam-Fiber/Scripts", Branch: "feature/tools", Commit: sha, Title: "Update tools", Author: "Raisa Pokrovskaya", Trigger: "push",
		URL: "https://dev.azure.com/fabrikamfiber/Fabrikam%20Fiber/_build/results?buildId=1430", Run: "azure 6c6f3423-1c84-4625-995a-f7f143a1e43d 1430", Step: "Build",
	}
	woodpecker := Build{
		System: "woodpecker", Project: "john-doe/my-repo", Branch: "main", Commit: "eba09b46064473a1d345da7abf28b477468e8dbd", Title: "Initial commit", Author: "john-doe", Trigger: "push",
		URL: "https://ci.example.com/repos/7/pipeline/8", Run: "woodpecker https://ci.example.com john-doe/my-repo 8 1722617519", Step: "release/build-package",
	}
	drone := Build{
		System: "drone", Project: "octocat/hello-world", Branch: "main", Commit: sha, Title: "Updated README.md", Author: "The Octocat", Trigger: "push",
		URL: "https://drone.company.com/octocat/hello-world/42", Run: "drone https://drone.company.com octocat/hello-world 42 915148800", Step: "build/backend",
	}
	travis := Build{
		System: "travis", Project: "acme/api", Branch: "main", Commit: sha, Title: "Fix it", Trigger: "push",
		URL: "https://app.travis-ci.com/github/acme/api/builds/46812085", Run: "travis app.travis-ci.com 46812085", Step: "Unit-Tests/1",
	}
	semaphore := Build{
		System: "semaphore", Project: "acme/api", Branch: "main", Commit: sha, Author: "jane", Trigger: "push",
		URL: "https://acme.semaphoreci.com/workflows/65c9bb1c-aeb6-41f0-b8d9-6fa177241cdf?pipeline_id=ea3e6bba-d19a-45d7-86a0-e78a2301b616",
		Run: "semaphore ea3e6bba-d19a-45d7-86a0-e78a2301b616", Step: "Test/Unit-tests",
	}
	appveyor := Build{
		System: "appveyor", Project: "acme/api", Branch: "main", Commit: sha, Title: "Fix it", Author: "Jane Doe", Trigger: "push",
		URL: "https://ci.appveyor.com/project/acme/api-x1y2z/builds/16428432", Run: "appveyor https://ci.appveyor.com 16428432", Step: "Unit-tests/1",
	}
	codefresh := Build{
		System: "codefresh", Project: "acme/api", Branch: "main", Commit: sha, Title: `Don't say "tabs"`, Author: "jane", Trigger: "push",
		URL: "https://g.codefresh.io/build/5ffef04e1d0ac0ea83ef4b4e", Run: "codefresh https://g.codefresh.io 5ffef04e1d0ac0ea83ef4b4e", Step: "MyUnitTests",
	}
	bitrise := Build{
		System: "bitrise", Project: "acme/api", Branch: "main", Commit: sha, Title: "Fix it", Author: "Jane Doe",
		URL: "https://app.bitrise.io/app/38b7a2f3c1d04e55/pipelines/7b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9", Run: "bitrise 7b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9", Step: "unit_tests",
	}
	bitbucket := Build{
		System: "bitbucket", Project: "acme/api", Branch: "main", Commit: sha,
		URL: "https://bitbucket.org/acme/api/pipelines/results/5", Run: "bitbucket e40a1ce1-2c4e-4b8e-9a43-2d8c5d1b7f60", Step: "step/1fd5b4c0",
	}
	teamcity := Build{
		System: "teamcity", Project: "Api", Commit: sha,
		URL: "https://teamcity.example.com/buildConfiguration/Acme_Api_Unit/48211", Run: "teamcity https://teamcity.example.com 48211", Step: "Unit-tests",
	}
	jenkins := Build{
		System: "jenkins", Project: "acme/api", Branch: "feature/foo", Commit: sha,
		URL: "http://server:8080/jenkins/job/acme/job/api/job/feature%252Ffoo/15/", Run: "jenkins http://server:8080/jenkins/job/acme/job/api/job/feature%252Ffoo/15", Step: "Unit-tests",
	}

	for _, c := range []struct {
		name string
		env  env
		from Build
		want func(*Build)
	}{
		{"github, push", githubPush, github, nil},
		{"github, pull request", githubPull, github, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Author, b.Trigger = "new-topic", head, "Amazing new feature", "hubot", "pull_request"
		}},
		{"github, pull request of which the event cannot be read", githubPull.but("GITHUB_EVENT_PATH", "/gone"), github, func(b *Build) {
			b.Branch, b.Title, b.Author, b.Trigger = "new-topic", "", "octocat", "pull_request"
		}},
		{"github, review, which sets no head ref", githubPull.but("GITHUB_EVENT_NAME", "pull_request_review", "GITHUB_HEAD_REF", ""), github, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Author, b.Trigger = "new-topic", head, "Amazing new feature", "hubot", "pull_request"
		}},
		{"github, tag", githubPush.but("GITHUB_REF", "refs/tags/v1.2.3", "GITHUB_REF_NAME", "v1.2.3", "GITHUB_REF_TYPE", "tag"), github, func(b *Build) {
			b.Branch, b.Trigger = "v1.2.3", "tag"
		}},
		{"github, schedule", githubPush.but("GITHUB_EVENT_NAME", "schedule", "event", `{"schedule":"30 5 * * 1,3"}`), github, func(b *Build) {
			b.Title, b.Author, b.Trigger = "", "octocat", "schedule"
		}},
		{"github, by hand", githubPush.but("GITHUB_EVENT_NAME", "workflow_dispatch", "event", `{"inputs":null}`), github, func(b *Build) {
			b.Title, b.Author, b.Trigger = "", "octocat", "manual"
		}},
		{"github, by an address", githubPush.but("GITHUB_EVENT_NAME", "repository_dispatch", "event", `{}`), github, func(b *Build) {
			b.Title, b.Author, b.Trigger = "", "octocat", "api"
		}},
		{"github, re-run", githubPush.but("GITHUB_RUN_ATTEMPT", "2"), github, func(b *Build) {
			b.URL, b.Run = "https://github.com/octocat/Hello-World/actions/runs/1658821493/attempts/2", "github https://github.com octocat/hello-world 1658821493 2"
		}},
		{"github, matrix", githubMatrix, github, func(b *Build) { b.Step = "build/1" }},
		{"github, job of a called workflow", githubMatrix.but("ACTIONS_ORCHESTRATION_ID", "327d153d-58d4-46fb-9dda-9d062c39bb97.nightly.build.__default"), github, func(b *Build) { b.Step = "nightly/build" }},
		{"github, id of another form", githubMatrix.but("ACTIONS_ORCHESTRATION_ID", "3e77825e-0f10-4ef9-9852-a3291ffef79a.x.y"), github, func(b *Build) { b.Step = "build" }},
		{"github, second script of a job", githubPush.but("GITHUB_ACTION", "__run_2"), github, func(b *Build) { b.Step = "greeting_job/run-2" }},
		{"github, step with an id", githubPush.but("GITHUB_ACTION", "lint"), github, func(b *Build) { b.Step = "greeting_job/lint" }},
		{"github, enterprise", githubPush.but("GITHUB_SERVER_URL", "https://GitHub.Acme.example/"), github, func(b *Build) {
			b.URL, b.Run = "https://GitHub.Acme.example/octocat/Hello-World/actions/runs/1658821493/attempts/1", "github https://github.acme.example octocat/hello-world 1658821493 1"
		}},
		{"act", githubPush.but("ACT", "true", "GITHUB_RUN_ID", "1"), github, func(b *Build) {
			b.URL, b.Run = "https://github.com/octocat/Hello-World/actions/runs/1/attempts/1", ""
		}},
		{"act with a made-up run", githubPush.but("ACT", "true"), github, func(b *Build) { b.Run = "" }},

		{"gitea, push", giteaPush, gitea, nil},
		{"gitea, without the event", giteaPush.but("event", "{"), gitea, func(b *Build) {
			b.Title, b.Author, b.URL = "", "octocat", "http://gitea:3000/octocat/Hello-World/actions/runs/3"
		}},
		{"forgejo, push", forgejoPush, gitea, func(b *Build) { b.System, b.Run = "forgejo", "forgejo octocat/hello-world 17 "+sha+" 1" }},
		{"forgejo, re-run", forgejoPush.but("GITHUB_RUN_ATTEMPT", "2"), gitea, func(b *Build) { b.System, b.Run = "forgejo", "forgejo octocat/hello-world 17 "+sha+" 2" }},

		{"gitlab, push", gitlabPush, gitlab, nil},
		{"gitlab, merge request", gitlabMerge, gitlab, func(b *Build) { b.Branch, b.Title, b.Trigger = "topic", "Accept tabs", "pull_request" }},
		{"gitlab, merged results", gitlabMerge.but("CI_MERGE_REQUEST_EVENT_TYPE", "merged_result", "CI_COMMIT_REF_NAME", "refs/merge-requests/7/merge", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", head), gitlab, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Trigger = "topic", head, "Accept tabs", "pull_request"
		}},
		{"gitlab, pull request on GitHub", gitlabPush.but("CI_PIPELINE_SOURCE", "external_pull_request_event", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME", "topic", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA", head), gitlab, func(b *Build) {
			b.Branch, b.Commit, b.Trigger = "topic", head, "pull_request"
		}},
		{"gitlab, tag", gitlabPush.but("CI_COMMIT_TAG", "v1.0", "CI_COMMIT_REF_NAME", "v1.0", "CI_COMMIT_BRANCH", ""), gitlab, func(b *Build) { b.Branch, b.Trigger = "v1.0", "tag" }},
		{"gitlab, schedule", gitlabPush.but("CI_PIPELINE_SOURCE", "schedule"), gitlab, func(b *Build) { b.Trigger = "schedule" }},
		{"gitlab, by hand", gitlabPush.but("CI_PIPELINE_SOURCE", "web"), gitlab, func(b *Build) { b.Trigger = "manual" }},
		{"gitlab, by a token", gitlabPush.but("CI_PIPELINE_SOURCE", "trigger"), gitlab, func(b *Build) { b.Trigger = "api" }},
		{"gitlab, child pipeline", gitlabPush.but("CI_PIPELINE_SOURCE", "parent_pipeline", "CI_PIPELINE_ID", "1234568"), gitlab, func(b *Build) {
			b.Trigger, b.Run = "parent_pipeline", "gitlab https://gitlab.example.com:8080 1234568"
		}},
		{"gitlab, retried job", gitlabPush.but("CI_JOB_RETRY_COUNT", "1", "CI_JOB_ID", "9876544"), gitlab, func(b *Build) { b.Step, b.Retry = "rspec-2", "2" }},
		{"gitlab before it counted tries", gitlabPush.but("CI_JOB_RETRY_COUNT", ""), gitlab, func(b *Build) { b.Step = "rspec-9876543" }},
		{"gitlab, parallel", gitlabPush.but("CI_JOB_NAME", "rspec 3/5", "CI_NODE_INDEX", "3", "CI_NODE_TOTAL", "5"), gitlab, func(b *Build) { b.Step = "rspec/3" }},
		{"gitlab, matrix", gitlabPush.but("CI_JOB_NAME", "deploystacks: [aws, monitoring]", "CI_NODE_INDEX", "1", "CI_NODE_TOTAL", "10"), gitlab, func(b *Build) { b.Step = "deploystacks-aws-monitoring" }},
		{"gitlab, run locally", gitlabPush.but("CI_PIPELINE_ID", "0", "CI_SERVER_URL", ""), gitlab, func(b *Build) { b.Run = "" }},

		{"buildkite, push", buildkitePush, buildkite, nil},
		{"buildkite, pull request", buildkitePush.but("BUILDKITE_PULL_REQUEST", "123", "BUILDKITE_BRANCH", "topic"), buildkite, func(b *Build) { b.Branch, b.Trigger = "topic", "pull_request" }},
		{"buildkite, tag", buildkitePush.but("BUILDKITE_TAG", "v1.2.3", "BUILDKITE_BRANCH", "v1.2.3"), buildkite, func(b *Build) { b.Branch, b.Trigger = "v1.2.3", "tag" }},
		{"buildkite, schedule", buildkitePush.but("BUILDKITE_SOURCE", "schedule", "BUILDKITE_COMMIT", "HEAD"), buildkite, func(b *Build) { b.Commit, b.Trigger = "", "schedule" }},
		{"buildkite, by hand", buildkitePush.but("BUILDKITE_SOURCE", "ui", "BUILDKITE_BUILD_AUTHOR", "", "BUILDKITE_BUILD_CREATOR", "Monica", "BUILDKITE_MESSAGE", ""), buildkite, func(b *Build) {
			b.Author, b.Title, b.Trigger = "Monica", "", "manual"
		}},
		{"buildkite, by another build", buildkitePush.but("BUILDKITE_SOURCE", "trigger_job"), buildkite, func(b *Build) { b.Trigger = "trigger_job" }},
		{"buildkite, rebuild", buildkitePush.but("BUILDKITE_BUILD_ID", "5aa7c894-c8c0-435b-bc17-13923b90f163", "BUILDKITE_REBUILT_FROM_BUILD_ID", "4735ba57-80d0-46e2-8fa0-b28223a86586"), buildkite, func(b *Build) {
			b.Run = "buildkite 5aa7c894-c8c0-435b-bc17-13923b90f163"
		}},
		{"buildkite, retried job", buildkitePush.but("BUILDKITE_RETRY_COUNT", "1"), buildkite, func(b *Build) { b.Step, b.Retry = "specs-2", "2" }},
		{"buildkite, parallel", buildkitePush.but("BUILDKITE_PARALLEL_JOB", "0", "BUILDKITE_PARALLEL_JOB_COUNT", "5"), buildkite, func(b *Build) { b.Step = "specs/0" }},
		{"buildkite, retried parallel job", buildkitePush.but("BUILDKITE_PARALLEL_JOB", "4", "BUILDKITE_PARALLEL_JOB_COUNT", "5", "BUILDKITE_RETRY_COUNT", "2"), buildkite, func(b *Build) {
			b.Step, b.Retry = "specs/4-3", "3"
		}},
		{"buildkite, matrix", buildkitePush.but("BUILDKITE_STEP_KEY", "build", "BUILDKITE_LABEL", "💥 darwin build"), buildkite, func(b *Build) { b.Step = "build/darwin-build" }},
		{"buildkite, label alone", buildkitePush.but("BUILDKITE_STEP_KEY", ""), buildkite, func(b *Build) { b.Step = "Specs" }},
		{"buildkite, no name at all", buildkitePush.but("BUILDKITE_STEP_KEY", "", "BUILDKITE_LABEL", ""), buildkite, func(b *Build) { b.Step = "080b7d73-986d-4a39-a510-b34f9faf4710" }},

		{"circleci, push", circleciPush, circleci, nil},
		{"circleci, pull request", circleciPush.but("CIRCLE_BRANCH", "topic", "CIRCLE_PULL_REQUEST", "https://github.com/acme/api/pull/7"), circleci, func(b *Build) { b.Branch, b.Trigger = "topic", "pull_request" }},
		{"circleci, pull request of a fork", circleciPush.but("CIRCLE_BRANCH", "pull/7", "CIRCLE_PR_NUMBER", "7", "CIRCLE_PR_USERNAME", "hubot"), circleci, func(b *Build) {
			b.Branch, b.Author, b.Trigger = "pull/7", "hubot", "pull_request"
		}},
		{"circleci, tag", circleciPush.but("CIRCLE_BRANCH", "", "CIRCLE_TAG", "v1.2.3"), circleci, func(b *Build) { b.Branch, b.Trigger = "v1.2.3", "tag" }},
		{"circleci, rerun", circleciPush.but("CIRCLE_WORKFLOW_ID", "6d9bb71c-be3a-4659-bf27-60954180619b"), circleci, func(b *Build) {
			b.Run, b.URL = "circleci 6d9bb71c-be3a-4659-bf27-60954180619b", "https://app.circleci.com/pipelines/workflows/6d9bb71c-be3a-4659-bf27-60954180619b"
		}},
		{"circleci, parallel", circleciPush.but("CIRCLE_NODE_TOTAL", "4", "CIRCLE_NODE_INDEX", "3"), circleci, func(b *Build) { b.Step = "test/3" }},
		{"circleci, matrix", circleciPush.but("CIRCLE_JOB", "test-1.26-macos"), circleci, func(b *Build) { b.Step = "test-1.26-macos" }},
		{"circleci, server", circleciPush.but("CIRCLE_BUILD_URL", "https://circle.acme.example/gh/acme/api/3"), circleci, func(b *Build) { b.URL = "https://circle.acme.example/gh/acme/api/3" }},
		{"circleci, run locally", circleciPush.but("CIRCLE_WORKFLOW_ID", "", "CIRCLE_BUILD_URL", ""), circleci, func(b *Build) { b.URL, b.Run = "", "" }},

		{"azure, push", azurePush, azure, nil},
		{"azure, pull request", azurePush.but("BUILD_REASON", "PullRequest", "BUILD_SOURCEBRANCH", "refs/pull/17/merge", "SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/users/raisa/new-feature",
			"SYSTEM_PULLREQUEST_SOURCECOMMITID", head, "BUILD_SOURCEVERSIONMESSAGE", "Merge pull request 17 from users/raisa/new-feature into main"), azure, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Trigger = "users/raisa/new-feature", head, "", "pull_request"
		}},
		{"azure, repository on GitHub", azurePush.but("BUILD_REPOSITORY_NAME", "acme/api", "BUILD_REPOSITORY_PROVIDER", "GitHub"), azure, func(b *Build) { b.Project = "acme/api" }},
		{"azure, tag", azurePush.but("BUILD_SOURCEBRANCH", "refs/tags/v1"), azure, func(b *Build) { b.Branch, b.Trigger = "v1", "tag" }},
		{"azure, schedule", azurePush.but("BUILD_REASON", "Schedule"), azure, func(b *Build) { b.Trigger = "schedule" }},
		{"azure, by hand", azurePush.but("BUILD_REASON", "Manual"), azure, func(b *Build) { b.Trigger = "manual" }},
		{"azure, by another pipeline", azurePush.but("BUILD_REASON", "ResourceTrigger"), azure, func(b *Build) { b.Trigger = "resourcetrigger" }},
		{"azure, stages", azurePush.but("SYSTEM_STAGENAME", "Deploy", "SYSTEM_PHASENAME", "Web"), azure, func(b *Build) { b.Step = "Deploy/Web" }},
		{"azure, matrix", azurePush.but("SYSTEM_JOBNAME", "linux", "SYSTEM_TOTALJOBSINPHASE", "3", "SYSTEM_JOBPOSITIONINPHASE", "2"), azure, func(b *Build) { b.Step = "Build/linux" }},
		{"azure, parallel", azurePush.but("SYSTEM_TOTALJOBSINPHASE", "5", "SYSTEM_JOBPOSITIONINPHASE", "2"), azure, func(b *Build) { b.Step = "Build/2" }},
		{"azure, retried stage", azurePush.but("SYSTEM_STAGEATTEMPT", "2", "SYSTEM_PHASEATTEMPT", "2", "SYSTEM_JOBATTEMPT", "2"), azure, func(b *Build) { b.Step, b.Retry = "Build-2", "2" }},
		{"azure, retried job of a retried stage", azurePush.but("SYSTEM_STAGEATTEMPT", "2", "SYSTEM_PHASEATTEMPT", "1", "SYSTEM_JOBATTEMPT", "2"), azure, func(b *Build) { b.Step, b.Retry = "Build-2.1.2", "2.1.2" }},
		{"azure, classic release", azurePush.but("SYSTEM_HOSTTYPE", "release"), azure, func(b *Build) { b.Run = "" }},

		{"woodpecker, push", woodpeckerPush, woodpecker, nil},
		{"woodpecker, pull request", woodpeckerPush.but("CI_PIPELINE_EVENT", "pull_request", "CI_COMMIT_REF", "refs/pull/1/head", "CI_COMMIT_SOURCE_BRANCH", "issue-branch", "CI_COMMIT_TARGET_BRANCH", "main"), woodpecker, func(b *Build) {
			b.Branch, b.Trigger = "issue-branch", "pull_request"
		}},
		{"woodpecker, tag", woodpeckerPush.but("CI_PIPELINE_EVENT", "tag", "CI_COMMIT_TAG", "v1.10.3"), woodpecker, func(b *Build) { b.Branch, b.Trigger = "v1.10.3", "tag" }},
		{"woodpecker, schedule", woodpeckerPush.but("CI_PIPELINE_EVENT", "cron"), woodpecker, func(b *Build) { b.Trigger = "schedule" }},
		{"woodpecker, by hand", woodpeckerPush.but("CI_PIPELINE_EVENT", "manual"), woodpecker, func(b *Build) { b.Trigger = "manual" }},
		{"woodpecker, restart", woodpeckerPush.but("CI_PIPELINE_NUMBER", "9", "CI_PIPELINE_PARENT", "8", "CI_PIPELINE_URL", "https://ci.example.com/repos/7/pipeline/9"), woodpecker, func(b *Build) {
			b.URL, b.Run = "https://ci.example.com/repos/7/pipeline/9", "woodpecker https://ci.example.com john-doe/my-repo 9 1722617519"
		}},
		{"woodpecker, matrix", woodpeckerPush.but("CI_WORKFLOW_NUMBER", "2"), woodpecker, func(b *Build) { b.Step = "release-2/build-package" }},
		{"woodpecker with the variables of drone", woodpeckerPush.but("DRONE", "true", "DRONE_REPO", "john-doe/my-repo"), woodpecker, nil},

		{"drone, push", dronePush, drone, nil},
		{"drone, pull request", dronePush.but("DRONE_BUILD_EVENT", "pull_request", "DRONE_COMMIT_REF", "refs/pull/42/head", "DRONE_SOURCE_BRANCH", "feature/develop", "DRONE_PULL_REQUEST", "42", "DRONE_PULL_REQUEST_TITLE", "Add it"), drone, func(b *Build) {
			b.Branch, b.Title, b.Trigger = "feature/develop", "Add it", "pull_request"
		}},
		{"drone, tag", dronePush.but("DRONE_BUILD_EVENT", "tag", "DRONE_TAG", "v1.0.0", "DRONE_COMMIT_REF", "refs/tags/v1.0.0"), drone, func(b *Build) { b.Branch, b.Trigger = "v1.0.0", "tag" }},
		{"drone, schedule", dronePush.but("DRONE_BUILD_EVENT", "cron"), drone, func(b *Build) { b.Trigger = "schedule" }},
		{"drone, by hand", dronePush.but("DRONE_BUILD_EVENT", "custom"), drone, func(b *Build) { b.Trigger = "manual" }},
		{"drone, promoted", dronePush.but("DRONE_BUILD_EVENT", "promote", "DRONE_STAGE_NAME", "default"), drone, func(b *Build) { b.Trigger, b.Step = "promote", "backend" }},
		{"drone, restart", dronePush.but("DRONE_BUILD_NUMBER", "43", "DRONE_BUILD_PARENT", "42", "DRONE_BUILD_CREATED", "915148900", "DRONE_BUILD_LINK", "https://drone.company.com/octocat/hello-world/43"), drone, func(b *Build) {
			b.URL, b.Run = "https://drone.company.com/octocat/hello-world/43", "drone https://drone.company.com octocat/hello-world 43 915148900"
		}},
		{"drone, run locally", dronePush.but("DRONE_BUILD_NUMBER", "0", "DRONE_BUILD_LINK", ""), drone, func(b *Build) { b.URL, b.Run = "", "" }},

		{"travis, push", travisPush, travis, nil},
		{"travis, pull request", travisPush.but("TRAVIS_EVENT_TYPE", "pull_request", "TRAVIS_PULL_REQUEST", "7", "TRAVIS_PULL_REQUEST_BRANCH", "topic", "TRAVIS_PULL_REQUEST_SHA", head, "TRAVIS_COMMIT_MESSAGE", "Merge x into y"), travis, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Trigger = "topic", head, "", "pull_request"
		}},
		{"travis, tag", travisPush.but("TRAVIS_TAG", "v1", "TRAVIS_BRANCH", "v1"), travis, func(b *Build) { b.Branch, b.Trigger = "v1", "tag" }},
		{"travis, schedule", travisPush.but("TRAVIS_EVENT_TYPE", "cron"), travis, func(b *Build) { b.Trigger = "schedule" }},
		{"travis, by an address", travisPush.but("TRAVIS_EVENT_TYPE", "api"), travis, func(b *Build) { b.Trigger = "api" }},
		{"travis, matrix", travisPush.but("TRAVIS_JOB_NAME", "", "TRAVIS_JOB_NUMBER", "4.2"), travis, func(b *Build) { b.Step = "job/2" }},
		{"travis, restarted", travisPush.but("TRAVIS_JOB_RESTARTED", "true"), travis, func(b *Build) { b.Run = "" }},

		{"semaphore, push", semaphorePush, semaphore, nil},
		{"semaphore, pull request", semaphorePull, semaphore, func(b *Build) { b.Branch, b.Commit, b.Title, b.Trigger = "topic", head, "Accept tabs", "pull_request" }},
		{"semaphore, pull request that names no branch", semaphorePull.but("SEMAPHORE_GIT_PR_BRANCH", "", "SEMAPHORE_GIT_WORKING_BRANCH", ""), semaphore, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Trigger = "", head, "Accept tabs", "pull_request"
		}},
		{"semaphore, tag", semaphorePush.but("SEMAPHORE_GIT_REF_TYPE", "tag", "SEMAPHORE_GIT_TAG_NAME", "v1.0.0", "SEMAPHORE_GIT_WORKING_BRANCH", "", "SEMAPHORE_GIT_BRANCH", "refs/tags/v1.0.0"), semaphore, func(b *Build) {
			b.Branch, b.Trigger = "v1.0.0", "tag"
		}},
		{"semaphore before it set the working branch", semaphorePush.but("SEMAPHORE_GIT_WORKING_BRANCH", ""), semaphore, nil},
		{"semaphore, task", semaphorePush.but("SEMAPHORE_WORKFLOW_TRIGGERED_BY_HOOK", "false", "SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE", "true"), semaphore, func(b *Build) { b.Trigger = "schedule" }},
		{"semaphore, by hand", semaphorePush.but("SEMAPHORE_WORKFLOW_TRIGGERED_BY_HOOK", "false", "SEMAPHORE_WORKFLOW_TRIGGERED_BY_MANUAL_RUN", "true", "SEMAPHORE_GIT_COMMIT_AUTHOR", ""), semaphore, func(b *Build) {
			b.Author, b.Trigger = "joe", "manual"
		}},
		{"semaphore, by its API", semaphorePush.but("SEMAPHORE_WORKFLOW_TRIGGERED_BY_HOOK", "false", "SEMAPHORE_WORKFLOW_TRIGGERED_BY_API", "true"), semaphore, func(b *Build) { b.Trigger = "api" }},
		{"semaphore, rerun of failed jobs, promotion", semaphorePush.but("SEMAPHORE_PIPELINE_ID", "1fd5b4c0-7c6a-4f39-8a0e-5b7f43e0a1d2", "SEMAPHORE_PIPELINE_RERUN", "true"), semaphore, func(b *Build) {
			b.Run = "semaphore 1fd5b4c0-7c6a-4f39-8a0e-5b7f43e0a1d2"
			b.URL = "https://acme.semaphoreci.com/workflows/65c9bb1c-aeb6-41f0-b8d9-6fa177241cdf?pipeline_id=1fd5b4c0-7c6a-4f39-8a0e-5b7f43e0a1d2"
		}},
		{"semaphore, parallel", semaphorePush.but("SEMAPHORE_JOB_NAME", "Unit tests - 3/5", "SEMAPHORE_JOB_INDEX", "3", "SEMAPHORE_JOB_COUNT", "5"), semaphore, func(b *Build) { b.Step = "Test/Unit-tests/3" }},
		{"semaphore, matrix", semaphorePush.but("SEMAPHORE_JOB_NAME", "Unit tests - GO=1.26, OS=linux"), semaphore, func(b *Build) { b.Step = "Test/Unit-tests-GO-1.26-OS-linux" }},
		{"semaphore, after the pipeline", semaphorePush.but("SEMAPHORE_BLOCK_NAME", "", "SEMAPHORE_JOB_NAME", "Stepcast"), semaphore, func(b *Build) { b.Step = "Stepcast" }},
		{"semaphore, a person who debugs a job", semaphorePush.but("SEMAPHORE_JOB_TYPE", "debug_job"), semaphore, func(b *Build) { b.Run = "" }},
		{"semaphore, before version 2", env{"CI": "true", "SEMAPHORE": "true", "SEMAPHORE_REPO_SLUG": "acme/api", "BRANCH_NAME": "main"}, Build{System: "semaphore"}, nil},

		{"appveyor, push", appveyorPush, appveyor, nil},
		{"appveyor, pull request", appveyorPull, appveyor, func(b *Build) { b.Branch, b.Commit, b.Title, b.Trigger = "topic", head, "Accept tabs", "pull_request" }},
		{"appveyor, before it told the head of a pull request", appveyorPull.but("APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "", "APPVEYOR_PULL_REQUEST_HEAD_COMMIT", ""), appveyor, func(b *Build) {
			b.Branch, b.Title, b.Trigger = "", "Accept tabs", "pull_request"
		}},
		{"appveyor, tag", appveyorPush.but("APPVEYOR_REPO_TAG", "true", "APPVEYOR_REPO_TAG_NAME", "v1", "APPVEYOR_REPO_BRANCH", "v1"), appveyor, func(b *Build) { b.Branch, b.Trigger = "v1", "tag" }},
		{"appveyor, schedule", appveyorPush.but("APPVEYOR_SCHEDULED_BUILD", "True"), appveyor, func(b *Build) { b.Trigger = "schedule" }},
		{"appveyor, by hand, on Ubuntu", appveyorPush.but("CI", "true", "APPVEYOR", "true", "APPVEYOR_FORCED_BUILD", "true"), appveyor, func(b *Build) { b.Trigger = "manual" }},
		{"appveyor, re-build", appveyorPush.but("APPVEYOR_RE_BUILD", "True", "APPVEYOR_BUILD_ID", "16428433"), appveyor, func(b *Build) {
			b.URL, b.Run = "https://ci.appveyor.com/project/acme/api-x1y2z/builds/16428433", "appveyor https://ci.appveyor.com 16428433"
		}},
		{"appveyor, a failed job re-run", appveyorPush.but("APPVEYOR_RE_RUN_INCOMPLETE", "True"), appveyor, func(b *Build) { b.Run = "" }},
		{"appveyor, matrix", appveyorPush.but("APPVEYOR_JOB_NAME", "Environment: GO=1.26, ARCH=x64", "APPVEYOR_JOB_NUMBER", "2"), appveyor, func(b *Build) { b.Step = "Environment-GO-1.26-ARCH-x64/2" }},
		{"appveyor, one job", appveyorPush.but("APPVEYOR_JOB_NAME", ""), appveyor, func(b *Build) { b.Step = "job/1" }},
		{"appveyor before it told its address", appveyorPush.but("APPVEYOR_URL", ""), appveyor, func(b *Build) { b.URL, b.Run = "", "" }},

		{"codefresh, push", codefreshPush, codefresh, nil},
		{"codefresh, pull request", codefreshPull, codefresh, func(b *Build) { b.Branch, b.Commit, b.Title, b.Trigger = "topic", head, "Accept tabs", "pull_request" }},
		{"codefresh, pull request that was merged", codefreshPull.but("CF_BRANCH", "main", "CF_REVISION", sha, "CF_PULL_REQUEST_MERGED", "true", "CF_PULL_REQUEST_HEAD_BRANCH", "topic", "CF_PULL_REQUEST_HEAD_COMMIT_SHA", head), codefresh, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Trigger = "topic", head, "Accept tabs", "pull_request"
		}},
		{"codefresh, release", codefreshPush.but("CF_RELEASE_TAG", "v1", "CF_BRANCH", "v1"), codefresh, func(b *Build) { b.Branch, b.Trigger = "v1", "tag" }},
		{"codefresh, by hand", codefreshPush.but("CF_BUILD_TRIGGER", "build", "CF_COMMIT_AUTHOR", ""), codefresh, func(b *Build) { b.Author, b.Trigger = "joe", "manual" }},
		{"codefresh, schedule, without a repository", codefreshPush.but("CF_BUILD_TRIGGER", "cron", "CF_REPO_OWNER", "", "CF_REPO_NAME", "", "CF_BRANCH", "", "CF_REVISION", "", "CF_COMMIT_AUTHOR", "", "CF_COMMIT_MESSAGE", ""), codefresh, func(b *Build) {
			b.Project, b.Branch, b.Commit, b.Title, b.Author, b.Trigger = "backend/api-tests", "", "", "", "joe", "schedule"
		}},
		{"codefresh, restart", codefreshPush.but("CF_BUILD_ID", "5ffef04e1d0ac0ea83ef4b4f", "CF_BUILD_URL", "https://g.codefresh.io/build/5ffef04e1d0ac0ea83ef4b4f"), codefresh, func(b *Build) {
			b.URL, b.Run = "https://g.codefresh.io/build/5ffef04e1d0ac0ea83ef4b4f", "codefresh https://g.codefresh.io 5ffef04e1d0ac0ea83ef4b4f"
		}},
		{"codefresh that does not tell its address", codefreshPush.but("CF_URL", ""), codefresh, func(b *Build) { b.Run = "" }},

		{"teamcity", teamcityPush, teamcity, nil},
		{"teamcity, as older versions write addresses", teamcityPush.but("BUILD_URL", "https://Teamcity.example.com/viewLog.html?buildId=48211&buildTypeId=Acme_Api_Unit"), teamcity, func(b *Build) {
			b.URL = "https://Teamcity.example.com/viewLog.html?buildId=48211&buildTypeId=Acme_Api_Unit"
		}},
		{"teamcity below a path", teamcityPush.but("BUILD_URL", "https://example.com/teamcity/buildConfiguration/Acme_Api_Unit/48211"), teamcity, func(b *Build) {
			b.URL, b.Run = "https://example.com/teamcity/buildConfiguration/Acme_Api_Unit/48211", "teamcity https://example.com/teamcity 48211"
		}},
		{"teamcity, several VCS roots", teamcityPush.but("BUILD_VCS_NUMBER", "", "BUILD_VCS_NUMBER_Acme_Api", sha), teamcity, func(b *Build) { b.Commit = "" }},
		{"teamcity before it told its address", teamcityPush.but("BUILD_URL", ""), teamcity, func(b *Build) { b.URL, b.Run = "", "" }},

		{"bitrise, push", bitrisePush, bitrise, nil},
		{"bitrise, pull request", bitrisePull, bitrise, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Author, b.Trigger = "topic", head, "Accept tabs", "", "pull_request"
		}},
		{"bitrise, pull request that tells no head, and is tested merged", bitrisePull.but("BITRISE_GIT_COMMIT", "", "BITRISE_GIT_MESSAGE", ""), bitrise, func(b *Build) {
			b.Branch, b.Commit, b.Title, b.Author, b.Trigger = "topic", "", "", "", "pull_request"
		}},
		{"bitrise, tag", bitrisePush.but("BITRISE_GIT_TAG", "v1"), bitrise, func(b *Build) { b.Branch, b.Trigger = "v1", "tag" }},
		{"bitrise, by hand, after the clone", bitrisePush.but("BITRISE_GIT_COMMIT", "", "BITRISE_GIT_MESSAGE", ""), bitrise, nil},
		{"bitrise, before the clone", bitrisePush.but("GIT_CLONE_COMMIT_HASH", "", "GIT_CLONE_COMMIT_MESSAGE_SUBJECT", "", "GIT_CLONE_COMMIT_AUTHOR_NAME", ""), bitrise, func(b *Build) { b.Author = "" }},
		{"bitrise, parallel", bitrisePush.but("BITRISE_IO_PARALLEL_TOTAL", "3", "BITRISE_IO_PARALLEL_INDEX", "0"), bitrise, func(b *Build) { b.Step = "unit_tests/0" }},
		{"bitrise, one copy", bitrisePush.but("BITRISE_IO_PARALLEL_TOTAL", "1", "BITRISE_IO_PARALLEL_INDEX", "0"), bitrise, nil},
		{"bitrise, a workflow outside of a pipeline", bitrisePush.but("BITRISEIO_PIPELINE_ID", "", "BITRISEIO_PIPELINE_TITLE", "", "BITRISEIO_PIPELINE_BUILD_URL", ""), bitrise, func(b *Build) {
			b.URL, b.Run = "https://app.bitrise.io/build/2f0c7a0e-9d2b-4b1c-8a41-8f7c3d4f5a10", "bitrise 2f0c7a0e-9d2b-4b1c-8a41-8f7c3d4f5a10"
		}},
		{"bitrise, as it numbered builds once", bitrisePush.but("BITRISEIO_PIPELINE_ID", "", "BITRISEIO_PIPELINE_BUILD_URL", "", "BITRISE_BUILD_SLUG", "5CA2B43E1F0D9876", "BITRISE_BUILD_URL", "https://app.bitrise.io/build/5ca2b43e1f0d9876"), bitrise, func(b *Build) {
			b.URL, b.Run = "https://app.bitrise.io/build/5ca2b43e1f0d9876", "bitrise 5ca2b43e1f0d9876"
		}},
		{"bitrise, a repository that it cannot name", bitrisePush.but("BITRISEIO_GIT_REPOSITORY_OWNER", "", "BITRISEIO_GIT_REPOSITORY_SLUG", ""), bitrise, func(b *Build) { b.Project = "API" }},
		{"bitrise with an id of another kind", bitrisePush.but("BITRISEIO_PIPELINE_ID", "512"), bitrise, func(b *Build) { b.Run = "" }},

		{"bitbucket, push", bitbucketPush, bitbucket, nil},
		{"bitbucket, pull request", bitbucketPush.but("BITBUCKET_BRANCH", "topic", "BITBUCKET_PR_ID", "7", "BITBUCKET_PR_DESTINATION_BRANCH", "main"), bitbucket, func(b *Build) { b.Branch, b.Trigger = "topic", "pull_request" }},
		{"bitbucket, tag", bitbucketPush.but("BITBUCKET_BRANCH", "", "BITBUCKET_TAG", "v1"), bitbucket, func(b *Build) { b.Branch, b.Trigger = "v1", "tag" }},
		{"bitbucket, rerun of the failed steps", bitbucketPush.but("BITBUCKET_STEP_RUN_NUMBER", "2"), bitbucket, func(b *Build) { b.Retry, b.Step = "2", "step/1fd5b4c0-2" }},
		{"bitbucket, before it named pipelines and steps", bitbucketPush.but("BITBUCKET_PIPELINE_UUID", "", "BITBUCKET_STEP_UUID", ""), bitbucket, func(b *Build) { b.Run, b.Step = "", "step" }},

		{"jenkins, branch", jenkinsPush, jenkins, nil},
		{"jenkins, pull request", jenkinsPush.but("JOB_NAME", "acme/api/PR-24", "BUILD_URL", "http://server:8080/jenkins/job/acme/job/api/job/PR-24/15/", "BRANCH_NAME", "PR-24", "CHANGE_ID", "24",
			"CHANGE_BRANCH", "topic", "CHANGE_TITLE", "Accept tabs", "CHANGE_AUTHOR", "jane", "CHANGE_AUTHOR_DISPLAY_NAME", "Jane Doe"), jenkins, func(b *Build) {
			b.Branch, b.Title, b.Author, b.Trigger = "topic", "Accept tabs", "Jane Doe", "pull_request"
			b.URL, b.Run = "http://server:8080/jenkins/job/acme/job/api/job/PR-24/15/", "jenkins http://server:8080/jenkins/job/acme/job/api/job/PR-24/15"
		}},
		{"jenkins, tag", jenkinsPush.but("JOB_NAME", "acme/api/v1", "BUILD_URL", "http://server:8080/jenkins/job/acme/job/api/job/v1/15/", "BRANCH_NAME", "v1", "TAG_NAME", "v1"), jenkins, func(b *Build) {
			b.Branch, b.Trigger, b.URL, b.Run = "v1", "tag", "http://server:8080/jenkins/job/acme/job/api/job/v1/15/", "jenkins http://server:8080/jenkins/job/acme/job/api/job/v1/15"
		}},
		{"jenkins, one job", jenkinsPush.but("JOB_NAME", "foo", "BUILD_URL", "http://server:8080/jenkins/job/foo/15/", "BRANCH_NAME", "", "GIT_BRANCH", "origin/main", "STAGE_NAME", ""), jenkins, func(b *Build) {
			b.Project, b.Branch, b.Step, b.URL, b.Run = "foo", "main", "", "http://server:8080/jenkins/job/foo/15/", "jenkins http://server:8080/jenkins/job/foo/15"
		}},
		{"jenkins, matrix project", jenkinsMatrix, jenkins, func(b *Build) {
			b.Project, b.Branch, b.Step, b.URL, b.Run = "acme/foo", "", "jdk-21-os-linux", jenkinsMatrix["BUILD_URL"], "jenkins http://server:8080/jenkins/job/acme/job/foo/15"
		}},
		{"jenkins that knows no address of its own, on an agent that has one", jenkinsPush.but("JENKINS_URL", "http://jenkins:8080/", "BUILD_URL", ""), jenkins, func(b *Build) { b.URL, b.Run = "", "" }},
	} {
		want := c.from
		if c.want != nil {
			c.want(&want)
		}
		got, ok := Detect(c.env.env())
		got.Secrets = nil
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, want)
		}
	}
}

// TestDetect_OneRun is what makes jobs on several machines one build: all
// compute one Run, and each its own step key.
func TestDetect_OneRun(t *testing.T) {
	t.Parallel()
	for name, jobs := range map[string][]env{
		"github": {
			githubPush, githubPush.but("GITHUB_JOB", "test", "RUNNER_NAME", "Hosted Agent 7"), githubPush.but("GITHUB_JOB", "test", "GITHUB_EVENT_PATH", "", "GITHUB_ACTION", "__run_3"),
			githubMatrix, githubMatrix.but("ACTIONS_ORCHESTRATION_ID", "3e77825e-0f10-4ef9-9852-a3291ffef79a.build._2"),
		},
		"gitea, runners with other addresses": {giteaPush, giteaPush.but("GITHUB_JOB", "test", "GITHUB_SERVER_URL", "https://git.example.com", "GITHUB_EVENT_PATH", "")},
		"gitlab":                              {gitlabPush, gitlabPush.but("CI_JOB_NAME", "lint"), gitlabPush.but("CI_JOB_RETRY_COUNT", "1"), gitlabPush.but("CI_JOB_NAME", "cc: [c]"), gitlabPush.but("CI_JOB_NAME", "cc: [c++]")},
		"gitlab, before it counted":           {gitlabPush.but("CI_JOB_RETRY_COUNT", ""), gitlabPush.but("CI_JOB_RETRY_COUNT", "", "CI_JOB_ID", "9876544")},
		"buildkite":                           {buildkitePush, buildkitePush.but("BUILDKITE_STEP_KEY", "lint"), buildkitePush.but("BUILDKITE_RETRY_COUNT", "1"), buildkitePush.but("BUILDKITE_RETRY_COUNT", "2")},
		"circleci":                            {circleciPush, circleciPush.but("CIRCLE_JOB", "lint", "CIRCLE_BUILD_URL", "https://circleci.com/gh/acme/api/4"), circleciPush.but("CIRCLE_NODE_TOTAL", "2"), circleciPush.but("CIRCLE_NODE_TOTAL", "2", "CIRCLE_NODE_INDEX", "1")},
		"azure, agents with other addresses":  {azurePush, azurePush.but("SYSTEM_PHASENAME", "Test", "SYSTEM_COLLECTIONURI", "https://fabrikamfiber.visualstudio.com/"), azurePush.but("SYSTEM_JOBATTEMPT", "2")},
		"woodpecker":                          {woodpeckerPush, woodpeckerPush.but("CI_STEP_NAME", "test"), woodpeckerPush.but("CI_WORKFLOW_NUMBER", "2")},
		"drone":                               {dronePush, dronePush.but("DRONE_STEP_NAME", "frontend"), dronePush.but("DRONE_STAGE_NAME", "arm64")},
		"travis":                              {travisPush, travisPush.but("TRAVIS_JOB_NUMBER", "4.2")},
		"semaphore":                           {semaphorePush, semaphorePush.but("SEMAPHORE_BLOCK_NAME", "Lint"), semaphorePush.but("SEMAPHORE_JOB_NAME", "Lint"), semaphorePush.but("SEMAPHORE_JOB_INDEX", "1", "SEMAPHORE_JOB_COUNT", "2"), semaphorePush.but("SEMAPHORE_JOB_INDEX", "2", "SEMAPHORE_JOB_COUNT", "2")},
		"appveyor":                            {appveyorPush, appveyorPush.but("APPVEYOR_JOB_NUMBER", "2"), appveyorPush.but("APPVEYOR_JOB_NAME", "Lint", "APPVEYOR_JOB_NUMBER", "3")},
		"codefresh":                           {codefreshPush, codefreshPush.but("CF_STEP_NAME", "lint")},
		"teamcity":                            {teamcityPush},
		"bitrise": {
			bitrisePush, bitrisePush.but("BITRISE_TRIGGERED_WORKFLOW_ID", "lint", "BITRISE_BUILD_SLUG", "3f0c7a0e-9d2b-4b1c-8a41-8f7c3d4f5a10", "GIT_CLONE_COMMIT_HASH", ""),
			bitrisePush.but("BITRISE_IO_PARALLEL_TOTAL", "2", "BITRISE_IO_PARALLEL_INDEX", "0"), bitrisePush.but("BITRISE_IO_PARALLEL_TOTAL", "2", "BITRISE_IO_PARALLEL_INDEX", "1"),
		},
		"bitbucket":                          {bitbucketPush, bitbucketPush.but("BITBUCKET_STEP_UUID", "{2fd5b4c0-7c6a-4f39-8a0e-5b7f43e0a1d2}"), bitbucketPush.but("BITBUCKET_STEP_RUN_NUMBER", "2")},
		"jenkins, before and after checkout": {jenkinsPush, jenkinsPush.but("STAGE_NAME", "Deploy", "GIT_COMMIT", "", "GIT_BRANCH", "", "NODE_NAME", "linux-2")},
		"jenkins, matrix project": {
			jenkinsMatrix, jenkinsMatrix.but("JOB_NAME", "acme/foo/jdk=21,os=mac", "BUILD_URL", "http://server:8080/jenkins/job/acme/job/foo/jdk=21,os=mac/15/"),
		},
		"names in other scripts": {gitlabPush.but("CI_JOB_NAME", "テスト"), gitlabPush.but("CI_JOB_NAME", "デプロイ"), gitlabPush.but("CI_JOB_NAME", strings.Repeat("long ", 90)+"a"), gitlabPush.but("CI_JOB_NAME", strings.Repeat("long ", 90)+"b")},
	} {
		first, _ := Detect(jobs[0].env())
		seen := map[ci.StepKey]bool{}
		for _, job := range jobs {
			b, _ := Detect(job.env())
			if b.Run == "" || b.Run != first.Run || b.Project != first.Project {
				t.Errorf("%s: a job is of run %q of %q, the first of %q of %q", name, b.Run, b.Project, first.Run, first.Project)
			}
			if b.Step == "" || seen[b.Step] {
				t.Errorf("%s: two jobs are step %q", name, b.Step)
			}
			seen[b.Step] = true
		}
	}
}

// TestDetect_OtherRuns is the other side: what is another run has another Run.
func TestDetect_OtherRuns(t *testing.T) {
	t.Parallel()
	runs := map[string]env{
		"github, re-run": githubPush.but("GITHUB_RUN_ATTEMPT", "2"), "github, another run": githubPush.but("GITHUB_RUN_ID", "1658821494"),
		"github, another repository": githubPush.but("GITHUB_REPOSITORY", "acme/api"), "github, another server": githubPush.but("GITHUB_SERVER_URL", "https://github.acme.example"),
		"gitea": giteaPush, "gitea, another run": giteaPush.but("GITHUB_RUN_ID", "18"), "gitea, the same number elsewhere": giteaPush.but("GITHUB_SHA", head), "forgejo": forgejoPush,
		"gitlab, another pipeline": gitlabPush.but("CI_PIPELINE_ID", "7"), "gitlab, another server": gitlabPush.but("CI_SERVER_URL", "https://gitlab.com"),
		"azure, another build": azurePush.but("BUILD_BUILDID", "1431"), "azure, another organization": azurePush.but("SYSTEM_COLLECTIONID", "5aa7c894-c8c0-435b-bc17-13923b90f163"),
		"woodpecker, counted anew": woodpeckerPush.but("CI_PIPELINE_CREATED", "1822617519"),
		"drone, counted anew":      dronePush.but("DRONE_BUILD_CREATED", "1822617519"), "travis, another server": travisPush.but("TRAVIS_BUILD_WEB_URL", "https://travis.acme.example/acme/api/builds/46812085"),
		"semaphore, another pipeline": semaphorePush.but("SEMAPHORE_PIPELINE_ID", "f40a1ce1-2c4e-4b8e-9a43-2d8c5d1b7f60"),
		"appveyor, another build":     appveyorPush.but("APPVEYOR_BUILD_ID", "16428433"), "appveyor, another server": appveyorPush.but("APPVEYOR_URL", "https://appveyor.acme.example"),
		"codefresh, another build": codefreshPush.but("CF_BUILD_ID", "5ffef04e1d0ac0ea83ef4b4f"), "codefresh, another server": codefreshPush.but("CF_URL", "https://codefresh.acme.example"),
		"teamcity, another build":     teamcityPush.but("BUILD_URL", "https://teamcity.example.com/buildConfiguration/Acme_Api_Unit/48212"),
		"teamcity, another server":    teamcityPush.but("BUILD_URL", "https://teamcity.acme.example/buildConfiguration/Acme_Api_Unit/48211"),
		"bitrise, another pipeline":   bitrisePush.but("BITRISEIO_PIPELINE_ID", "8b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"),
		"bitrise, outside of one":     bitrisePush.but("BITRISEIO_PIPELINE_ID", ""),
		"bitbucket, another pipeline": bitbucketPush.but("BITBUCKET_PIPELINE_UUID", "{f40a1ce1-2c4e-4b8e-9a43-2d8c5d1b7f60}"),
		"jenkins, another build":      jenkinsPush.but("BUILD_URL", "http://server:8080/jenkins/job/acme/job/api/job/feature%252Ffoo/16/"),
		"jenkins, another server":     jenkinsPush.but("BUILD_URL", "http://other:8080/jenkins/job/acme/job/api/job/feature%252Ffoo/15/"),
	}
	for _, c := range known {
		runs[c.system] = c.env
	}
	seen := map[string]string{}
	for name, e := range runs {
		b, _ := Detect(e.env())
		if b.Run == "" || seen[b.Run] != "" {
			t.Errorf("%s has the run %q, and so has %q", name, b.Run, seen[b.Run])
		}
		seen[b.Run] = name
	}
}

func TestDetect_Which(t *testing.T) {
	t.Parallel()
	if len(known) != len(systems) {
		t.Fatalf("%d systems are asked and %d are tested here", len(systems), len(known))
	}
	all := env{}
	for _, c := range known {
		maps.Copy(all, c.env)
	}
	all["CI"] = "woodpecker"
	for _, c := range known {
		if b, ok := Detect(all.env()); !ok || b.System != c.system {
			t.Errorf("without what comes before %s it is %q", c.system, b.System)
		}
		all = all.but(c.marker, "")
		if c.system == "woodpecker" {
			all["CI"] = "true"
		}
	}
	for name, e := range map[string]env{
		"nothing":                         {},
		"CI alone":                        {"CI": "true", "BUILD_NUMBER": "7", "CI_COMMIT_SHA": sha},
		"what is left of all":             all,
		"a simulation that says so":       {"CI": "true", "GITLAB_CI": "false", "CI_PIPELINE_ID": "1000"},
		"a pipeline run locally":          bitbucketPush.but("BITBUCKET_BUILD_NUMBER", "0"),
		"a CF_BUILD_ID of another kind":   {"CI": "true", "CF_BUILD_ID": "42"},
		"test tools that speak TeamCity":  {"CI": "true", "TEAMCITY_VERSION": "2025.07", "BUILD_NUMBER": "7"},
		"the address of a Jenkins server": {"JENKINS_URL": "http://server:8080/"},
	} {
		if b, ok := Detect(e.env()); ok || b.System != "" || b.Run != "" {
			t.Errorf("%s is taken for %+v", name, b)
		}
	}
	if b, ok := Detect(Env{}); ok || len(b.Secrets) != 0 {
		t.Errorf("no environment is %+v", b)
	}
}

func TestDetect_Malformed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("b", 10_000)
	bad := gitlabPush.but("CI_COMMIT_REF_NAME", long, "CI_COMMIT_TITLE", "one\x1b[31m\ntwo", "CI_COMMIT_SHA", sha+"\n"+sha, "CI_PIPELINE_URL", "javascript:alert(1)",
		"CI_COMMIT_AUTHOR", strings.Repeat("é", 300), "CI_PROJECT_PATH", "../\x00/", "CI_PIPELINE_SOURCE", "odd\tword")
	b, ok := Detect(bad.env())
	if !ok || b.Branch != "" || b.Commit != "" || b.URL != "" || b.Project != "" || b.Title != "one [31m" || b.Trigger != "odd word" || len(b.Author) != ci.MaxShort || b.Run == "" {
		t.Errorf("%+v", b)
	}
	for address, want := range map[string]string{
		"https://jane:secret@gitlab.example.com/p/1": "https://gitlab.example.com/p/1", "ftp://example.com": "", "https://": "", "//example.com": "", "https://example.com/a b": "",
		"https://example.com/" + long: "", "%": "", "HTTPS://example.com": "HTTPS://example.com", "https://example.com/\x7f": "",
	} {
		if b, _ := Detect(gitlabPush.but("CI_PIPELINE_URL", address).env()); b.URL != want {
			t.Errorf("%q became %q, want %q", address, b.URL, want)
		}
	}
	for _, event := range []string{"", "null", "[]", `{"pull_request":null,"head_commit":null}`, `{"pull_request":7,"head_commit":{"message":["x"],"author":"x"}}`, `{"pull_request":{"head":{"ref":7,"sha":{}}}}`, strings.Repeat("[", 100_000)} {
		if b, _ := Detect(githubPush.but("event", event).env()); b.Branch != "feature-branch-1" || b.Commit != sha || b.Author != "octocat" {
			t.Errorf("with the event %.40q: %+v", event, b)
		}
	}
	for name, e := range map[string]env{
		"no number":         githubPush.but("GITHUB_RUN_ID", "x"),
		"a negative number": gitlabPush.but("CI_PIPELINE_ID", "-7"),
		"no address":        gitlabPush.but("CI_SERVER_URL", "gitlab.example.com"),
		"no UUID":           buildkitePush.but("BUILDKITE_BUILD_ID", "1514"),
		"no UUID either":    circleciPush.but("CIRCLE_WORKFLOW_ID", "00000000-0000-0000-0000-000000000000"),
		"no build's page":   teamcityPush.but("BUILD_URL", "https://teamcity.example.com/project/Acme_Api"),
		"a control":         jenkinsPush.but("BUILD_URL", "http://a\x07b/"),
	} {
		if b, _ := Detect(e.env()); b.Run != "" {
			t.Errorf("%s is part of the run %q", name, b.Run)
		}
	}
}

func TestDetect_Secrets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		env  env
		want []string
	}{
		{"no system", env{"STEPCAST_TOKEN": "sct_1"}, []string{"sct_1"}},
		{"github", githubPush.but("GITHUB_TOKEN", "ghs_1", "ACTIONS_RUNTIME_TOKEN", "rt", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "id", "STEPCAST_TOKEN", "sct_1"), []string{"sct_1", "ghs_1", "rt", "id"}},
		{"gitlab", gitlabPush.but("CI_REGISTRY_PASSWORD", "glcbt-64_secret", "CI_DEPLOY_PASSWORD", "deploy", "CI_JOB_JWT_V2", "jwt"), []string{"glcbt-64_secret", "deploy", "jwt"}},
		{"azure", azurePush, []string{"azure-secret"}},
		{"circleci", circleciPush.but("CIRCLE_OIDC_TOKEN_V2", "ey.two"), []string{"ey.secret", "ey.two"}},
		{"semaphore", semaphorePush.but("SEMAPHORE_REGISTRY_PASSWORD", "registry"), []string{"ey.secret", "artifact", "registry"}},
		{"codefresh", codefreshPush, []string{"cf-secret"}},
		{"teamcity, which gives commands none", teamcityPush.but("STEPCAST_TOKEN", "sct_1"), []string{"sct_1"}},
		{"bitrise", bitrisePush.but("BITRISEIO_BITRISE_SERVICES_ACCESS_TOKEN", "services", "BITRISE_BUILD_CACHE_AUTH_TOKEN", "cache", "BITRISE_IDENTITY_TOKEN", "ey.id", "GIT_HTTP_PASSWORD", "clone"), []string{"api-secret", "services", "cache", "ey.id", "clone"}},
		{"bitbucket", bitbucketPush.but("PIPELINES_JWT_TOKEN", "jwt"), []string{"ey.secret", "jwt"}},
		{"gitlab inside of circleci", circleciPush.but("GITLAB_CI", "true", "CI_JOB_TOKEN", "job"), []string{"job", "ey.secret"}},
		{"buildkite", buildkitePush.but("BUILDKITE_AGENT_ACCESS_TOKEN", "agent", "NPM_TOKEN", "npm-secret", "SHORT_PASSWORD", "12345", "TOKENS", "not-secret", "AWS_SECRET_ACCESS_KEY", "aws-secret"), []string{"agent", "aws-secret", "npm-secret"}},
		{"buildkite, configured", buildkitePush.but("BUILDKITE_REDACTED_VARS", "*_PIN, OTHER,[", "MY_PIN", "123456", "OTHER", "also-secret", "NPM_TOKEN", "shown"), []string{"123456", "also-secret"}},
		{"patterns elsewhere", gitlabPush.but("CI_JOB_TOKEN", "", "NPM_TOKEN", "npm-secret"), nil},
	} {
		if b, _ := Detect(c.env.env()); !slices.Equal(b.Secrets, c.want) {
			t.Errorf("%s: %q, want %q", c.name, b.Secrets, c.want)
		}
	}
}

func TestBuild_StepNamed(t *testing.T) {
	t.Parallel()
	first, _ := Detect(gitlabPush.env())
	again, _ := Detect(gitlabPush.but("CI_JOB_RETRY_COUNT", "2").env())
	for _, c := range []struct {
		name        string
		once, twice ci.StepKey
	}{
		{"test/linux", "test/linux", "test/linux-3"}, {"Unit tests", "Unit-tests", "Unit-tests-3"}, {"", "", ""}, {"  ", "", ""},
	} {
		if a, b := first.StepNamed(c.name), again.StepNamed(c.name); a != c.once || b != c.twice {
			t.Errorf("%q is %q and then %q, want %q and %q", c.name, a, b, c.once, c.twice)
		}
	}
}

func TestProcess(t *testing.T) {
	t.Setenv("STEPCAST_CIENV_TEST", "x=y")
	e := Process()
	if got := e.Get("STEPCAST_CIENV_TEST"); got != "x=y" || !slices.Contains(e.Names(), "STEPCAST_CIENV_TEST") {
		t.Errorf("got %q of %q", got, e.Names())
	}
	dir := t.TempDir()
	small, big := filepath.Join(dir, "small"), filepath.Join(dir, "big")
	if err := os.WriteFile(small, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if data, err := e.ReadFile(small); err != nil || string(data) != "{}" {
		t.Errorf("a file is %q, %v", data, err)
	}
	others := []string{big, dir, filepath.Join(dir, "none")}
	if runtime.GOOS != "windows" {
		pipe := filepath.Join(dir, "pipe")
		if err := exec.Command("mkfifo", pipe).Run(); err == nil {
			others = append(others, pipe)
		}
	}
	for _, name := range others {
		if data, err := e.ReadFile(name); err == nil {
			t.Errorf("%s is read: %d bytes", name, len(data))
		}
	}
}

// FuzzDetect holds what everybody relies on: whatever the environment, each
// field is valid or empty.
func FuzzDetect(f *testing.F) {
	for _, e := range []env{githubPush, githubPull, giteaPush, gitlabPush, gitlabMerge, buildkitePush, circleciPush, azurePush, woodpeckerPush, dronePush, travisPush, jenkinsPush, bitbucketPush, semaphorePush, semaphorePull, appveyorPush, appveyorPull, codefreshPush, codefreshPull, teamcityPush, bitrisePush, bitrisePull} {
		for _, name := range slices.Sorted(maps.Keys(e)) {
			f.Add(name+"="+e[name], "CI_JOB_NAME=\xff\x00../é\n", e["event"], uint8(3))
		}
	}
	bases := []env{githubPull, giteaPush, gitlabMerge, buildkitePush, circleciPush, azurePush, woodpeckerPush, dronePush, travisPush, jenkinsPush, bitbucketPush, semaphorePull, appveyorPull, codefreshPull, teamcityPush, bitrisePull, {}} // the corpus counts from the first: a new one goes before the last
	f.Fuzz(func(t *testing.T, one, other, event string, base uint8) {
		e := bases[int(base)%len(bases)].but("event", event)
		for _, pair := range []string{one, other} {
			name, value, _ := strings.Cut(pair, "=")
			e[name] = value
		}
		b, ok := Detect(e.env())
		if ok != (b.System != "") {
			t.Fatalf("%v with the system %q", ok, b.System)
		}
		if b.Project != "" && ci.CheckProject(b.Project) != nil {
			t.Errorf("project %q", b.Project)
		}
		for _, key := range []ci.StepKey{b.Step, b.StepNamed(one), b.StepNamed(event)} {
			if key != "" && ci.CheckStepKey(string(key)) != nil {
				t.Errorf("step key %q", key)
			}
		}
		for name, field := range map[string]struct {
			text  string
			limit int
		}{
			"branch": {b.Branch, ci.MaxBranch}, "commit": {b.Commit, ci.MaxShort}, "title": {b.Title, ci.MaxTitle}, "author": {b.Author, ci.MaxShort},
			"url": {b.URL, ci.MaxURL}, "trigger": {b.Trigger, ci.MaxShort}, "run": {b.Run, 10_000},
		} {
			if len(field.text) > field.limit || !utf8.ValidString(field.text) || strings.ContainsFunc(field.text, unicode.IsControl) {
				t.Errorf("%s %q", name, field.text)
			}
		}
		if b.URL != "" {
			if u, err := url.Parse(b.URL); err != nil || u.Host == "" || u.User != nil {
				t.Errorf("url %q", b.URL)
			}
		}
		if strings.Contains(b.Run, "  ") || strings.HasSuffix(b.Run, " ") {
			t.Errorf("run %q lacks a part", b.Run)
		}
		if slices.Contains(b.Secrets, "") {
			t.Error("the empty text is a secret")
		}
	})
}
