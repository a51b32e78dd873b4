package ci

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Quota is one that was used up: how much log text is kept of a build, or of
// a project in a day.
type Quota struct {
	Of    string `json:"of"`    // OfBuild or OfProject
	Bytes int64  `json:"bytes"` // of text; at least 1
}

// What a quota is of.
const (
	OfBuild   = "build"
	OfProject = "project"
)

// MarshalJSON has a sentence for people, too.
func (q Quota) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Of    string `json:"of"`
		Bytes int64  `json:"bytes"`
		Why   string `json:"why"`
	}{q.Of, q.Bytes, "The rest was not kept: " + q.Why() + "."})
}

// String is the form in which a quota is stored.
func (q Quota) String() string {
	if q == (Quota{}) {
		return ""
	}
	return q.Of + " " + strconv.FormatInt(q.Bytes, 10)
}

// ParseQuota reads what String wrote.
func ParseQuota(text string) (q Quota, ok bool) {
	of, number, _ := strings.Cut(text, " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if of != OfBuild && of != OfProject || err != nil || n <= 0 || strconv.FormatInt(n, 10) != number {
		return Quota{}, false
	}
	return Quota{of, n}, true
}

// Why says to a person why the rest of a log was not kept, in words that go
// after a colon.
func (q Quota) Why() string {
	if q.Of == OfProject {
		return fmt.Sprintf("the project's log quota of %s a day is used up", Size(q.Bytes))
	}
	return fmt.Sprintf("this build's log quota of %s is used up", Size(q.Bytes))
}

// Quotas are how much text is kept. A zero bounds nothing.
type Quotas struct {
	Build   int64 // bytes of a build, all its steps together
	Project int64 // bytes of its project in a day, all its builds together
	Spent   int64 // of Project: what is used up before the request, as far as is known
}

// A row of the log takes about 200 bytes on disk beside its text. Few builds send so
// little at a time so often that this is most of what they take; of one that does, each
// event beyond the first freeEvents counts like eventBytes of text: a byte, a hole, a
// status, and also a line that shares its row with others, for the state does not tell.
const (
	freeEvents = 1 << 16
	eventBytes = 128
)

// spent is how much of its quotas a build has used up.
func (s *State) spent() int64 {
	return max(s.Text, eventBytes*(int64(s.Last)-freeEvents))
}

// room is how many bytes of text are kept yet, and the quota that says so.
func (c *Change) room() (bytes int64, of Quota) {
	quotas, spent := &c.state.Quotas, c.state.spent()
	bytes = math.MaxInt64
	if n := quotas.Build; n > 0 {
		bytes, of = max(0, n-spent), Quota{OfBuild, n}
	}
	if n := quotas.Project - quotas.Spent - (spent - c.undo.spent); quotas.Project > 0 && n < bytes {
		bytes, of = max(0, n), Quota{OfProject, quotas.Project}
	}
	return bytes, of
}

// Size shows a number of bytes to a person, in the largest unit that it is one
// of at least: "4 GiB", "1.5 MiB", "1 byte".
func Size(bytes int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB"}
	value, unit := float64(bytes), ""
	for i := 0; i < len(units) && value >= 1024; i++ {
		value, unit = value/1024, units[i]
	}
	switch {
	case unit != "":
		return strconv.FormatFloat(math.Round(value*10)/10, 'f', -1, 64) + " " + unit
	case bytes == 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", bytes)
}
