package cienv

import (
	"path"
	"slices"
	"strings"
)

// secretNames are variables that are always secret. They are looked for
// whatever the system, as one may run inside another.
var secretNames = []string{
	"STEPCAST_TOKEN", idTokenName,
	// GitHub, Gitea, Forgejo. A workflow has to hand the first three on itself.
	"GITHUB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
	// GitLab. CI_REPOSITORY_URL holds the job's token and no other secret.
	"CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD", "CI_DEPLOY_PASSWORD", "CI_DEPENDENCY_PROXY_PASSWORD",
	"CI_JOB_JWT", "CI_JOB_JWT_V1", "CI_JOB_JWT_V2", "CI_BUILD_TOKEN", "HARBOR_PASSWORD",
	"BUILDKITE_AGENT_ACCESS_TOKEN", "BUILDKITE_AGENT_JOB_API_TOKEN", "BUILDKITE_S3_SECRET_ACCESS_KEY",
	"CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2",
	"SYSTEM_ACCESSTOKEN", // Azure
	"CI_NETRC_PASSWORD",  // Woodpecker
	"DRONE_NETRC_PASSWORD",
	"SEMAPHORE_OIDC_TOKEN", "SEMAPHORE_ARTIFACT_TOKEN", "SEMAPHORE_REGISTRY_PASSWORD",
	"BITBUCKET_STEP_OIDC_TOKEN", "PIPELINES_JWT_TOKEN", // Bitbucket
	"CF_API_KEY", // Codefresh
	"BITRISE_BUILD_API_TOKEN", "BITRISEIO_BITRISE_SERVICES_ACCESS_TOKEN", "BITRISE_BUILD_CACHE_AUTH_TOKEN",
	"BITRISE_IDENTITY_TOKEN", "GIT_HTTP_PASSWORD", // Bitrise
	"JENKINS_SECRET", // of an inbound agent in a container
}

// redactedVars is what Buildkite's agent takes for secret when nothing else is
// configured, of https://buildkite.com/docs/pipelines/configure/managing-log-output.
const redactedVars = "*_PASSWORD,*_SECRET,*_TOKEN,*_PRIVATE_KEY,*_SSH_KEY,*_ACCESS_KEY,*_SECRET_KEY,*_CONNECTION_STRING,*_API_KEY"

// minRedacted is the shortest value, in bytes, that is a secret for its name's
// sake alone, as in Buildkite's agent: to hide every "1" hides nothing else.
const minRedacted = 6

// secrets returns the values that must not be shown, each once.
func secrets(v vars, system string) []string {
	var values []string
	add := func(value string, least int) {
		if len(value) >= least && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	for _, name := range secretNames {
		add(v.get(name), 1)
	}
	if system != "buildkite" || v.env.Names == nil {
		return values
	}
	patterns := v.get("BUILDKITE_REDACTED_VARS")
	if patterns == "" {
		patterns = redactedVars
	}
	for _, name := range v.env.Names() {
		for pattern := range strings.SplitSeq(patterns, ",") {
			if match, err := path.Match(strings.TrimSpace(pattern), name); err == nil && match {
				add(v.get(name), minRedacted)
				break
			}
		}
	}
	return values
}
