//go:build !unix

package pgtest

import (
	"testing"

	"github.com/stepcast/stepcast/internal/embedded"
)

const why = "no PostgreSQL of our own on this system"

// New skips the test.
func New(tb testing.TB) string { tb.Helper(); tb.Skip(why); return "" }

// Start skips the test.
func Start(tb testing.TB) *embedded.Server { tb.Helper(); tb.Skip(why); return nil }

// Dir is a folder for the test.
func Dir(tb testing.TB) string { tb.Helper(); return tb.TempDir() }
