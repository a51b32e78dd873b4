package ci

import (
	"fmt"
	"slices"
	"time"
)

// State is a build with its steps at one version, which is the id of its
// newest event: every change appends one. It is not safe for concurrent use.
type State struct {
	Log     LogID
	Last    EventID
	Build   Build
	EndedAt time.Time // by the server's clock: when the status became final or lost; zero before
	Steps   []*StepState
	Text    int64  // bytes of log text that are kept, of all steps
	Plan    int    // bytes of the steps' keys, names and needs
	Quotas  Quotas // for what comes; of whoever decides, and no part of the state
	byKey   map[StepKey]*StepState
}

// StepState is a step with what only the server knows of it.
type StepState struct {
	Step
	Number   int       // its place in Build, from 1
	Newlines int64     // in its log
	Unended  bool      // its log has a rest after the last newline
	Holes    int64     // bytes of its log that are not kept
	Cut      Quota     // that was used up: the rest of its log is not kept; zero: it is
	Notes    int64     // how many it has
	Reporter string    // whose it is; empty: nobody has named itself yet
	Assumed  bool      // the server skipped it at the build's end; the reporter may still say otherwise
	EndedAt  time.Time // by the server's clock: when it became final or lost; zero before
	Noticed  Noticed   // of its texts; see odd.go
}

// NewState returns a state as it was read, or a build about to be created.
func NewState(log LogID, last EventID, build Build, endedAt time.Time, steps []*StepState) *State {
	s := &State{Log: log, Last: last, Build: build, EndedAt: endedAt, Steps: steps, byKey: make(map[StepKey]*StepState, len(steps))}
	for _, step := range steps {
		s.byKey[step.Key] = step
		s.Text += step.LogBytes - step.Holes
		s.Plan += step.Plan()
	}
	return s
}

// Plan is how many bytes a step's key, name and needs have.
func (step *StepState) Plan() int {
	bytes := len(step.Key) + len(step.Name)
	for _, need := range step.Needs {
		bytes += len(need)
	}
	return bytes
}

// Step returns the step with that key, or nil.
func (s *State) Step(key StepKey) *StepState { return s.byKey[key] }

// Final tells whether the build's status can no longer change.
func (s *State) Final(now time.Time) bool {
	return s.Build.Status.Final() || s.Build.Status == Lost && now.Sub(s.EndedAt) >= LateFor
}

// Change is what one decided request did to a state.
type Change struct {
	Events  []Event
	Touched []*StepState // in the order of the first touch
	Build   bool         // the build itself changed
	Heard   []Heard
	Receipt Receipt
	Kept    int64 // bytes of text
	Spent   int64 // bytes of the quotas: Kept, or more where text comes in very small pieces
	Over    int64 // bytes of text that were taken and not kept, since a quota was used up

	state *State
	now   time.Time
	said  int // bytes of what updates of steps and of the build said in events
	told  map[StepKey]told
	undo  struct {
		build   Build
		endedAt time.Time
		last    EventID
		text    int64
		spent   int64
		plan    int
		steps   int
		copies  []StepState // of Touched, before
	}
}

// told is the last status event of a step, or of the build, whose key is empty, as long
// as no text and no note of the step came after it.
type told struct {
	event  int // its index
	status Status
}

// Heard is a sign of life of a step's reporter.
type Heard struct {
	Step *StepState
	Beat bool // a heartbeat: from now on the reporter is held to them
}

// Decide applies a request at the time now, the server's clock. What it
// returns has changed the state; Undo takes it back. An error is a *Problem,
// and then the state is as it was.
func (s *State) Decide(r Request, now time.Time) (*Change, error) {
	c := s.begin(now)
	for i, u := range r.Updates {
		var err error
		switch {
		case u.Step != nil:
			err = c.applyStep(u.Step)
		case u.Log != nil:
			err = c.applyLog(u.Log)
		case u.Note != nil:
			err = c.applyNote(u.Note)
		case u.Build != nil:
			err = c.applyBuild(u.Build)
		}
		if err != nil {
			c.Undo()
			return nil, at(i, s.undone(u, err))
		}
	}
	if i, err := c.checkNeeds(r.Updates); err != nil {
		c.Undo()
		return nil, at(i, err)
	}
	for _, key := range r.Alive {
		step := s.byKey[key]
		if step == nil {
			c.Undo()
			return nil, &Problem{Code: UnknownStep, Field: "alive", Detail: fmt.Sprintf("The build has no step %s; announce it before its first heartbeat.", key)}
		}
		c.wakeBuild()
		if c.revive(step) {
			c.emitStep(step)
		}
		c.hear(step, true)
	}
	c.notice(r.Updates)
	c.Receipt.Last = s.Last
	c.Spent = s.spent() - c.undo.spent
	return c, nil
}

