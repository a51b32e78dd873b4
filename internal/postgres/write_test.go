package postgres

import (
	"fmt"
	"reflect"
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

// TestSizes_CountAllTexts of a build: one that is left out takes memory that
// nobody bounds.
func TestSizes_CountAllTexts(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[ci.BuildUpdate]().Fields() {
		var u ci.BuildUpdate
		none := sizeOfBuild(&u)
		if said, ok := reflect.ValueOf(&u).Elem().FieldByIndex(field.Index).Addr().Interface().(*ci.Field[string]); ok {
			said.Value = "four"
			if n := sizeOfBuild(&u) - none; n != 4 {
				t.Errorf("four bytes of %s of a build update are counted as %d", field.Name, n)
			}
		}
	}
	for field := range reflect.TypeFor[ci.Build]().Fields() {
		var r buildRow
		if text, ok := reflect.ValueOf(&r.build).Elem().FieldByIndex(field.Index).Addr().Interface().(*ci.Text); ok {
			*text = "four"
			if n := r.texts(); n != 4 {
				t.Errorf("four bytes of %s of a build are counted as %d", field.Name, n)
			}
		}
	}
}

// TestCommitter_DecidesForAWhile leaves the rest of a batch to the next one, where a few
// bytes lead through a whole build, as needs do.
func TestCommitter_DecidesForAWhile(t *testing.T) {
	t.Parallel()
	key := func(i int) ci.StepKey { return ci.StepKey(fmt.Sprint(i)) }
	steps := make([]*ci.StepState, ci.MaxSteps)
	for i := range steps {
		steps[i] = &ci.StepState{Step: ci.Step{Key: key(i), Status: ci.Queued}, Number: i + 1}
		for n := i + 1; n <= i+ci.MaxNeeds && n < len(steps); n++ {
			steps[i].Needs = append(steps[i].Needs, key(n))
		}
	}
	build := ci.NewBuildID()
	c := newCommitter(&Store{})
	c.remember(build, ci.NewState(1, 0, ci.Build{ID: build}, time.Time{}, steps))
	var tasks []*task
	for i := range 1000 {
		update := ci.StepUpdate{Key: key(0), Needs: ci.Set([]ci.StepKey{key(1 + i%2)})}
		tasks = append(tasks, &task{build: build, request: &ci.Request{Build: build, Updates: []ci.Update{{Step: &update}}}})
	}
	if writes, rest := c.decide(tasks, time.Now()); len(writes) != 1 || len(rest) == 0 {
		t.Errorf("all %d tasks are decided at once, in %d writes", len(tasks), len(writes))
	}
}
