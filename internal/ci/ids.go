package ci

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// BuildID is the public name of a build: a UUID, chosen by the runner or, as
// version 7, by the server. Those that are derived from a project's runs are for
// builds of that project alone; see [DerivedBuildID].
type BuildID uuid.UUID

// NewBuildID returns a fresh version 7 id.
func NewBuildID() BuildID { return BuildID(uuid.Must(uuid.NewV7())) }

// buildSpace is the namespace of derived build ids: the version 5 UUID of
// https://github.com/stepcast/stepcast#build in the URL namespace of RFC 9562.
// It never changes, or a job of an old client and one of a new would miss each
// other's build.
var buildSpace = uuid.MustParse("824e4820-2614-5245-96c3-37f056d9e238")

// RunOf names a run of a CI system as that of a project: what is derived from it
// is a build of that project and can be no other's. Of a project that is not
// known, "", it is the run alone.
func RunOf(project, run string) string {
	if project == "" || run == "" {
		return run
	}
	return run + "\n" + project
}

// DerivedBuildID returns the id that everybody derives from the name of a run,
// so that jobs on several machines report into one build without talking to each
// other. n is the place in the fixed series of ids of this run: 0, and the next
// whenever one is found to be taken. run is not empty, or strangers would share
// a build.
//
// Runs have numbers, which others can guess, and who comes first with an id has
// it. So the id of a run that is a project's (see [RunOf]) is one that the server
// takes for this project alone: a UUID of version 8 that begins with the project's
// mark. Of any other run it is one of version 5.
func DerivedBuildID(run string, n int) BuildID {
	id := BuildID(uuid.NewSHA1(buildSpace, []byte(strconv.Itoa(n)+"\n"+run)))
	if _, project, is := strings.Cut(run, "\n"); is {
		mark := projectMark(project)
		copy(id[:], mark[:])
	}
	return id
}

// projectMark is how the ids begin that are derived for a project: six bytes of a
// hash, slow because six bytes could be searched for otherwise, and derivedMark.
func projectMark(project string) (mark [8]byte) {
	key, err := pbkdf2.Key(sha256.New, project, buildSpace[:], 4096, 6)
	if err != nil {
		panic(err) // the parameters are right
	}
	return [8]byte(append(key, derivedMark[:]...))
}

// derivedMark tells a derived id from what others make up, who may take random
// bits for a UUID: the version, and twelve bits of ours.
var derivedMark = [2]byte{0x85, 0xca}

// CheckProject says why a build of a project cannot have the id.
func (id BuildID) CheckProject(project string) error {
	if [2]byte(id[6:8]) == derivedMark && [8]byte(id[:8]) != projectMark(project) {
		return &Problem{Code: Invalid, Field: "id", Detail: "The id is derived from a run of another project; leave it out, or choose a random one."}
	}
	return nil
}

// MaxSeries is how many ids of a run's series are tried, and no more.
const MaxSeries = 8

// ParseBuildID reads the canonical 36 character form, in either case. Other
// spellings of a UUID (braces, urn:, no dashes) are refused, so that a build
// has one address.
func ParseBuildID(s string) (BuildID, error) {
	if s == "" { // of a shell's variable, most likely
		return BuildID{}, &Problem{Code: InvalidID, Detail: "The build id is empty; the variable that it is taken from may be empty."}
	}
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		return BuildID{}, &Problem{Code: InvalidID, Detail: fmt.Sprintf("The build id %s is not a UUID such as 0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10.", quoted(s))}
	}
	return BuildID(id), nil
}

// String returns the canonical lower-case form.
func (id BuildID) String() string { return uuid.UUID(id).String() }

// MarshalText returns the canonical lower-case form.
func (id BuildID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// UnmarshalText reads what MarshalText wrote.
func (id *BuildID) UnmarshalText(text []byte) error {
	parsed, err := ParseBuildID(string(text))
	*id = parsed
	return err
}

// LogID names a log inside one database: the row number of its build, or
// [FeedLog]. It never leaves the server.
type LogID int64

// FeedLog is the one server-wide log of build and step events.
const FeedLog LogID = 0

// EventID is an event's place in its log: 1, 2, 3 … without holes, in commit
// order. 0 as a cursor means "nothing seen yet".
type EventID int64

// Epoch names one history of the database. It is random and is replaced
// whenever the history was rewound, so that a cursor of the former history is
// noticed.
type Epoch uuid.UUID

// NewEpoch returns a random epoch.
func NewEpoch() Epoch { return Epoch(uuid.New()) }

// LogName is what a log is called on the wire: a build's UUID, or "feed".
type LogName string

// FeedName is the feed's name on the wire.
const FeedName LogName = "feed"

// Name returns the name of the build's log.
func (id BuildID) Name() LogName { return LogName(id.String()) }

// CursorPrefix is the six characters that an event id of this log begins with
// on the wire. They are a hash of epoch and log, so that a cursor of another
// log or of a rewound history is noticed.
func CursorPrefix(epoch Epoch, log LogName) string {
	sum := sha256.Sum256(append(append([]byte(nil), epoch[:]...), log...))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:4]))[:6]
}

// Cursor is an event id as it stands on the wire, such as "k3f9qa-1201". It is
// opaque to clients.
type Cursor struct {
	Prefix string
	ID     EventID
}

// String returns the wire form.
func (c Cursor) String() string { return c.Prefix + "-" + strconv.FormatInt(int64(c.ID), 10) }

// ParseCursor reads the wire form; ok is false for anything that String does
// not produce.
func ParseCursor(s string) (c Cursor, ok bool) {
	if len(s) < 8 || len(s) > 26 || s[6] != '-' {
		return Cursor{}, false
	}
	for _, r := range s[:6] {
		if (r < 'a' || r > 'z') && (r < '2' || r > '7') {
			return Cursor{}, false
		}
	}
	digits := s[7:]
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != digits {
		return Cursor{}, false
	}
	return Cursor{Prefix: s[:6], ID: EventID(n)}, true
}
