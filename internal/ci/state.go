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
	byKey   map[StepKey]*StepState
}

// StepState is a step with what only the server knows of it.
type StepState struct {
	Step
	Number   int       // its place in Build, from 1
	Newlines int64     // in its log
	Unended  bool      // its log has a rest after the last newline
	Assumed  bool      // the server skipped it at the build's end; the reporter may still say otherwise
	EndedAt  time.Time // by the server's clock: when it became final or lost; zero before
}

// NewState returns a state as it was read, or a build about to be created.
func NewState(log LogID, last EventID, build Build, endedAt time.Time, steps []*StepState) *State {
	s := &State{Log: log, Last: last, Build: build, EndedAt: endedAt, Steps: steps, byKey: make(map[StepKey]*StepState, len(steps))}
	for _, step := range steps {
		s.byKey[step.Key] = step
	}
	return s
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

	state *State
	now   time.Time
	undo  struct {
		build   Build
		endedAt time.Time
		last    EventID
		steps   int
		copies  []StepState // of Touched, before
	}
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
		case u.Build != nil:
			err = c.applyBuild(u.Build)
		}
		if err != nil {
			c.Undo()
			return nil, at(i, err)
		}
	}
	if i := c.findCycle(r.Updates); i >= 0 {
		c.Undo()
		return nil, at(i, &Problem{Code: NeedsCycle, Field: "needs", Detail: "These needs make steps wait for each other in a circle."})
	}
	for _, key := range r.Alive {
		step := s.byKey[key]
		if step == nil {
			c.Undo()
			return nil, &Problem{Code: UnknownStep, Field: "alive", Detail: fmt.Sprintf("The build has no step %s; announce it before its first heartbeat.", key)}
		}
		if c.revive(step) {
			c.emitStep(step)
		}
		c.hear(step, true)
	}
	c.Receipt.Last = s.Last
	return c, nil
}

// Create decides the first events of a build: its own, and one for each step.
// The state comes from NewState with the build's identity alone.
func (s *State) Create(r Creation, now time.Time) (*Change, error) {
	c := s.begin(now)
	b := &s.Build
	status := r.Status.Value
	b.Status, b.CreatedAt = Queued, c.now
	if err := c.describe(&r.BuildUpdate); err != nil {
		return nil, err
	}
	for i := range r.Steps {
		if _, err := c.addStep(r.Steps[i].Key); err != nil {
			return nil, err
		}
	}
	if status != "" && status != Queued {
		c.moveBuild(status)
	}
	for _, u := range r.Steps {
		step := s.byKey[u.Key]
		step.Name = Text(u.Name.Value)
		step.Needs = u.Needs.Value
		if status.Final() {
			c.endStep(step, Skipped)
			step.Assumed = true
		}
	}
	if key, ok := s.cycle(); ok {
		return nil, &Problem{Code: NeedsCycle, Field: "needs", Detail: fmt.Sprintf("The needs of step %s lead back to it.", key)}
	}
	c.emitBuild()
	for _, step := range s.Steps {
		c.emitStep(step)
	}
	c.Receipt.Last = s.Last
	return c, nil
}

// LoseStep decides that a running step's reporter went silent.
func (s *State) LoseStep(key StepKey, now time.Time) *Change {
	c := s.begin(now)
	if step := s.byKey[key]; step != nil && step.Status == Running {
		c.touch(step)
		c.endStep(step, Lost)
		c.emitStep(step)
	}
	return c
}

// LoseBuild decides that nobody reports a running build any more.
func (s *State) LoseBuild(now time.Time) *Change {
	c := s.begin(now)
	if s.Build.Status == Running {
		c.moveBuild(Lost)
		c.emitBuild()
	}
	return c
}

func (s *State) begin(now time.Time) *Change {
	c := &Change{state: s, now: Cut(now)}
	c.undo.build, c.undo.endedAt, c.undo.last, c.undo.steps = s.Build, s.EndedAt, s.Last, len(s.Steps)
	return c
}

// Undo brings the state back to what it was before the change. Changes are
// undone in reverse order.
func (c *Change) Undo() {
	s := c.state
	s.Build, s.EndedAt, s.Last = c.undo.build, c.undo.endedAt, c.undo.last
	for i, step := range c.Touched {
		*step = c.undo.copies[i]
	}
	for _, step := range s.Steps[c.undo.steps:] {
		delete(s.byKey, step.Key)
	}
	s.Steps = s.Steps[:c.undo.steps]
}

func (c *Change) touch(step *StepState) {
	if !slices.Contains(c.Touched, step) {
		c.Touched = append(c.Touched, step)
		c.undo.copies = append(c.undo.copies, *step)
	}
}

func (c *Change) emitBuild() {
	c.Build = true
	c.state.Last++
	c.Events = append(c.Events, Event{ID: c.state.Last, Kind: KindBuild, At: c.now, Data: buildData(c.now, c.state.Build)})
}

func (c *Change) emitStep(step *StepState) {
	c.state.Last++
	c.Events = append(c.Events, Event{ID: c.state.Last, Kind: KindStep, Step: step.Key, At: c.now, Data: stepData(c.now, step.Step)})
}

