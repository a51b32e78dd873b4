package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// mostHints is how many sentences one answer has.
const mostHints = 10

// Hints are sentences about a request that was taken and looks like a mistake: nothing is
// refused that a build might not outlive, and its runner's author reads them.
type hints []string

func (h *hints) add(format string, args ...any) {
	if len(*h) < mostHints {
		*h = append(*h, fmt.Sprintf(format, args...))
	}
}

// append appends them to an answer, as its last member.
func (h hints) append(answer []byte) ([]byte, error) {
	if len(h) == 0 {
		return answer, nil
	}
	list, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return append(append(answer, `,"hints":`...), list...), nil
}

// otherText is what is said of text that was sent for a byte of a log, or of a step's, and
// is not what that has.
const otherText = "Byte %d of %s is something else than what was sent for it; what was there first stays. An offset counts bytes, not characters, and one alone sends the text of a step."

// charactersText is what is said of text that was there already, at an offset at which one
// would go on who counts characters.
const charactersText = "Byte %d of %s was there already. It is where the piece before ends for who counts characters, and an offset counts bytes; if this was a repeat, all is well."

// texts says where repeated text is not what the logs have, is of bytes that were reported
// lost, or has an offset in characters.
func (h *hints) texts(found compared) {
	of := func(step ci.StepKey) string { return "the log of step " + string(step) }
	for _, step := range slices.Sorted(maps.Keys(found.differs)) {
		h.add(otherText, found.differs[step], of(step))
	}
	for _, step := range slices.Sorted(maps.Keys(found.lost)) {
		h.add("Byte %d of %s, and maybe more, was reported lost, and stays so: text for it is not kept.", found.lost[step], of(step))
	}
	for _, step := range slices.Sorted(maps.Keys(found.characters)) {
		if _, told := found.differs[step]; !told {
			h.add(charactersText, found.characters[step], of(step))
		}
	}
}

// notes says which repeated notes are not those that are kept. What cannot be compared
// now is as if it were the same.
func (h *hints) notes(ctx context.Context, store *postgres.Store, log ci.LogID, receipt *ci.Receipt) {
	if len(receipt.RepeatedNotes) == 0 {
		return
	}
	others, _ := store.OtherNotes(ctx, log, receipt.RepeatedNotes)
	for _, u := range others {
		h.add("Step %s has another note of number %d, which stays. Notes of a step are numbered on through all requests; the next one there is %d.", u.Step, u.Number, receipt.Notes[u.Step])
	}
}

// ends says which exit codes do not go with their status, or are none.
func (h *hints) ends(updates []ci.Update) {
	for i := range updates {
		u := updates[i].Step
		if u == nil || !u.ExitCode.Present || u.ExitCode.Null {
			continue
		}
		code, status := u.ExitCode.Value, u.Status.Value
		if status == ci.Passed && code != 0 || status == ci.Failed && code == 0 {
			h.add("Step %s %s with exit code %d; the status is what counts.", u.Key, status, code)
		}
		if code > 255 && code <= 255<<8 && code&255 == 0 {
			h.add("The exit code %d of step %s looks like a wait status, as of Python's os.system: then the exit code is %d.", code, u.Key, code>>8)
		}
	}
}

