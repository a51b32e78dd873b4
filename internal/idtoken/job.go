package idtoken

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/cienv"
)

// Job is what a verified token says of a job.
type Job struct {
	Issuer     string
	Repository string    // whose code it runs
	Run        string    // as internal/cienv has it: what its builds' ids are derived from
	Name       string    // what people read of it
	Expires    time.Time // when the token does
	Sum        [32]byte  // tells the token from any other

	claims claims
	rules  []Rule
}

// claims are the members of a token.
type claims map[string]json.RawMessage

func parseClaims(payload []byte) (c claims, err error) {
	err = json.Unmarshal(payload, &c)
	return c, err
}

// text returns a claim that is a text, a number or a truth, as text; ok is
// false when it is anything else, empty, or not there.
func (c claims) text(name string) (s string, ok bool) {
	raw := bytes.TrimSpace(c[name])
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || raw[0] == 'n' {
		return "", false
	}
	if raw[0] != '"' {
		return string(raw), true
	}
	return s, json.Unmarshal(raw, &s) == nil && s != ""
}

// time returns a claim that is a time, in seconds, RFC 7519; ok is false when
// it is none.
func (c claims) time(name string) (at time.Time, ok bool) {
	var seconds float64
	if json.Unmarshal(c[name], &seconds) != nil || seconds < 0 || seconds > 253402300799 { // the year 9999
		return at, false
	}
	return time.Unix(int64(seconds), 0), c[name] != nil && string(c[name]) != "null"
}

// has tells whether a claim is a text, or a list that holds it.
func (c claims) has(name, value string) bool {
	var list []string
	if one, ok := c.text(name); ok {
		list = []string{one}
	} else if json.Unmarshal(c[name], &list) != nil {
		return false
	}
	return slices.Contains(list, value)
}

// newJob reads what a verified token says of a job.
func newJob(issuer Issuer, payload []byte) (*Job, error) {
	c, err := parseClaims(payload)
	if err != nil {
		return nil, malformed("its claims are no JSON object")
	}
	j := &Job{Issuer: issuer.URL, claims: c, Sum: sumOf(issuer.URL, c, payload)}
	var missing []string
	need := func(name string) string {
		s, ok := c.text(name)
		if !ok {
			missing = append(missing, name)
		}
		return s
	}
	switch issuer.system {
	case github:
		j.Repository = need("repository")
		id, attempt := need("run_id"), need("run_attempt")
		j.Run = cienv.GitHubRun(issuer.server, j.Repository, id, attempt)
		workflow, _ := c.text("workflow")
		j.Name = fmt.Sprintf("GitHub Actions: %s, %s, run %s, attempt %s", j.Repository, workflow, id, attempt)
	case gitlab:
		// Of a merge request from a fork this is the fork, though the pipeline is
		// the target's: what counts is whose code runs.
		j.Repository = need("project_path")
		pipeline := need("pipeline_id")
		j.Run = cienv.GitLabRun(issuer.server, pipeline)
		id, _ := c.text("job_id")
		j.Name = fmt.Sprintf("GitLab CI: %s, pipeline %s, job %s", j.Repository, pipeline, id)
	}
	switch {
	case len(missing) > 0:
		return nil, malformed("it does not say " + strings.Join(missing, ", ") + ", as those of jobs do")
	case j.Run == "" || !repositoryForm.MatchString(j.Repository):
		return nil, malformed("what it says of the repository or the run is not as those of jobs say it")
	}
	j.Name = ci.OneLine(j.Name, maxName)
	return j, nil
}

// maxName bounds a job's name, in bytes.
const maxName = 200

// sumOf tells a token from any other of all issuers: by its id, or, without
// one, by all that it says.
func sumOf(issuer string, c claims, payload []byte) [32]byte {
	if id, ok := c.text("jti"); ok {
		return sha256.Sum256([]byte("id\n" + issuer + "\n" + id))
	}
	return sha256.Sum256(append([]byte("claims\n"+issuer+"\n"), payload...))
}

// CheckBuild says why the job may not write to a build of a project: it is none
// of its run.
func (j *Job) CheckBuild(project string, id ci.BuildID) error {
	for n := range ci.MaxSeries {
		if id == ci.DerivedBuildID(ci.RunOf(project, j.Run), n) {
			return nil
		}
	}
	return &ci.Problem{Code: OtherRun, Field: "build", Detail: "The build is none of this job's run; leave out --build and STEPCAST_BUILD, or give the job a token in STEPCAST_TOKEN."}
}

// CheckProject says why the job may not report to a project: no rule allows it.
func (j *Job) CheckProject(project string) error {
	refusal := fmt.Sprintf("The repository %s may not report here; whoever runs the server can allow it with --runner-allow.", j.Repository)
	for i := range j.rules {
		r := &j.rules[i]
		if !r.covers(j) {
			continue
		}
		wrong, lacks := r.lacks(j)
		switch {
		case lacks:
			refusal = fmt.Sprintf("Jobs of %s may report here only with %s, and this one has another or none.", j.Repository, wrong)
		case r.allows(j, project):
			return nil
		default:
			refusal = fmt.Sprintf("Jobs of %s may not report to this project; whoever runs the server can allow it with --runner-allow.", j.Repository)
		}
	}
	return &ci.Problem{Code: NotAllowed, Detail: refusal}
}

func malformed(why string) error {
	return &ci.Problem{Code: Malformed, Field: "jwt", Detail: "This is no ID token of a job: " + why + "."}
}
