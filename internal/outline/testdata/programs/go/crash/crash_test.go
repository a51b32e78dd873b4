package crash

import "testing"

type node struct{ next *node }

func last(n *node) *node {
	for n.next != nil {
		n = n.next
	}
	return n
}

func TestLast(t *testing.T) { last(nil) }

func TestNeverRun(t *testing.T) {}