// undone makes a refusal say what the server has now that nothing of the request is
// stored: an update before the refused one may have been what it goes on from.
func (s *State) undone(u Update, err error) error {
	p := AsProblem(err)
	var key StepKey
	var count func(*StepState) int64
	switch {
	case u.Log != nil && (p.Code == LogGap || p.Code == LogComplete):
		key, count = u.Log.Step, func(step *StepState) int64 { return step.LogBytes }
	case u.Step != nil && (p.Code == LogIncomplete || p.Code == LogComplete):
		key, count = u.Step.Key, func(step *StepState) int64 { return step.LogBytes }
	case u.Note != nil && p.Code == NoteGap:
		key, count = u.Note.Step, func(step *StepState) int64 { return step.Notes }
	default:
		return err
	}
	have, number := int64(0), p.Offset
	if p.Code == NoteGap {
		number = p.Number
	}
	if step := s.byKey[key]; step != nil {
		have = count(step)
	}
	if have != *number {
		p.Detail = fmt.Sprintf("With what is before it in this request: %s But nothing of the request was stored; the server has %d.", p.Detail, have)
		*number = have
	}
	return err
}

// Create decides the first events of a build: its own, and one for each step.
// The state comes from NewState with the build's identity alone.
func (s *State) Create(r Creation, now time.Time) (*Change, error) {
	c := s.begin(now)
	if err := c.create(r); err != nil {
		c.Undo()
		return nil, err
	}
	c.Receipt.Last = s.Last
	return c, nil
}

func (c *Change) create(r Creation) error {
	s, b := c.state, &c.state.Build
	b.Status, b.CreatedAt = Queued, c.now
	if err := c.describe(&r.BuildUpdate); err != nil {
		return err
	}
	mergeTime(&b.StartedAt, r.StartedAt)
	mergeTime(&b.FinishedAt, r.FinishedAt)
	if to := r.Status.Value; to != "" && to != Queued {
		c.moveBuild(to)
	}
	for _, u := range r.Steps {
		if s.byKey[u.Key] != nil {
			return &Problem{Code: Invalid, Field: "key", Detail: fmt.Sprintf("The step %s is listed twice.", u.Key)}
		}
		step, err := c.addStep(u.Key)
		if err != nil {
			return err
		}
		if err := c.rename(step, &u); err != nil {
			return err
		}
		if b.Status.Final() {
			c.endStep(step, Skipped)
			step.Assumed = true
		}
	}
	if circle := s.circle(s.Steps); circle != nil {
		return cycleProblem(circle)
	}
	c.emitBuild()
	for _, step := range s.Steps {
		c.emitStep(step)
	}
	return nil
}

// LoseStep decides that a running step's reporter went silent.
func (s *State) LoseStep(key StepKey, now time.Time) *Change {
	c := s.begin(now)
	if step := s.byKey[key]; step != nil && step.Status == Running {
		c.touch(step)
		c.endStep(step, Lost)
		c.emitStep(step)
	}
	c.Receipt.Last = s.Last
	return c
}

// LoseBuild decides that nobody reports a running build any more. A build with
// a running step goes on: that step has to be lost first.
func (s *State) LoseBuild(now time.Time) *Change {
	c := s.begin(now)
	running := slices.ContainsFunc(s.Steps, func(step *StepState) bool { return step.Status == Running })
	if s.Build.Status == Running && !running {
		c.moveBuild(Lost)
		c.emitBuild()
	}
	c.Receipt.Last = s.Last
	return c
}