// oddSentences say of a step, or of the build, what a receipt does.
var oddSentences = map[ci.Odd]string{
	ci.OddLost:    "Step %s had not ended when the build did, and is lost, unless its status comes within 24 hours. Send the steps' before the build's.",
	ci.OddFailed:  "Step %s failed, and the build passed; the build's status is what counts.",
	ci.OddSkipped: "Step %s never began, and is skipped, as the build passed. If it ran, it was reported under another key.",
	ci.OddNeed:    "Step %s needs %s, and there is no such step.",
	ci.OddAgain:   "Step %s has ended, and stays so. What runs again is a step of its own, under another key; if this was a repeat, all is well.",
	ci.OddUnlined: "The log of step %s has no line end, so it is one line by now; each line has to end with a line feed, as the escape \\n in JSON. If the command wrote none, all is well.",
	ci.OddOpen:    "Step %s has an exit code, or an end, and goes on: it ends with a status, which is passed, failed, canceled or skipped.",
	ci.OddGoesOn:  "The build has an end, and goes on: it ends with a status, which is passed, failed, canceled or skipped.",
	ci.OddRerun:   "The build has ended, and stays so. A rerun is a build of its own, under another id; if this was a repeat, all is well.",
	ci.OddLate:    "Text of step %s came after the build had ended, and is kept. Who followed the build live has mostly gone by then, since its end says that nothing more comes; send all text before the build's final status.",
	ci.OddTail:    "Text of step %s came after its final status, and is kept. Who followed its log alone has gone by then; send the status behind the text, best with log_bytes, which lets no text be missed.",
	ci.OddSeams:   "Texts of step %s have lines, and the last ones all end without a line end, so that lines of two are one: joined lines need one behind the last as well. If they were cut at any byte, all is well.",
	ci.OddTwice:   "Text of step %s is the same as what came right before it, and is in the log twice. What is sent again goes to the offset that it had, and is stored once; if the command wrote it twice, all is well.",
	ci.OddWhole:   "A text of step %s begins as its log does, and was put behind that: where the whole is sent again, its offset is 0, and what is there already is stored once. If the command wrote so, all is well.",
}

func (h *hints) odd(all []ci.Oddity) {
	for _, o := range all {
		var of []any
		if o.Step != "" {
			of = append(of, o.Step)
		}
		if o.Need != "" {
			of = append(of, o.Need)
		}
		h.add(oddSentences[o.What], of...)
	}
}

// encodings says which texts look like what another encoding has made of them.
func (h *hints) encodings(updates []ci.Update) {
	for i := range updates {
		u := updates[i].Log
		if u == nil || u.Lost > 0 {
			continue
		}
		if why := encodedTwice(&u.Chunk); why != "" {
			h.add("The text of step %s at offset %d %s.", u.Step, u.Offset, why)
		}
	}
}

// encodedTwice says what a text looks like; "": it looks as it should.
func encodedTwice(chunk *ci.Chunk) string {
	if !chunk.Escaped { // it came as base64
		if name := looksLike(chunk.Body); name != "" {
			return fmt.Sprintf("begins like %s, and is kept as it came; what is shown is UTF-8", name)
		}
		if looksLatin(chunk.Body) {
			return "looks like ISO-8859-1, and is kept as it came; what is shown is UTF-8"
		}
		if endsWithin(chunk.Body) {
			return "ends within a character, whose parts are shown as U+FFFD each; cut a text between two characters"
		}
		return ""
	}
	ends := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return bytes.HasSuffix(chunk.Body, []byte(part)) })
	}
	switch {
	case chunk.Lines == 0 && ends(`\\n`, `\\n'`, `\\n\"`):
		return "ends with a backslash and an n, which is no line end: it was encoded once more than JSON does, or is bytes of Python made a str"
	case chunk.Lines == 0 && ends(`\\n']`, `\\n\"]`, `\\n\"}`):
		return "is one line, and has a backslash and an n where it ends: a list or an object that was made a string is no text; send the text itself, with line ends"
	case chunk.Lines == 0 && bytes.Count(chunk.Body, []byte(`\\n`)) >= 2 && !bytes.ContainsAny(chunk.Body, "{["):
		return "has backslashes with an n behind them, and no line end: it was encoded once more than JSON does; if the command wrote so, all is well"
	case chunk.Lines == 0 && looksBase64(chunk.Body):
		return "is base64 of text, and is shown as it came; base64 goes into the field base64, and is text there"
	case bytes.HasPrefix(chunk.Body, []byte("b'")) && ends(`\\n'\n`), bytes.HasPrefix(chunk.Body, []byte(`b\"`)) && ends(`\\n\"\n`):
		return "is bytes of Python made a str, with b and quotes around it; decode them, or send base64"
	case bytes.HasPrefix(chunk.Body, []byte("b'")) && ends(`'\n`), bytes.HasPrefix(chunk.Body, []byte(`b\"`)) && ends(`\"\n`):
		return "looks like bytes of Python made a str, with b and quotes around it: decode them, or send base64; if the command wrote so, all is well"
	case bytes.HasPrefix(chunk.Body, []byte("'")) && ends(`\\n'\n`), bytes.HasPrefix(chunk.Body, []byte(`\"`)) && ends(`\\n\"\n`):
		return "has quotes around it, and a backslash and an n before the last: it is the notation of a text, as json.dumps and repr make it, and not the text itself; if the command wrote so, all is well"
	case losesBackslashes(chunk.Body):
		return "has a drive's letter, a colon, and no backslash but a control character behind them, as where text was put into JSON without its escapes and \\t is a tab: let an encoder make the JSON, as jq -Rs . does; if the command wrote so, all is well"
	}
	if why := decodedWrongly(chunk); why != "" {
		return why + "; decode whole characters, as UTF-8, or send the bytes as base64"
	}
	return ""
}

