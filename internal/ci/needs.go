package ci

// findCycle returns the position of the last update that gave needs, when
// after all of them the build's steps wait for each other in a circle; else -1.
func (c *Change) findCycle(updates []Update) int {
	last := -1
	for i, u := range updates {
		if u.Step != nil && u.Step.Needs.Present {
			last = i
		}
	}
	if last < 0 {
		return -1
	}
	if _, ok := c.state.cycle(); ok {
		return last
	}
	return -1
}

// cycle returns a step whose needs lead back to it. A key that is not (yet) a
// step leads nowhere.
func (s *State) cycle() (StepKey, bool) {
	const open, done = 1, 2
	seen := make(map[StepKey]int, len(s.Steps))
	var walk func(*StepState) bool
	walk = func(step *StepState) bool {
		seen[step.Key] = open
		for _, need := range step.Needs {
			next := s.byKey[need]
			if next == nil || seen[need] == done {
				continue
			}
			if seen[need] == open || walk(next) {
				return true
			}
		}
		seen[step.Key] = done
		return false
	}
	for _, step := range s.Steps {
		if seen[step.Key] == 0 && walk(step) {
			return step.Key, true
		}
	}
	return "", false
}