func (s *State) begin(now time.Time) *Change {
	c := &Change{state: s, now: Cut(now)}
	c.undo.build, c.undo.endedAt, c.undo.last, c.undo.text, c.undo.spent, c.undo.plan, c.undo.steps = s.Build, s.EndedAt, s.Last, s.Text, s.spent(), s.Plan, len(s.Steps)
	return c
}

// Undo brings the state back to what it was before the change. Changes are
// undone in reverse order.
func (c *Change) Undo() {
	s := c.state
	s.Build, s.EndedAt, s.Last, s.Text, s.Plan = c.undo.build, c.undo.endedAt, c.undo.last, c.undo.text, c.undo.plan
	for i, step := range c.Touched {
		*step = c.undo.copies[i]
	}
	for _, step := range s.Steps[c.undo.steps:] {
		delete(s.byKey, step.Key)
	}
	s.Steps = s.Steps[:c.undo.steps]
}

func (c *Change) touch(step *StepState) {
	n := len(c.Touched)
	if n > 0 && c.Touched[n-1] == step {
		return
	}
	if !slices.Contains(c.Touched, step) {
		c.Touched = append(c.Touched, step)
		c.undo.copies = append(c.undo.copies, *step)
	}
}

// emitBuild says what the build is now, in so many bytes.
func (c *Change) emitBuild() int {
	c.Build = true
	return c.emitStatus(Event{Kind: KindBuild, At: c.now, Data: buildData(c.now, c.state.Build)}, c.state.Build.Status)
}

// emitStep says what a step is now, in so many bytes.
func (c *Change) emitStep(step *StepState) int {
	return c.emitStatus(Event{Kind: KindStep, Step: step.Key, At: c.now, Data: stepData(c.now, step.Step)}, step.Status)
}

// emitStatus appends a status event. What a request says of a step, or of the build, one
// after the other and without another status, is one event: a few bytes that change
// something to and fro would be megabytes of them.
func (c *Change) emitStatus(e Event, status Status) int {
	if last, ok := c.told[e.Step]; ok && last.status == status {
		c.Events[last.event].Data = e.Data
		return len(e.Data)
	}
	if c.told == nil {
		c.told = make(map[StepKey]told)
	}
	c.told[e.Step] = told{len(c.Events), status}
	c.state.Last++
	e.ID = c.state.Last
	c.Events = append(c.Events, e)
	return len(e.Data)
}

func (c *Change) addStep(key StepKey) (*StepState, error) {
	s := c.state
	if len(s.Steps) >= MaxSteps {
		return nil, &Problem{Code: TooMany, Limit: MaxSteps, Field: "key", Detail: fmt.Sprintf("A build has at most %d steps.", MaxSteps)}
	}
	step := &StepState{Step: Step{Key: key, Status: Queued}, Number: len(s.Steps) + 1}
	s.Steps = append(s.Steps, step)
	s.byKey[key] = step
	s.Plan += step.Plan()
	c.touch(step)
	return step, nil
}

// rename gives a step what an update says that it is called and needs. All
// events of a step repeat that, and every list of builds does.
func (c *Change) rename(step *StepState, u *StepUpdate) error {
	before := step.Plan()
	if u.Name.Present {
		step.Name = Text(u.Name.Value)
	}
	if u.Needs.Present {
		step.Needs = needs(u.Needs.Value)
	}
	more := step.Plan() - before
	if c.state.Plan += more; more > 0 && c.state.Plan > MaxPlan {
		return &Problem{Code: TooMany, Limit: MaxPlan, Field: "needs", Detail: fmt.Sprintf("The keys, names and needs of the build's steps would have more than %d bytes together; give its steps shorter names, or fewer needs.", MaxPlan)}
	}
	return nil
}

// stepFor finds the step that an update names, or adds it to a build that goes
// on.
func (c *Change) stepFor(key StepKey) (step *StepState, added bool, err error) {
	if step = c.state.byKey[key]; step != nil {
		return step, false, nil
	}
	if c.state.Final(c.now) {
		return nil, false, c.buildFinished(key)
	}
	step, err = c.addStep(key)
	return step, true, err
}