func (c *Change) addStep(key StepKey) (*StepState, error) {
	s := c.state
	if len(s.Steps) >= MaxSteps {
		return nil, &Problem{Code: TooMany, Limit: MaxSteps, Field: "key", Detail: fmt.Sprintf("A build has at most %d steps.", MaxSteps)}
	}
	if s.byKey[key] != nil {
		return nil, &Problem{Code: Invalid, Field: "key", Detail: fmt.Sprintf("The step %s is listed twice.", key)}
	}
	step := &StepState{Step: Step{Key: key, Status: Queued}, Number: len(s.Steps) + 1}
	s.Steps = append(s.Steps, step)
	s.byKey[key] = step
	c.touch(step)
	return step, nil
}

// stepFor finds the step that an update names, or adds it to a build that goes
// on.
func (c *Change) stepFor(key StepKey) (step *StepState, added bool, err error) {
	if step = c.state.byKey[key]; step != nil {
		return step, false, nil
	}
	if c.state.Final(c.now) {
		return nil, false, &Problem{Code: BuildFinished, Field: "key", Status: c.state.Build.Status, Detail: fmt.Sprintf("The build has ended and has no step %s; report it to a new build.", key)}
	}
	step, err = c.addStep(key)
	return step, true, err
}

// late tells whether it is too late to correct or add to a step that ended.
func (c *Change) late(step *StepState) bool { return c.now.Sub(step.EndedAt) >= LateFor }

// provisional tells whether the server set the step's status on its own and
// the reporter may still correct it.
func (c *Change) provisional(step *StepState) bool {
	return (step.Status == Lost || step.Assumed) && !c.late(step)
}

func (c *Change) applyStep(u *StepUpdate) error {
	step, added, err := c.stepFor(u.Key)
	if err != nil {
		return err
	}
	c.touch(step)
	before := *step
	if u.LogBytes.Present && !u.Status.Value.Final() {
		return &Problem{Code: Invalid, Field: "log_bytes", Detail: "log_bytes goes with a final status: it is the runner's count of the whole log."}
	}
	if u.Name.Present {
		step.Name = Text(u.Name.Value)
	}
	if u.Needs.Present {
		step.Needs = u.Needs.Value
	}
	if err := c.moveStep(step, u.Status.Value); err != nil {
		return err
	}
	merge(&step.ExitCode, u.ExitCode)
	mergeTime(&step.StartedAt, u.StartedAt)
	mergeTime(&step.FinishedAt, u.FinishedAt)
	if u.LogBytes.Present {
		if err := c.closeLog(step, u.LogBytes.Value); err != nil {
			return err
		}
	}
	c.revive(step)
	c.hear(step, false)
	if added || !same(&before, step) {
		c.emitStep(step)
	}
	return nil
}

// moveStep brings a step to a reported status; "" is none.
func (c *Change) moveStep(step *StepState, to Status) error {
	ended := step.Status.Final() || step.Status == Lost
	switch {
	case to == "" || to == step.Status:
	case to.Final() && (!ended || c.provisional(step)):
		if to == Passed || to == Failed {
			c.runBuild() // it ran, even if nobody said so
		}
		step.FinishedAt = nil // a time that lost or the build's end had set
		c.endStep(step, to)
		step.Assumed = false
	case to.Final():
		return &Problem{Code: StatusFinal, Field: "status", Status: step.Status, Detail: fmt.Sprintf("The step %s is %s for good and cannot become %s.", step.Key, step.Status, to)}
	case to == Running && step.Status == Queued:
		c.startStep(step)
	}
	return nil // an earlier status was true once
}

// startStep sets a queued or lost step, and with it the build, running.
func (c *Change) startStep(step *StepState) {
	c.runBuild()
	step.Status, step.EndedAt, step.FinishedAt = Running, time.Time{}, nil
	if step.StartedAt == nil {
		now := c.now
		step.StartedAt = &now
	}
}

func (c *Change) endStep(step *StepState, to Status) {
	now := c.now
	step.Status, step.EndedAt = to, now
	if step.FinishedAt == nil {
		step.FinishedAt = &now
	}
}

// closeLog takes the runner's count as the proof that nothing is missing.
func (c *Change) closeLog(step *StepState, want int64) error {
	have := step.LogBytes
	switch {
	case have < want && step.LogComplete:
		return &Problem{Code: LogComplete, Field: "log_bytes", Offset: &have, Detail: fmt.Sprintf("The log of step %s was closed at %d bytes.", step.Key, have)}
	case have < want:
		return &Problem{Code: LogIncomplete, Field: "log_bytes", Offset: &have, Detail: fmt.Sprintf("The log of step %s has %d bytes of the %d that log_bytes names; send the rest first.", step.Key, have, want)}
	case have > want:
		return &Problem{Code: LogLonger, Field: "log_bytes", Offset: &have, Detail: fmt.Sprintf("The log of step %s has %d bytes, more than the %d that log_bytes names.", step.Key, have, want)}
	}
	step.LogComplete = true
	return nil
}

