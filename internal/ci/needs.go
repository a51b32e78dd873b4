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
	gives := func(u Update) bool { return u.Step != nil && len(u.Step.Needs.Value) > 0 }
	if !slices.ContainsFunc(updates, gives) {
		return 0, nil
	}
	circle := c.state.circle()
	if circle == nil {
		return 0, nil
	}
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
// the last one the first; nil if there are none. A key that is not (yet) a
// step leads nowhere.
func (s *State) circle() []StepKey {
	var path []StepKey
	const open, done = 1, 2
	seen := make(map[StepKey]int, len(s.Steps))
	var walk func(*StepState) []StepKey
	walk = func(step *StepState) []StepKey {
		seen[step.Key] = open
		path = append(path, step.Key)
		for _, need := range step.Needs {
			next := s.byKey[need]
			if next == nil || seen[need] == done {
				continue
			}
			if seen[need] == open {
				return path[slices.Index(path, need):]
			}
			if circle := walk(next); circle != nil {
				return circle
			}
		}
		seen[step.Key] = done
		path = path[:len(path)-1]
		return nil
	}
	for _, step := range s.Steps {
		if seen[step.Key] != 0 {
			continue
		}
		if circle := walk(step); circle != nil {
			return circle
		}
	}
	return nil
}