func (c *Change) buildFinished(key StepKey) error {
	if before := c.undo.build.Status; !before.Final() {
		return &Problem{Code: BuildFinished, Field: "key", Status: before, Detail: fmt.Sprintf("Before step %s the request ends the build, which has no such step; put the updates of the steps before the build's final status. Nothing of the request was stored.", key)}
	}
	return &Problem{Code: BuildFinished, Field: "key", Status: c.state.Build.Status, Detail: fmt.Sprintf("The build has ended without a step %s; report it to a new build.", key)}
}

// missed tells whether the step never began and no longer can: its build is
// lost for good, which comes with time alone and takes no steps along.
func (c *Change) missed(step *StepState) bool {
	return step.Status == Queued && c.state.Final(c.now)
}

// late tells whether it is too late to correct or add to a step that ended.
func (c *Change) late(step *StepState) bool { return c.now.Sub(step.EndedAt) >= LateFor }

// provisional tells whether the server set the step's status on its own and
// the reporter may still correct it.
func (c *Change) provisional(step *StepState) bool {
	return (step.Status == Lost || step.Assumed) && !c.late(step)
}

func (c *Change) applyStep(u *StepUpdate) error {
	counted := u.LogBytes.Present && !u.LogBytes.Null
	if counted && !u.Status.Value.Final() {
		return &Problem{Code: Invalid, Field: "log_bytes", Detail: "log_bytes goes with a final status: it is the runner's count of the whole log."}
	}
	step, added, err := c.stepFor(u.Key)
	if err != nil {
		return err
	}
	if added {
		c.wakeBuild()
	}
	c.touch(step)
	before := *step
	if err := claim(step, u.Reporter); err != nil {
		return err
	}
	if err := c.rename(step, u); err != nil {
		return err
	}
	past, err := c.moveStep(step, u.Status.Value)
	if err != nil {
		return err
	}
	if !past { // else these are of then, and a repeat must not bring them back
		merge(&step.ExitCode, u.ExitCode)
		mergeTime(&step.StartedAt, u.StartedAt)
		mergeTime(&step.FinishedAt, u.FinishedAt)
	}
	if counted {
		if err := c.closeLog(step, u.LogBytes.Value); err != nil {
			return err
		}
	}
	if added || !same(&before, step) {
		return c.weigh(c.emitStep(step))
	}
	return nil
}

// weigh holds what updates say in events to what a request may: few bytes of a request
// make many of these.
func (c *Change) weigh(bytes int) error {
	if c.said += bytes; c.said > MaxSaid {
		return &Problem{Code: TooMany, Limit: MaxSaid, Detail: fmt.Sprintf("What this request says of steps and of the build would be longer than %d bytes in events; send fewer updates at once.", MaxSaid)}
	}
	return nil
}

// claim gives a step that is nobody's to the reporter. It is a change like any
// other, with the step's event, though that does not show it: of two who claim
// the step at once, on whatever processes, the second finds it changed.
func claim(step *StepState, reporter string) error {
	switch step.Reporter {
	case "":
		step.Reporter = reporter
	case reporter:
	default:
		if reporter != "" {
			return &Problem{Code: StepTaken, Field: "reporter", Detail: fmt.Sprintf("Another reporter reports the step %s; report yours under another key.", step.Key)}
		}
	}
	return nil
}

// moveStep brings a step to a reported status; "" is none. past tells that the
// status was true once and the step is further on.
func (c *Change) moveStep(step *StepState, to Status) (past bool, err error) {
	if to == "" {
		return false, nil
	}
	c.wakeBuild()
	switch {
	case to != Queued && c.missed(step):
		return false, c.buildFinished(step.Key)
	case to.Final() && (step.EndedAt.IsZero() || c.provisional(step)):
		if to == Passed || to == Failed {
			c.runBuild() // it ran, even if nobody said so
		}
		c.endStep(step, to)
		step.Assumed = false
	case to == step.Status:
	case to.Final():
		return false, &Problem{Code: StatusFinal, Field: "status", Status: step.Status, Detail: fmt.Sprintf("The step %s is %s for good and cannot become %s. What runs again is a step of its own, under another key.", step.Key, step.Status, to)}
	case step.Status == Queued:
		c.startStep(step)
	default:
		c.revive(step)
	}
	c.hear(step, false)
	return to != step.Status, nil
}

