package turns

import "slices"

// A Line is what waits, of whom K says: one of each comes next, then one more of each, and
// so on. The zero Line is empty. It is not safe for concurrent use.
type Line[K, T comparable] struct {
	waiting map[K][]T
	order   []K // the keys of waiting, whose turn comes first at the front
}

// Add puts something at the end of what waits of somebody.
func (l *Line[K, T]) Add(who K, what T) {
	l.insert(who, len(l.waiting[who]), what)
}

// AddFirst puts something before all else that waits of somebody, who has no turn sooner.
func (l *Line[K, T]) AddFirst(who K, what T) {
	l.insert(who, 0, what)
}

func (l *Line[K, T]) insert(who K, at int, what T) {
	if l.waiting == nil {
		l.waiting = make(map[K][]T)
	}
	if len(l.waiting[who]) == 0 {
		l.order = append(l.order, who)
	}
	l.waiting[who] = slices.Insert(l.waiting[who], at, what)
}

// First is what comes next, if there is anything.
func (l *Line[K, T]) First() (what T, some bool) {
	if len(l.order) == 0 {
		return what, false
	}
	return l.waiting[l.order[0]][0], true
}

// Next takes out what comes next; there has to be something. It tells of whom it was.
func (l *Line[K, T]) Next() (who K, what T) {
	var none T // nothing that has left is kept by its place
	who = l.order[0]
	what, l.waiting[who][0] = l.waiting[who][0], none
	l.order = l.order[1:]
	if l.waiting[who] = l.waiting[who][1:]; len(l.waiting[who]) > 0 {
		l.order = append(l.order, who)
	} else {
		delete(l.waiting, who)
	}
	return who, what
}

// NextOf is Next among those whose turn it may be, if there is any of them. The others
// keep their places.
func (l *Line[K, T]) NextOf(may func(K) bool) (who K, what T, some bool) {
	i := slices.IndexFunc(l.order, may)
	if i < 0 {
		return who, what, false
	}
	who = l.order[i]
	copy(l.order[1:i+1], l.order[:i])
	l.order[0] = who
	who, what = l.Next()
	return who, what, true
}

// Remove takes something out, and tells whether it was there.
func (l *Line[K, T]) Remove(who K, what T) bool {
	i := slices.Index(l.waiting[who], what)
	if i < 0 {
		return false
	}
	if l.waiting[who] = slices.Delete(l.waiting[who], i, i+1); len(l.waiting[who]) == 0 {
		delete(l.waiting, who)
		l.order = slices.DeleteFunc(l.order, func(one K) bool { return one == who })
	}
	return true
}
