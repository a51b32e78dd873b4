package ci

import (
	"fmt"
	"slices"
	"strings"
)

// needs brings a list to the form that is kept: none is nil.
func needs(keys []StepKey) []StepKey {
	if len(keys) == 0 {
		return nil
	}
	return keys
}

// checkNeeds refuses updates after which steps of the build wait for each
// other in a circle. The index is that of the last update that had a part in
// it. What stands between two updates of one request is not looked at: nobody
// can see it stand.
func (c *Change) checkNeeds(updates []Update) (index int, err error) {
	var changed []*StepState
	for i, step := range c.Touched {
		if !slices.Equal(step.Needs, c.undo.copies[i].Needs) {
			changed = append(changed, step)
		}
	}
	circle := c.state.circle(changed)
	if circle == nil {
		return 0, nil
	}
	gives := func(u Update) bool { return u.Step != nil && len(u.Step.Needs.Value) > 0 }
	for i, u := range updates {
		if gives(u) && slices.Contains(circle, u.Step.Key) {
			index = i
		}
	}
	return index, cycleProblem(circle)
}

func cycleProblem(circle []StepKey) *Problem {
	shown := circle
	if len(shown) > 10 {
		shown = append(slices.Clone(circle[:9]), "…")
	}
	var way strings.Builder
	for _, key := range shown {
		way.WriteString(string(key) + " needs ")
	}
	return &Problem{Code: NeedsCycle, Field: "needs", Detail: fmt.Sprintf("These needs lead in a circle: %s%s.", way.String(), circle[0])}
}

// circle returns steps that wait for each other, each one needing the next and
// the last one the first; nil if none can be reached from the given ones. A key
// that is not (yet) a step leads nowhere.
func (s *State) circle(from []*StepState) []StepKey {
	var path []StepKey
	const open, done = 1, 2
	seen := make(map[*StepState]int)
	var walk func(*StepState) []StepKey
	walk = func(step *StepState) []StepKey {
		seen[step] = open
		path = append(path, step.Key)
		for _, need := range step.Needs {
			next := s.byKey[need]
			if next == nil || seen[next] == done {
				continue
			}
			if seen[next] == open {
				return path[slices.Index(path, need):]
			}
			if circle := walk(next); circle != nil {
				return circle
			}
		}
		seen[step] = done
		path = path[:len(path)-1]
		return nil
	}
	for _, step := range from {
		if seen[step] != 0 {
			continue
		}
		if circle := walk(step); circle != nil {
			return circle
		}
	}
	return nil
}