// startStep sets a queued or lost step, and with it the build, running.
func (c *Change) startStep(step *StepState) {
	c.runBuild()
	reopen(&step.EndedAt, &step.FinishedAt)
	step.Status = Running
	if step.StartedAt == nil {
		now := c.now
		step.StartedAt = &now
	}
}

func (c *Change) endStep(step *StepState, to Status) {
	now := c.now
	reopen(&step.EndedAt, &step.FinishedAt)
	step.Status, step.EndedAt = to, now
	if step.FinishedAt == nil {
		step.FinishedAt = &now
	}
}

// reopen takes back an end that was provisional, and with it the time that the
// server had filled in; a reported one stays.
func reopen(endedAt *time.Time, finishedAt **time.Time) {
	if f := *finishedAt; f != nil && !endedAt.IsZero() && f.Equal(*endedAt) {
		*finishedAt = nil
	}
	*endedAt = time.Time{}
}

// closeLog takes the runner's count as the proof that nothing is missing. Of a
// log that was cut it says how long the rest is that was not kept.
func (c *Change) closeLog(step *StepState, want int64) error {
	have := step.LogBytes
	if step.Cut != (Quota{}) && !c.closed(step) {
		have = max(have, c.Receipt.Logs[step.Key], want) // as far as this very request went
		if rest := want - step.LogBytes; rest > 0 && have == want {
			c.emitLog(step, Event{At: c.now, Lost: rest, Quota: step.Cut})
		}
	}
	switch {
	case have < want && c.closed(step):
		return logComplete(step, "log_bytes")
	case have < want && have == 0:
		return &Problem{Code: LogIncomplete, Field: "log_bytes", Offset: &have, Detail: fmt.Sprintf("No text of step %s has come, and log_bytes names %d bytes; send it first. If it was sent, then under another key.", step.Key, want)}
	case have < want:
		return &Problem{Code: LogIncomplete, Field: "log_bytes", Offset: &have, Detail: fmt.Sprintf("The log of step %s has %d bytes of the %d that log_bytes names; send the rest first. If all was sent, bytes were left out, as curl -d does with line ends, or passed over, as where an offset counts characters.", step.Key, have, want)}
	case have > want:
		return &Problem{Code: LogLonger, Field: "log_bytes", Offset: &have, Detail: fmt.Sprintf("The log of step %s has %d bytes, more than the %d that log_bytes names; count the bytes again, not the characters. If the count is right, some came twice: the whole was sent where only the rest was wanted, or the same without Upload-Offset, which adds it at the end each time.", step.Key, have, want)}
	}
	step.LogComplete = true
	return nil
}

// closed tells whether the step takes no more text: its length was proven, or
// it ended too long ago.
func (c *Change) closed(step *StepState) bool {
	return step.LogComplete || !step.EndedAt.IsZero() && c.late(step)
}

// logComplete refuses text, or a count of text, beyond the end of a log that is
// closed. It says what closed it, since that was mostly the reporter itself.
func logComplete(step *StepState, field string) *Problem {
	have, why := step.LogBytes, "by a final status with log_bytes; send that after the last text"
	if !step.LogComplete {
		why = "a day after the step ended; report to a new build"
	}
	return &Problem{Code: LogComplete, Field: field, Offset: &have, Detail: fmt.Sprintf("The log of step %s was closed at %d bytes %s.", step.Key, have, why)}
}

// mostRepeated is how many repeated pieces, and notes, a receipt has. Whoever counts
// offsets wrongly, or numbers notes anew, shows it in the first ones.
const mostRepeated = 16

