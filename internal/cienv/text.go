package cienv

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

// whole returns s if it is one line of at most limit bytes, else "": cut short
// or cleaned, a branch or a commit would name another.
func whole(s string, limit int) string {
	s = strings.TrimSpace(s)
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}

func firstLine(s string) string {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	if end := strings.IndexAny(s, "\r\n"); end >= 0 {
		s = s[:end]
	}
	return s
}

// webAddress returns an address that a page may link to, without a password,
// or "".
func webAddress(s string) string {
	s = whole(s, ci.MaxURL)
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(s, " \"<>\\") {
		return ""
	}
	if u.User == nil {
		return s
	}
	u.User = nil
	return whole(u.String(), ci.MaxURL)
}

// server returns the address of a server as it is written in a Run: in lower
// case where case means nothing, without a slash at the end; or "".
func server(s string) string {
	u, err := url.Parse(webAddress(s))
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.EscapedPath(), "/")
}

// number returns a whole number above 0 in its one spelling, or "".
func number(s string) string {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// identifier returns a UUID in its one spelling, or "".
func identifier(s string) string {
	id, err := ci.ParseBuildID(s) // the same form
	if err != nil || id == (ci.BuildID{}) {
		return ""
	}
	return id.String()
}

// run joins what names a run, or returns "" when a part of it is missing.
func run(system string, parts ...string) string {
	for _, part := range parts {
		if whole(part, ci.MaxURL) == "" {
			return ""
		}
		system += " " + part
	}
	return system
}

// branchOf returns the branch or tag of a git ref, and "" for one that is
// neither, such as the merge of a pull request.
func branchOf(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			return name
		}
	}
	if strings.HasPrefix(ref, "refs/") {
		return ""
	}
	return ref
}

// Lengths of a step key, in bytes.
const (
	maxPart = 80              // the name of a stage, a job
	maxStem = ci.MaxName - 30 // all of them; leaves room for Retry
	hashLen = 6
)

// stepKey makes a key of the names of a stage, a job, a copy; empty ones are
// left out. What two names are told apart by is not lost: where a name has
// more than a key can show, a hash of it is added.
func stepKey(retry string, names ...string) ci.StepKey {
	var parts []string
	for _, name := range names {
		if name = keyPart(name); name != "" {
			parts = append(parts, name)
		}
	}
	key := strings.Join(parts, "/")
	if len(key) > maxStem {
		key = strings.TrimRight(key[:maxStem-hashLen-1], "./-") + "-" + hash(key)
	}
	if key != "" && retry != "" {
		key += "-" + retry
	}
	return ci.StepKeyOf(key)
}

func keyPart(name string) string {
	name = strings.TrimSpace(name)
	if name == "" {
		return ""
	}
	short := name
	if len(short) > maxPart {
		short = short[:maxPart]
	}
	key := string(ci.StepKeyOf(short))
	if len(short) == len(name) && key != "" && !strings.ContainsFunc(name, telling) {
		return key
	}
	return strings.TrimLeft(key+"-"+hash(name), "-")
}

// telling tells whether a character that keys do not have may be all that
// tells two names apart, as in "c" and "c++"; others stand between words, or
// are pictures.
func telling(r rune) bool {
	if r > unicode.MaxASCII {
		return unicode.IsLetter(r) || unicode.IsNumber(r)
	}
	return strings.ContainsRune("!#$%&*+<>?@^`~", r)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:hashLen]
}
