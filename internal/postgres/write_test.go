package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// TestCommitter_KeepsLittle remembers builds that are as large as they may be: by
// what they take, not by their number.
func TestCommitter_KeepsLittle(t *testing.T) {
	t.Parallel()
	c := newCommitter(&Store{})
	steps := make([]*ci.StepState, ci.MaxSteps)
	for i := range steps {
		steps[i] = &ci.StepState{Step: ci.Step{Key: ci.StepKey(fmt.Sprint(i)), Name: ci.Text(strings.Repeat("x", ci.MaxPlan/ci.MaxSteps-4))}}
	}
	for range 200 {
		c.remember(ci.NewBuildID(), ci.NewState(1, 0, ci.Build{}, time.Time{}, steps))
		c.makeRoom()
	}
	bytes := 0
	for _, k := range c.known {
		bytes += k.bytes
	}
	if n := len(c.known); c.cached > cachedBytes || n < 10 || bytes != c.cached {
		t.Errorf("%d builds take %d bytes, counted as %d, want at most %d", n, bytes, c.cached, cachedBytes)
	}
	c.forget()
	if len(c.known) != 0 || c.cached != 0 {
		t.Errorf("forgotten, %d builds take %d bytes", len(c.known), c.cached)
	}
}