func (c *Change) applyLog(u *LogUpdate) error {
	length := u.Chunk.Bytes + u.Lost
	if u.Offset < AtEnd || u.Lost < 0 {
		return &Problem{Code: Invalid, Field: "offset", Detail: "An offset is a count of bytes from the start of the step's log, 0 or more."}
	}
	step, added, err := c.stepFor(u.Step)
	if err != nil {
		return err
	}
	c.touch(step)
	have, offset := step.LogBytes, u.Offset
	if offset == AtEnd {
		offset = have
	}
	beyond := offset > have-length // not offset+length > have, which could overflow
	cut := step.Cut != (Quota{})
	switch {
	case c.missed(step):
		return c.buildFinished(u.Step)
	case beyond && c.closed(step):
		return logComplete(step, "offset")
	case offset > have && !cut:
		return &Problem{Code: LogGap, Field: "offset", Offset: &have, Detail: fmt.Sprintf("The log of step %s has %d bytes; the text at offset %d leaves a gap, as when bytes such as a line end were not sent. Send what is missing, from byte %d on, and then this.", u.Step, have, offset, have)}
	case length > MaxLogBytes-offset:
		return &Problem{Code: TooLong, Field: "offset", Limit: MaxLogBytes, Detail: fmt.Sprintf("A log ends at %d bytes at the latest.", int64(MaxLogBytes))}
	}
	c.rouse(step, added, beyond)
	switch {
	case beyond && cut:
		c.Over += length - max(0, have-offset)
	case beyond:
		c.appendLog(step, u, have-offset)
		c.Receipt.Texts = withAdded(c.Receipt.Texts, Added{u.Step, have, step.LogBytes})
	}
	if n := min(length, have-offset); n > 0 && u.Lost == 0 && len(c.Receipt.Repeated) < mostRepeated {
		c.Receipt.Repeated = append(c.Receipt.Repeated, Repeated{u.Step, offset, n, u.Chunk})
	}
	if c.Receipt.Logs == nil {
		c.Receipt.Logs = make(map[StepKey]int64)
	}
	c.Receipt.Logs[u.Step] = max(c.Receipt.Logs[u.Step], step.LogBytes) // of a cut log, text before this one may have gone further
	if step.Cut == (Quota{}) {
		return nil
	}
	// What is not kept is done with all the same, as far as the sender counts.
	if u.Offset != AtEnd {
		c.Receipt.Logs[u.Step] = max(c.Receipt.Logs[u.Step], offset+length)
	}
	if c.Receipt.Cut == nil {
		c.Receipt.Cut = make(map[StepKey]Quota)
	}
	c.Receipt.Cut[u.Step] = step.Cut
	return nil
}

// rouse is what text and notes of a step do beside being appended: they start
// a queued step, and revive a lost one. Those that are there already start
// nothing.
func (c *Change) rouse(step *StepState, added, beyond bool) {
	c.wakeBuild()
	if beyond {
		c.runBuild()
	}
	switch {
	case step.Status == Queued && (beyond || added):
		c.startStep(step)
		c.emitStep(step)
	case c.revive(step):
		c.emitStep(step)
	}
	c.hear(step, false)
}

// appendLog appends what comes after the first skip bytes of the update. What a
// quota has no room for becomes a hole, and the log is cut: whatever else comes
// for it is taken and not kept, and appends nothing, until its length is told.
func (c *Change) appendLog(step *StepState, u *LogUpdate, skip int64) {
	if u.Lost > 0 {
		if n := c.state.Quotas.Build; n > 0 && c.state.spent() >= n {
			step.Cut = Quota{OfBuild, n}
		}
		c.emitLog(step, Event{At: u.At, Lost: u.Lost - skip, Quota: step.Cut})
		step.Noticed.Newest = 0
		return
	}
	chunk := u.Chunk
	if skip > 0 {
		chunk = chunk.From(skip)
	}
	room, quota := c.room()
	over := chunk.Bytes
	if over > room {
		chunk = chunk.Until(room)
	}
	if over -= chunk.Bytes; chunk.Bytes > 0 {
		for _, piece := range chunk.Split() {
			c.emitLog(step, Event{At: u.At, Chunk: piece})
		}
		c.noticeText(step, &chunk, u.Offset == AtEnd)
	}
	if over > 0 {
		step.Cut = quota
		c.Over += over
		c.emitLog(step, Event{At: u.At, Lost: over, Quota: quota})
	}
}

