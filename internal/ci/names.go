package ci

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the names and texts of a build, in bytes, and of its parts. They
// are part of the HTTP contract.
const (
	MaxName     = 200 // a project, a step key
	MaxTitle    = 1000
	MaxBranch   = 250
	MaxShort    = 250 // a commit, an author, a trigger
	MaxURL      = 2000
	MaxSteps    = 2000    // steps of a build
	MaxNeeds    = 100     // needs of a step
	MaxUpdates  = 1000    // updates of a request
	MaxPlan     = 1 << 20 // bytes of the keys, names and needs of all steps of a build
	MaxSaid     = 4 << 20 // bytes of the events that a request's updates of steps and of the build make; each repeats all of it
	MaxSegments = 4       // segments of a project
	MaxReporter = 100     // a step's reporter
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
		return "is empty; the variable that it is taken from may be empty"
	}
	for segment := range strings.SplitSeq(s, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "has a segment that is empty, \".\" or \"..\""
		}
		for i := range len(segment) {
			if !nameByte(segment[i]) {
				return "may hold only A-Z, a-z, 0-9 and . _ - /"
			}
		}
	}
	return ""
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '.' || b == '_' || b == '-'
}

// ProjectName makes a project's name of any text, such as the path of a
// repository: its last four segments, or "" when nothing of it can be a name.
func ProjectName(text string) string {
	segments := nameSegments(text)
	name := strings.Join(segments[max(0, len(segments)-MaxSegments):], "/")
	for _, ext := range []string{".svg", ".json"} {
		if strings.HasSuffix(name, ext) {
			name = strings.TrimSuffix(name, ext) + "-" + ext[1:]
		}
	}
	if CheckProject(name) != nil {
		return ""
	}
	return name
}

// StepKeyOf makes a step key of any text, such as the name of a job; "" when
// nothing of it can be a key, or when it is too long for one.
func StepKeyOf(text string) StepKey {
	key := strings.Join(nameSegments(text), "/")
	if CheckStepKey(key) != nil {
		return ""
	}
	return StepKey(key)
}

// nameSegments cuts s at its slashes and brings each segment into the form that
// names have: a run of other characters becomes one dash, none at the ends.
func nameSegments(s string) []string {
	var segments []string
	for segment := range strings.SplitSeq(s, "/") {
		var b strings.Builder
		other := false
		for _, r := range segment {
			if r >= utf8.RuneSelf || !nameByte(byte(r)) {
				other = true
				continue
			}
			if other {
				b.WriteByte('-')
				other = false
			}
			b.WriteRune(r)
		}
		if name := strings.Trim(b.String(), "-"); name != "" && name != "." && name != ".." {
			segments = append(segments, name)
		}
	}
	return segments
}

// OneLine makes one line of at most limit bytes of any text: line ends and
// other control characters become spaces.
func OneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}

// Excerpt is [OneLine] for people: what is cut short ends with "…", which comes
// on top of the limit.
func Excerpt(s string, limit int) string {
	line := OneLine(s, len(s))
	if len(line) <= limit {
		return line
	}
	return strings.TrimSpace(OneLine(line, limit)) + "…"
}

// TurnsText tells whether a character turns what follows it around (an
// embedding, override or isolate of Unicode's UAX #9, or a mark of right to
// left), so that it reads otherwise than it stands.
func TurnsText(r rune) bool {
	return r == 0x061c || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
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

// PatternsOf are all the patterns that a project matches, itself first.
func PatternsOf(project string) []string {
	patterns := []string{project}
	for i := strings.LastIndexByte(project, '/'); i > 0; i = strings.LastIndexByte(project[:i], '/') {
		patterns = append(patterns, project[:i]+"/*")
	}
	return append(patterns, "*")
}

// CheckOrigin says why s cannot be the origin of a page. It holds nothing that
// would end it in a header.
func CheckOrigin(s string) error {
	u, err := url.Parse(s)
	if err == nil && len(s) <= MaxName && (u.Scheme == "http" || u.Scheme == "https") && u.Scheme+"://"+u.Host == s && hostForm.MatchString(u.Host) {
		return nil
	}
	return &Problem{Code: Invalid, Field: "frame_ancestors", Detail: fmt.Sprintf("The origin %s is not one such as https://portal.example or http://127.0.0.1:8080, without a path.", quoted(s))}
}

// hostForm is a name or an address, in small letters, with its port.
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$`)
