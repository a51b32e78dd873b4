package postgres

import (
	"sync/atomic"
	"time"
)

// counts are of what a process has done since its start.
type counts struct{ commits, events, lost, full atomic.Int64 }

// Stats is what an operator may want to know of a store. What is counted is
// counted from the start of the process.
type Stats struct {
	Commits     int64 // transactions that wrote to builds
	Events      int64 // that these appended to builds' logs
	TextBytes   int64 // of log text that was kept
	OverBytes   int64 // of log text that was taken and not kept, for want of a quota
	LostSteps   int64 // that this process found silent
	QueueBytes  int64 // that wait for their commit now
	QueueMost   int64 // above which writes are refused
	QueueFull   int64 // writes that were refused for it
	ConnsInUse  int   // of the pool for reading, now
	ConnsIdle   int
	ConnsMost   int
	ConnWaits   int64         // reads that had to wait for a connection
	ConnWaiting time.Duration // how long they did, together
	ListenAge   time.Duration // since LISTEN last proved to be alive; negative: it never did
	SweepAge    time.Duration // since silent reporters were last looked for; negative: they never were
	DiskFree    int64         // bytes left for the database; negative: that cannot be known
}

// Stats counts.
func (s *Store) Stats() Stats {
	pool := s.read.Stat()
	stats := Stats{
		Commits: s.counts.commits.Load(), Events: s.counts.events.Load(), LostSteps: s.counts.lost.Load(), QueueFull: s.counts.full.Load(),
		QueueMost:  int64(len(s.committers)) * maxQueued,
		ConnsInUse: int(pool.AcquiredConns()), ConnsIdle: int(pool.IdleConns()), ConnsMost: int(pool.MaxConns()),
		ConnWaits: pool.EmptyAcquireCount(), ConnWaiting: pool.EmptyAcquireWaitTime(),
		ListenAge: s.listener.age(), SweepAge: -1, DiskFree: -1,
	}
	if left, ok := s.disk.bytes(); ok {
		stats.DiskFree = int64(left)
	}
	if at := s.swept.Load(); at != nil {
		stats.SweepAge = time.Since(*at)
	}
	for _, c := range s.committers {
		stats.QueueBytes += c.queue.Queued()
	}
	s.texts.mu.Lock()
	defer s.texts.mu.Unlock()
	stats.TextBytes, stats.OverBytes = s.texts.kept, s.texts.over
	return stats
}