// emitLog appends a log event, of which what it holds is given and where it
// stands is not.
func (c *Change) emitLog(step *StepState, e Event) {
	if e.At.IsZero() {
		e.At = c.now
	}
	delete(c.told, step.Key)
	c.state.Last++
	e.ID, e.Kind, e.Step, e.At = c.state.Last, KindLog, step.Key, Cut(e.At)
	e.Line, e.Offset = step.Newlines+1, step.LogBytes
	c.Events = append(c.Events, e)
	c.Kept += e.Chunk.Bytes
	c.state.Text += e.Chunk.Bytes
	step.LogBytes += e.Bytes()
	step.Holes += e.Lost
	step.Newlines += e.Chunk.Lines
	step.Unended = !e.Chunk.Ended
	step.LogLines = step.Newlines
	if step.Unended {
		step.LogLines++
	}
}

// applyNote appends a note. A log that is closed takes notes all the same: what
// a test wrote into a file is understood when the command is over.
func (c *Change) applyNote(u *NoteUpdate) error {
	step, added, err := c.stepFor(u.Step)
	if err != nil {
		return err
	}
	c.touch(step)
	have := step.Notes
	beyond := u.Number >= have
	switch {
	case c.missed(step):
		return c.buildFinished(u.Step)
	case beyond && !step.EndedAt.IsZero() && c.late(step):
		return &Problem{Code: NotesClosed, Field: "number", Number: &have, Detail: fmt.Sprintf("The step %s ended more than a day ago and takes no more notes; it has %d.", u.Step, have)}
	case u.Number > have:
		return &Problem{Code: NoteGap, Field: "number", Number: &have, Detail: fmt.Sprintf("The step %s has %d notes; number %d leaves a gap. Go on with number %d.", u.Step, have, u.Number, have)}
	}
	c.rouse(step, added, beyond)
	if beyond {
		c.emitNote(step, u)
		c.Receipt.Noted = withAdded(c.Receipt.Noted, Added{u.Step, have, step.Notes})
	} else if len(c.Receipt.RepeatedNotes) < mostRepeated {
		c.Receipt.RepeatedNotes = append(c.Receipt.RepeatedNotes, u)
	}
	if c.Receipt.Notes == nil {
		c.Receipt.Notes = make(map[StepKey]int64)
	}
	c.Receipt.Notes[u.Step] = step.Notes
	return nil
}

func (c *Change) emitNote(step *StepState, u *NoteUpdate) {
	at := c.now
	if !u.At.IsZero() {
		at = Cut(u.At)
	}
	delete(c.told, step.Key)
	c.state.Last++
	c.Events = append(c.Events, Event{ID: c.state.Last, Kind: KindNote, Step: step.Key, At: at, Note: u, Data: noteData(at, u)})
	step.Notes++
	step.count(&u.Note)
}

func (c *Change) applyBuild(u *BuildUpdate) error {
	b, before := &c.state.Build, c.state.Build
	if err := c.describe(u); err != nil {
		return err
	}
	past, err := c.turnBuild(u.Status.Value)
	if err != nil {
		return err
	}
	if !past {
		mergeTime(&b.StartedAt, u.StartedAt)
		mergeTime(&b.FinishedAt, u.FinishedAt)
	}
	if !sameBuild(&before, b) {
		return c.weigh(c.emitBuild())
	}
	return nil
}

// turnBuild brings the build to a reported status, as moveStep does a step;
// its own event is the caller's.
func (c *Change) turnBuild(to Status) (past bool, err error) {
	s, b := c.state, &c.state.Build
	switch {
	case to == "":
		return false, nil
	case to == b.Status:
	case to.Final() && s.Final(c.now):
		return false, &Problem{Code: StatusFinal, Field: "status", Status: b.Status, Detail: fmt.Sprintf("The build is %s for good and cannot become %s. A rerun is a build of its own.", b.Status, to)}
	case to.Final():
		c.endSteps()
		c.moveBuild(to)
	case b.Status == Queued, b.Status == Lost && !s.Final(c.now):
		c.moveBuild(Running)
	}
	return to != b.Status, nil
}