// losesBackslashes tells whether a text in JSON's escapes has what becomes of a path of Windows
// whose backslashes were taken for escapes: C:\temp has a tab then.
func losesBackslashes(escaped []byte) bool {
	// All text comes by here: with the expression alone, ingest was 2.5 times slower.
	for from := 0; ; {
		colon := bytes.Index(escaped[from:], []byte(`:\`))
		if colon < 0 {
			return false
		}
		at := from + colon
		if drives.Match(escaped[max(0, at-3):min(len(escaped), at+4)]) {
			return true
		}
		from = at + 2
	}
}

// drives matches the letter of a drive at the beginning of a word, with a control character
// that is no line feed in place of the first letter of a name.
var drives = regexp.MustCompile(`(^|[^A-Za-z0-9]|\\[nrt])[A-Z]:\\[bfrt][A-Za-z]`)

// looksBase64 tells whether a text is base64 of text that ends with a line end.
func looksBase64(text []byte) bool {
	if len(text) < 8 || len(text)%4 != 0 {
		return false
	}
	raw, err := base64.StdEncoding.AppendDecode(nil, text)
	return err == nil && bytes.HasSuffix(raw, []byte("\n")) && utf8.Valid(raw) && !bytes.ContainsRune(raw, 0)
}

// overlaps says where a text begins before the one before it in the request ends: nobody
// repeats what stands beside it.
func (h *hints) overlaps(updates []ci.Update) {
	ends := make(map[ci.StepKey]int64)
	for i := range updates {
		u := updates[i].Log
		if u == nil {
			continue
		}
		length := u.Chunk.Bytes + u.Lost
		if end, before := ends[u.Step]; before && u.Offset < end && length > 0 {
			h.add("The text of step %s at offset %d begins before the one before it ends, at %d. An offset counts bytes, not characters.", u.Step, u.Offset, end)
		}
		ends[u.Step] = max(ends[u.Step], u.Offset+length)
	}
}

// soon is how far ahead the clock of whoever reports may be, and nothing is said of it.
const soon = 5 * time.Minute

// times says which times can hardly be true. They are taken all the same: clocks are
// wrong, and no build is to lose its status by that.
func (h *hints) times(updates []ci.Update, now time.Time) {
	said := func(name, what string, key ci.StepKey, at time.Time) {
		if at.Year() <= 2000 || at.After(now.Add(soon)) {
			h.add("The %s of %s is %s, which can hardly be: it is %s here. Z stands for UTC.", name, what+string(key), at.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
	}
	look := func(what string, key ci.StepKey, started, finished ci.Field[time.Time], status ci.Status) {
		given := func(at ci.Field[time.Time]) bool { return at.Present && !at.Null }
		if given(started) {
			said("started_at", what, key, started.Value)
		}
		if !given(finished) {
			return
		}
		said("finished_at", what, key, finished.Value)
		if finished.Value.Before(started.Value) {
			h.add("The finished_at of %s is before its started_at.", what+string(key))
		}
		if status == ci.Queued || status == ci.Running {
			h.add("A finished_at came with the status %s of %s; send it with the final one.", status, what+string(key))
		}
	}
	for i := range updates {
		if u := updates[i].Step; u != nil {
			look("step ", u.Key, u.StartedAt, u.FinishedAt, u.Status.Value)
		}
		if u := updates[i].Build; u != nil {
			look("the build", "", u.StartedAt, u.FinishedAt, u.Status.Value)
		}
		if u := updates[i].Log; u != nil && !u.At.IsZero() {
			said("at", "a text of step ", u.Step, u.At)
		}
		if u := updates[i].Note; u != nil && !u.At.IsZero() {
			said("at", "a note of step ", u.Step, u.At)
		}
	}
}

// branch says where a branch is a name of Git's for it, or none: what asks for the build
// by its branch does not find it then.
func (h *hints) branch(branch ci.Field[string]) {
	of := branch.Value
	if of == "HEAD" {
		h.add("The branch is HEAD, as Git calls a commit that is checked out without its branch. CI systems have the branch in a variable; badges and lists that ask for it do not find the build.")
		return
	}
	if of == "null" || strings.HasPrefix(of, "$") {
		h.add("The branch is %s, as where a variable was not there; leave the field out if there is no branch.", of)
		return
	}
	short := strings.TrimPrefix(of, "refs/")
	name, whole := strings.CutPrefix(short, "heads/")
	if remote, ok := strings.CutPrefix(short, "remotes/"); ok {
		_, name, whole = strings.Cut(remote, "/") // behind the name of the remote
	}
	if whole {
		h.add("The branch is %s, as Git calls it in full; badges and lists that ask for the branch %s do not find the build.", of, name)
		return
	}
	if name, remote := strings.CutPrefix(of, "origin/"); remote {
		h.add("The branch is %s, as Git calls what it has fetched of %s; badges and lists that ask for the branch %s do not find the build.", of, name, name)
	}
}

// creations are the builds that were created without an id, lately and through this process.
type creations struct {
	seed maphash.Seed
	by   recent[uint64, creation] // a hash of the caller and of the request
}

type creation struct {
	build ci.BuildID
	at    time.Time
}

// mostCreations is how many are remembered, half of them or all, and createdLately for how
// long whoever asks for the same again is told.
const (
	mostCreations = 1000
	createdLately = time.Minute
)

// hash is of a request by itself and of who sent it, and never 0.
func (c *creations) hash(who string, request []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(who)
	h.WriteByte(0)
	h.Write(request)
	return max(1, h.Sum64())
}

// alike says of a build that got its id here that another was made by the same request just
// before, as if that was sent again.
func (h *hints) alike(all *creations, request uint64, build ci.BuildID, now time.Time) {
	before, known := all.by.swap(request, creation{build, now})
	if known && now.Sub(before.at) < createdLately {
		h.add("The same request came just before, for the build %s. If it was sent again for want of an answer, there are two builds now: with an id that you choose, a creation is there once however often it is sent.", before.build)
	}
}

// creation says what of a build's creation was not taken, since the build was there.
func (h *hints) creation(c *ci.Creation, b *postgres.Snapshot) {
	if b.Build.Status.Final() {
		h.add("This build is there already, and has ended. A rerun is a build of its own: choose another id, or leave it out.")
	}
	for _, text := range []struct {
		name string
		want ci.Field[string]
		have ci.Text
	}{{"branch", c.Branch, b.Build.Branch}, {"commit", c.Commit, b.Build.Commit}, {"title", c.Title, b.Build.Title}, {"author", c.Author, b.Build.Author}, {"url", c.URL, b.Build.URL}, {"trigger", c.Trigger, b.Build.Trigger}} {
		if text.want.Present && text.want.Value != string(text.have) {
			h.add("The build is there already, and keeps its %s; what is to be changed goes to …/updates.", text.name)
		}
	}
	if c.Status.Present && c.Status.Value != b.Build.Status {
		h.add("The build is there already, and is %s; a status is changed by …/updates.", b.Build.Status)
	}
	there := make(map[ci.StepKey]bool, len(b.Steps))
	for i := range b.Steps {
		there[b.Steps[i].Key] = true
	}
	for i := range c.Steps {
		if key := c.Steps[i].Key; !there[key] {
			h.add("The build is there already, without the step %s; steps are added by …/updates.", key)
		}
	}
}
