package cienv

import (
	"net/url"
	"path"
)

// inTeamCity asks for the configuration too: TEAMCITY_VERSION alone is also set
// by hand, to make test tools speak TeamCity's log commands.
func inTeamCity(v vars) bool {
	return v.get("TEAMCITY_VERSION") != "" && v.get("TEAMCITY_BUILDCONF_NAME") != ""
}

// teamcity reads the environment of TeamCity:
// https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html
//
// A build of a configuration runs on one agent and is a run of one job; those
// that it depends on in a chain are builds of their own. Its variables tell
// neither the branch nor what set it off, which are parameters of the server
// alone, and the commit only where there is one VCS root. BUILD_URL, which
// older versions do not set, names the run: BUILD_NUMBER is text that anybody
// may choose.
func teamcity(v vars) Build {
	return Build{
		System:  "teamcity",
		Project: v.get("TEAMCITY_PROJECT_NAME"),
		Commit:  v.get("BUILD_VCS_NUMBER"),
		URL:     v.get("BUILD_URL"),
		Run:     run("teamcity", teamcityBuild(v.get("BUILD_URL"))...),
		Step:    stepKey("", v.get("TEAMCITY_BUILDCONF_NAME")),
	}
}

// teamcityBuild returns the server and the id of the build that an address is
// of: https://host/buildConfiguration/Acme_Api/7, or as older versions write
// it, https://host/viewLog.html?buildId=7&buildTypeId=Acme_Api.
func teamcityBuild(address string) []string {
	u, err := url.Parse(webAddress(address))
	if err != nil {
		return []string{""}
	}
	id, at := u.Query().Get("buildId"), path.Dir(u.Path)
	if id == "" {
		id, at = path.Base(u.Path), path.Dir(path.Dir(at))
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = at, "", "", ""
	return []string{server(u.String()), number(id)}
}