func (c *Change) applyLog(u *LogUpdate) error {
	if u.Offset < AtEnd {
		return &Problem{Code: Invalid, Field: "offset", Detail: "An offset is a count of bytes from the start of the step's log, 0 or more."}
	}
	step, added, err := c.stepFor(u.Step)
	if err != nil {
		return err
	}
	c.touch(step)
	have, offset, length := step.LogBytes, u.Offset, u.Chunk.Bytes+u.Lost
	if offset == AtEnd {
		offset = have
	}
	switch {
	case offset > have:
		return &Problem{Code: LogGap, Field: "offset", Offset: &have, Detail: fmt.Sprintf("The log of step %s has %d bytes; the text at offset %d leaves a gap. Go on from offset %d.", u.Step, have, offset, have)}
	case offset+length > have && (step.LogComplete || !step.EndedAt.IsZero() && c.late(step)):
		return &Problem{Code: LogComplete, Field: "offset", Offset: &have, Detail: fmt.Sprintf("The log of step %s is closed at %d bytes.", u.Step, have)}
	}
	if revived := c.revive(step); revived || step.Status == Queued && (length > 0 || added) {
		if !revived {
			c.startStep(step)
		}
		c.emitStep(step)
	}
	c.hear(step, false)
	if offset+length > have {
		c.appendLog(step, u, have-offset)
	}
	if c.Receipt.Logs == nil {
		c.Receipt.Logs = make(map[StepKey]int64)
	}
	c.Receipt.Logs[u.Step] = step.LogBytes
	return nil
}

// appendLog appends what comes after the first skip bytes of the update.
func (c *Change) appendLog(step *StepState, u *LogUpdate, skip int64) {
	if u.Lost > 0 {
		c.emitLog(step, u.At, Chunk{}, u.Lost-skip)
		return
	}
	chunk := u.Chunk
	if skip > 0 {
		chunk = chunk.From(skip)
	}
	for _, piece := range chunk.Split() {
		c.emitLog(step, u.At, piece, 0)
	}
}

func (c *Change) emitLog(step *StepState, at time.Time, chunk Chunk, lost int64) {
	c.state.Last++
	c.Events = append(c.Events, Event{
		ID: c.state.Last, Kind: KindLog, Step: step.Key,
		At: at, Line: step.Newlines + 1, Offset: step.LogBytes, Chunk: chunk, Lost: lost,
	})
	step.LogBytes += chunk.Bytes + lost
	step.Newlines += chunk.Lines
	step.Unended = !chunk.Ended
	step.LogLines = step.Newlines
	if step.Unended {
		step.LogLines++
	}
}

func (c *Change) applyBuild(u *BuildUpdate) error {
	s := c.state
	before, events := s.Build, len(c.Events)
	if err := c.describe(u); err != nil {
		return err
	}
	switch to := u.Status.Value; {
	case to == "" || to == s.Build.Status:
	case to.Final() && s.Final(c.now):
		return &Problem{Code: StatusFinal, Field: "status", Status: s.Build.Status, Detail: fmt.Sprintf("The build is %s for good and cannot become %s.", s.Build.Status, to)}
	case to.Final():
		c.endSteps()
		c.moveBuild(to)
	case to == Running && s.Build.Status == Queued, s.Build.Status == Lost && !s.Final(c.now):
		c.moveBuild(Running)
	}
	mergeTime(&s.Build.StartedAt, u.StartedAt)
	mergeTime(&s.Build.FinishedAt, u.FinishedAt)
	if len(c.Events) > events || !sameBuild(&before, &s.Build) {
		c.emitBuild()
	}
	return nil
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
	if c.undo.last == 0 { // at creation, times may be given too
		mergeTime(&b.StartedAt, u.StartedAt)
		mergeTime(&b.FinishedAt, u.FinishedAt)
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

func (c *Change) moveBuild(to Status) {
	now, b := c.now, &c.state.Build
	if b.Status == Lost {
		b.FinishedAt = nil // the time that lost had set
	}
	b.Status = to
	switch {
	case to == Running:
		c.state.EndedAt = time.Time{}
		if b.StartedAt == nil {
			b.StartedAt = &now
		}
	default:
		c.state.EndedAt = now
		if b.FinishedAt == nil {
			b.FinishedAt = &now
		}
	}
}

// revive sets a lost build, and a lost step whose reporter was heard, running
// again. It tells whether the step changed; its event is the caller's.
func (c *Change) revive(step *StepState) bool {
	if c.state.Final(c.now) {
		return false
	}
	if c.state.Build.Status == Lost {
		c.runBuild()
	}
	if step.Status != Lost || c.late(step) {
		return false
	}
	c.touch(step)
	c.startStep(step)
	return true
}

// hear notes the sign of life of a step that has not ended.
func (c *Change) hear(step *StepState, beat bool) {
	if step.EndedAt.IsZero() {
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
		sameTime(a.StartedAt, b.StartedAt) && sameTime(a.FinishedAt, b.FinishedAt) && a.LogComplete == b.LogComplete
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