// endSteps takes the steps along into the build's end.
func (c *Change) endSteps() {
	for _, step := range c.state.Steps {
		switch step.Status {
		case Queued:
			c.touch(step)
			c.endStep(step, Skipped)
			step.Assumed = true
		case Running:
			c.touch(step)
			c.endStep(step, Lost)
		default:
			continue
		}
		c.emitStep(step)
	}
}

// describe merges the build's descriptive text and what is set once.
func (c *Change) describe(u *BuildUpdate) error {
	b := &c.state.Build
	for _, once := range []struct {
		name string
		have *Text
		u    Field[string]
	}{{"branch", &b.Branch, u.Branch}, {"commit", &b.Commit, u.Commit}} {
		if !once.u.Present || Text(once.u.Value) == *once.have {
			continue
		}
		if *once.have != "" {
			return &Problem{Code: AlreadySet, Field: once.name, Detail: fmt.Sprintf("The build's %s is set already and stays as it is.", once.name)}
		}
		*once.have = Text(once.u.Value)
	}
	for _, text := range []struct {
		have *Text
		u    Field[string]
	}{{&b.Title, u.Title}, {&b.Author, u.Author}, {&b.URL, u.URL}, {&b.Trigger, u.Trigger}} {
		if text.u.Present {
			*text.have = Text(text.u.Value)
		}
	}
	return nil
}

// runBuild sets a queued or lost build running.
func (c *Change) runBuild() {
	if b := &c.state.Build; b.Status == Queued || b.Status == Lost && !c.state.Final(c.now) {
		c.moveBuild(Running)
		c.emitBuild()
	}
}

// wakeBuild sets a lost build running: somebody was heard.
func (c *Change) wakeBuild() {
	if c.state.Build.Status == Lost {
		c.runBuild()
	}
}

func (c *Change) moveBuild(to Status) {
	now, s, b := c.now, c.state, &c.state.Build
	reopen(&s.EndedAt, &b.FinishedAt)
	b.Status = to
	switch {
	case to != Running:
		s.EndedAt = now
		if b.FinishedAt == nil {
			b.FinishedAt = &now
		}
	case b.StartedAt == nil:
		b.StartedAt = &now
	}
}

// revive sets a lost step whose reporter was heard running again, unless that
// or the build's end came too long ago. It tells whether it did; the step's
// event is the caller's.
func (c *Change) revive(step *StepState) bool {
	if step.Status != Lost || c.late(step) || c.state.Final(c.now) {
		return false
	}
	c.touch(step)
	c.startStep(step)
	return true
}

// hear notes the sign of life of a step's reporter. One of a step that has
// ended still says that somebody reports the build.
func (c *Change) hear(step *StepState, beat bool) {
	if !c.state.Final(c.now) {
		c.Heard = append(c.Heard, Heard{Step: step, Beat: beat})
	}
}

func merge[T comparable](have **T, u Field[T]) {
	switch {
	case !u.Present:
	case u.Null:
		*have = nil
	default:
		v := u.Value
		*have = &v
	}
}

func mergeTime(have **time.Time, u Field[time.Time]) {
	if u.Present && !u.Null {
		u.Value = Cut(u.Value)
	}
	merge(have, u)
}

func same(a, b *StepState) bool {
	return a.Name == b.Name && slices.Equal(a.Needs, b.Needs) && a.Status == b.Status && equal(a.ExitCode, b.ExitCode) &&
		sameTime(a.StartedAt, b.StartedAt) && sameTime(a.FinishedAt, b.FinishedAt) && a.LogComplete == b.LogComplete &&
		a.Assumed == b.Assumed && a.Reporter == b.Reporter
}

func sameBuild(a, b *Build) bool {
	x, y := *a, *b
	if !sameTime(x.StartedAt, y.StartedAt) || !sameTime(x.FinishedAt, y.FinishedAt) {
		return false
	}
	x.StartedAt, x.FinishedAt, y.StartedAt, y.FinishedAt = nil, nil, nil, nil
	return x == y
}

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
