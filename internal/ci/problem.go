package ci

import "errors"

// Code names a kind of problem. It is the last segment of the problem's
// address, /problems/<code>, and is part of the HTTP contract.
type Code string

// The refusals of the domain.
const (
	Invalid        Code = "invalid"         // a value that cannot be
	InvalidID      Code = "invalid-id"      // not a UUID
	TooMany        Code = "too-many"        // a limit on a count
	TooLong        Code = "too-long"        // a limit on a length
	NeedsCycle     Code = "needs-cycle"     // steps that wait for each other
	UnknownStep    Code = "unknown-step"    // a heartbeat for a step that the build has not
	NotFound       Code = "not-found"       // no such build, or not for this caller
	BuildIDTaken   Code = "build-id-taken"  // the id belongs to another project
	ProjectCase    Code = "project-case"    // differs from an existing project by case only
	AlreadySet     Code = "already-set"     // branch or commit, which are set once
	StatusFinal    Code = "status-final"    // another final status is there already
	LogGap         Code = "log-gap"         // text beyond the end
	LogIncomplete  Code = "log-incomplete"  // log_bytes is more than the server has
	LogLonger      Code = "log-longer"      // log_bytes is less than the server has
	LogComplete    Code = "log-complete"    // text beyond the end of a closed log
	NoteGap        Code = "note-gap"        // a note beyond the next one
	NotesClosed    Code = "notes-closed"    // a note of a step that ended too long ago
	StepTaken      Code = "step-taken"      // the step belongs to another reporter
	BuildFinished  Code = "build-finished"  // a new step after the build's end
	Overloaded     Code = "overloaded"      // the queue is full; try again
	Unavailable    Code = "unavailable"     // the database is away; try again
	DiskFull       Code = "disk-full"       // too little space left; try again
	OutcomeUnknown Code = "outcome-unknown" // the connection broke during the commit; repeat it
)

// Problem is a refusal that a person can act on: one sentence, and the fields
// that a program needs. It is what every layer returns for bad input; anything
// else that goes wrong is an ordinary error and never reaches a user.
type Problem struct {
	Code   Code
	Detail string // one sentence
	Field  string // the member at fault, if one is
	Index  *int   // the position of the update at fault
	Offset *int64 // bytes of the step's log that the server has
	Number *int64 // notes of the step that the server has: the number of the next one
	Limit  int64  // the limit that was passed, if one was
	Status Status // the status that is there already
}

func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// Is makes errors.Is(err, &Problem{Code: c}) true for any problem of that code.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Code == p.Code
}

// AsProblem returns the problem that err is, or nil.
func AsProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

func at(index int, err error) error {
	if p := AsProblem(err); p != nil && p.Index == nil {
		p.Index = &index
	}
	return err
}
