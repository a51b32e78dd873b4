package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stepcast/stepcast/internal/ci"
)

// outcome is what became of a statement that should have committed.
type outcome int

const (
	committed  outcome = iota
	refused            // for the data in it: SQLSTATE class 22 or 23
	rolledBack         // for a passing reason
	unknown            // the connection broke: it may have been committed
)

func outcomeOf(err error) outcome {
	if err == nil {
		return committed
	}
	var said *pgconn.PgError
	if !errors.As(err, &said) || said.SeverityUnlocalized == "FATAL" || said.SeverityUnlocalized == "PANIC" {
		return unknown
	}
	switch said.Code[:2] {
	case "22", "23":
		return refused
	}
	return rolledBack
}

// answer is what a caller is told of a write that was not acknowledged.
func answer(o outcome, err error) error {
	var said *pgconn.PgError
	switch {
	case o == unknown:
		return fmt.Errorf("%w (%w)", &ci.Problem{Code: ci.OutcomeUnknown, Detail: "The database has not said whether this is stored; send the same request again, it is stored once."}, err)
	case errors.As(err, &said) && said.Code == "53100":
		return fmt.Errorf("%w (%w)", diskFull(), err)
	}
	return unavailable("write", err)
}

func diskFull() *ci.Problem {
	return &ci.Problem{Code: ci.DiskFull, Detail: "The server's disk is full; keep the text and send the same request again later."}
}

// unavailable marks a fault of the database as one that will pass; what it was
// goes to the log only.
func unavailable(doing string, err error) error {
	if errors.Is(err, context.Canceled) || ci.AsProblem(err) != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	p := &ci.Problem{Code: ci.Unavailable, Detail: "The database is away; send the same request again."}
	switch {
	case isBusy(err):
		p.Detail = "The database is busy and has not got to this in time; send the same request again."
	case unfit(err):
		p.Detail = "The database refuses what this server asks of it, and the server's log says why; send the same request again once that is mended."
	}
	return fmt.Errorf("%s: %w (%w)", doing, p, err)
}

// unfit tells whether the database is there and will go on refusing until
// somebody changes it: a table or a column is missing, a right, a role.
func unfit(err error) bool {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return false
	}
	switch said.Code[:2] { // who may connect, which database, which schema; what is named, and who may use it
	case "28", "3D", "3F", "42":
		return true
	}
	return false
}

// IsAway tells whether an error says that there is no database to talk to, or
// not yet, rather than that it refused something.
func IsAway(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code == "57P03" || isFull(err) // starting up
	}
	var connecting *pgconn.ConnectError
	return errors.As(err, &connecting)
}

var errTooMuch = errors.New("this is too much at once")

// isBusy tells whether the database is there and has waited for a lock for too long, or
// worked for too long.
func isBusy(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && (said.Code == "55P03" || said.Code == "57014")
}

// IsTooMuch tells whether an error says that something took longer than it may, or came
// to more than is read at once.
func IsTooMuch(err error) bool {
	var said *pgconn.PgError
	return errors.Is(err, errTooMuch) || errors.As(err, &said) && said.Code == "57014"
}

// isFull tells whether others have taken all of PostgreSQL's connections.
func isFull(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "53300"
}
