package ci

import (
	"fmt"
	"strings"
)

// Limits of the names and texts of a build, in bytes, and of its parts. They
// are part of the HTTP contract.
const (
	MaxName     = 200 // a project, a step key
	MaxTitle    = 1000
	MaxBranch   = 250
	MaxURL      = 2000
	MaxSteps    = 2000    // steps of a build
	MaxNeeds    = 100     // needs of a step
	MaxUpdates  = 1000    // updates of a request
	MaxSaid     = 4 << 20 // bytes of the step events of a request; each repeats the whole step
	MaxSegments = 4       // segments of a project
)

// StepKey names a step in its build: segments of [A-Za-z0-9._-] joined by "/",
// at most 200 bytes. It needs no escaping in JSON, SQL or SSE.
type StepKey string

// CheckStepKey says why s cannot be a step key.
func CheckStepKey(s string) error {
	if len(s) > MaxName {
		return &Problem{Code: TooLong, Field: "key", Limit: MaxName, Detail: fmt.Sprintf("The step key %s is longer than %d bytes.", quoted(s), MaxName)}
	}
	if why := checkName(s); why != "" {
		return &Problem{Code: Invalid, Field: "key", Detail: fmt.Sprintf("The step key %s %s.", quoted(s), why)}
	}
	return nil
}

// CheckProject says why s cannot be a project.
func CheckProject(s string) error {
	if len(s) > MaxName {
		return &Problem{Code: TooLong, Field: "project", Limit: MaxName, Detail: fmt.Sprintf("The project %s is longer than %d bytes.", quoted(s), MaxName)}
	}
	why := checkName(s)
	switch {
	case why != "":
	case strings.Count(s, "/") >= MaxSegments:
		why = fmt.Sprintf("has more than %d segments", MaxSegments)
	case strings.HasSuffix(s, ".svg"), strings.HasSuffix(s, ".json"):
		why = "must not end in .svg or .json, which are addresses of its badges"
	default:
		return nil
	}
	return &Problem{Code: Invalid, Field: "project", Detail: fmt.Sprintf("The project %s %s.", quoted(s), why)}
}

func checkName(s string) string {
	if s == "" {
		return "is empty"
	}
	for segment := range strings.SplitSeq(s, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "has a segment that is empty, \".\" or \"..\""
		}
		for i := range len(segment) {
			if !nameByte(segment[i]) {
				return "may hold only letters, digits, \".\", \"_\", \"-\" and \"/\""
			}
		}
	}
	return ""
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '.' || b == '_' || b == '-'
}

// quoted shows a name from outside in an error: bounded, and with nothing in
// it that could disturb a terminal.
func quoted(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}

// Project patterns: a name, or a name with "/*" that matches at any depth
// below it, or "*".

// CheckPattern says why s cannot be a project pattern.
func CheckPattern(s string) error {
	pattern := s
	if s == "*" {
		return nil
	}
	if prefix, deep := strings.CutSuffix(s, "/*"); deep {
		s = prefix + "/x" // a pattern makes sense if it covers something
	}
	if err := CheckProject(s); err != nil {
		return &Problem{Code: Invalid, Field: "project", Detail: fmt.Sprintf("The project pattern %s is neither a project, nor one followed by /*, nor *.", quoted(pattern))}
	}
	return nil
}

// MatchProject tells whether a project is covered by a pattern.
func MatchProject(pattern, project string) bool {
	if pattern == "*" || pattern == project {
		return true
	}
	prefix, deep := strings.CutSuffix(pattern, "*")
	return deep && strings.HasSuffix(prefix, "/") && strings.HasPrefix(project, prefix)
}
