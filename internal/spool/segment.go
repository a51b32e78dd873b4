package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

// insideBytes is how much larger than another a segment may become before the record
// that ends it, so that it does not end within a character, whose halves would be
// read one by one.
const insideBytes = 1 << 20

// segment is a part of the text: records in a file, or, where that could not
// be, in memory. Its end is the next one's base; the last one's is the
// spool's.
type segment struct {
	base int64
	path string   // empty: in memory
	file *os.File // while it is written
	size int64    // bytes of records
	mem  memory
}

// memory is a file's worth of records in memory. It is appended to only, so
// that a copy of the slice can be read meanwhile.
type memory []byte

// ReadAt reads as from a file.
func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(m)) {
		return 0, errEnd
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, errEnd
	}
	return n, nil
}

var errEnd = errors.New("end of segment")

func segmentName(base int64) string { return fmt.Sprintf("%019d%s", base, segmentSuffix) }

func segmentBase(name string) (int64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 19 {
		return 0, false
	}
	base, err := strconv.ParseInt(digits, 10, 64)
	return base, err == nil && base >= 0
}

// endOf is where a segment's text ends. The caller holds mu.
func (s *Spool) endOf(seg *segment) int64 {
	i := slices.Index(s.segments, seg)
	if i+1 < len(s.segments) {
		return s.segments[i+1].base
	}
	return s.end
}

// Append keeps text that was read at the time now. After Seal it does nothing.
func (s *Spool) Append(p []byte, now time.Time) {
	s.write.Lock()
	defer s.write.Unlock()
	for len(p) > 0 {
		n := min(len(p), maxPayload)
		if !s.append(p[:n], now) {
			return
		}
		p = p[n:]
	}
}

// append keeps one record; false after Seal. The caller holds write.
func (s *Spool) append(p []byte, now time.Time) bool {
	s.mu.Lock()
	sealed, end, inside := s.sealed, s.end, ci.Unfinished(s.tail) > 0
	var last *segment
	if n := len(s.segments); n > 0 {
		last = s.segments[n-1]
	}
	s.mu.Unlock()
	if sealed {
		return false
	}
	w := &s.write
	w.buf = s.seed.appendRecord(w.buf[:0], end, now, p)
	if last == nil || last.size >= s.limitOf(last) && (!inside || last.size >= s.limitOf(last)+insideBytes) {
		last = s.nextSegment()
	}
	if last.path != "" {
		n, err := w.file.Write(w.buf)
		if err == nil {
			s.publish(last, n, p, now)
			return true
		}
		// The disk is full, or worse. What is on it stays; this goes on in
		// memory.
		_ = w.file.Truncate(last.size)
		s.mu.Lock()
		s.noteTrouble(err)
		s.mu.Unlock()
		w.retryAt = time.Now().Add(diskAgain)
		s.boundMemory()
		last = s.addSegment(&segment{base: end})
	}
	s.mu.Lock()
	last.mem = append(last.mem, w.buf...)
	s.mu.Unlock()
	s.publish(last, len(w.buf), p, now)
	return true
}

// publish lets readers see what was written.
func (s *Spool) publish(seg *segment, size int, text []byte, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.size += int64(size)
	before := s.ready()
	s.end += int64(len(text))
	s.tail = append(s.tail, text[max(0, len(text)-utf8.UTFMax+1):]...)
	s.tail = s.tail[max(0, len(s.tail)-utf8.UTFMax+1):]
	s.dirty = seg.path != ""
	if s.quiet && s.ready() > before {
		s.quiet = false
		s.since = now
		s.signal()
	}
}

// limitOf is how large the segment may become.
func (s *Spool) limitOf(seg *segment) int64 {
	if seg.path == "" {
		return s.opt.memorySegment()
	}
	return s.opt.segmentBytes()
}

func (s *Spool) mayUseDisk() bool { return s.dir != "" && time.Now().After(s.write.retryAt) }

// nextSegment begins a segment, on disk if it can be.
func (s *Spool) nextSegment() *segment {
	if s.mayUseDisk() {
		seg, err := s.grow()
		if err == nil {
			return seg
		}
		s.mu.Lock()
		s.noteTrouble(err)
		s.mu.Unlock()
		s.write.retryAt = time.Now().Add(diskAgain)
	}
	s.mu.Lock()
	end := s.end
	s.mu.Unlock()
	s.boundMemory()
	return s.addSegment(&segment{base: end})
}

// grow begins a segment on disk.
func (s *Spool) grow() (*segment, error) {
	s.makeRoom()
	s.mu.Lock()
	base := s.end
	s.mu.Unlock()
	path := filepath.Join(s.dir, segmentName(base))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	seg := s.addSegment(&segment{base: base, path: path, file: f})
	s.write.file = f
	return seg, nil
}

// addSegment ends the last segment and begins another. One that is still empty
// is replaced.
func (s *Spool) addSegment(seg *segment) *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.segments); n > 0 {
		last := s.segments[n-1]
		if last.file != nil && last.file != seg.file {
			s.unsynced = append(s.unsynced, last.file)
			s.write.file = nil
		}
		last.file = nil
		if last.size == 0 {
			if last.path != "" && last.path != seg.path {
				_ = os.Remove(last.path)
			}
			s.segments = s.segments[:n-1]
		}
	}
	s.segments = append(s.segments, seg)
	s.newFiles = s.newFiles || seg.path != ""
	return seg
}

// boundMemory makes room for another segment in memory.
func (s *Spool) boundMemory() {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := int64(0)
	for _, seg := range s.segments {
		held += int64(len(seg.mem))
	}
	for i := 0; i < len(s.segments) && held > s.opt.Memory-s.opt.memorySegment(); i++ {
		if seg := s.segments[i]; seg.path == "" {
			held -= int64(len(seg.mem))
			s.segments = slices.Delete(s.segments, i, i+1)
			i--
		}
	}
}

// makeRoom keeps the root within its budget before another segment is begun.
// What the server has goes first: reports that were delivered, and of this one
// what was; then the oldest text of others, then of this one, which keeps two
// segments whatever others take. To look through the root takes its time: that
// is done beside (Run), and until it was the budget may be passed a little.
func (s *Spool) makeRoom() {
	s.room.grew.Store(true)
	s.mu.Lock()
	first := len(s.segments) == 0
	s.mu.Unlock()
	if first {
		return // nothing is looked through before a command starts
	}
	beside := s.room.beside.Load()
	if !beside {
		s.room.wanted.Store(s.over())
		s.room.look(s)
	}
	for s.over() && s.dropReleased() {
	}
	if beside && s.over() && s.room.wanted.CompareAndSwap(false, true) {
		return // the next look sees to it
	}
	s.dropOwn()
}

// dropOwn gives up our own oldest text, as long as there is too much.
func (s *Spool) dropOwn() {
	for s.over() {
		s.mu.Lock()
		dropped := len(s.segments) > 2 && s.dropOldest()
		s.mu.Unlock()
		if !dropped {
			return
		}
	}
}

// over tells whether another segment would be too much.
func (s *Spool) over() bool {
	return s.room.others.Load()+s.onDisk()+s.opt.segmentBytes() > s.opt.Budget
}

// dropReleased gives up the oldest segment if the server has all of it.
func (s *Spool) dropReleased() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.segments) > 2 && s.segments[1].base <= s.safe && s.segments[0].path != "" && s.dropOldest()
}

// room is what a spool knows of the others of its root.
type room struct {
	beside atomic.Bool  // Run looks
	others atomic.Int64 // bytes of the others
	wanted atomic.Bool  // more is wanted than dropping what the server has gives
	grew   atomic.Bool  // a segment was begun since the last look

	mu     sync.Mutex
	looked time.Time
}

// look counts what others have, and drops of it what is too much.
func (r *room) look(s *Spool) {
	if s.dir == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	wanted := r.wanted.Load()
	wait := lookEvery
	if r.grew.Load() {
		wait = time.Second
	}
	if time.Since(r.looked) < wait && !wanted {
		return
	}
	r.grew.Store(false)
	others := usedBy(s.root, s.dir)
	if need := others + s.onDisk() + s.opt.segmentBytes() - s.opt.Budget; need > 0 && others > 0 {
		others -= dropOthers(s.root, s.dir, need, s.releasable() < need)
	}
	r.others.Store(others)
	r.looked = time.Now()
	if wanted {
		s.dropOwn()
		r.wanted.Store(false)
	}
}

// lookEvery is how often a spool that does not grow looks through its root.
const lookEvery = 30 * time.Second

// releasable is how many bytes makeRoom can free of what the server has.
func (s *Spool) releasable() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i+2 < len(s.segments); i++ {
		if s.segments[i].path != "" && s.segments[i+1].base <= s.safe {
			n += s.segments[i].size
		}
	}
	return n
}

func (s *Spool) onDisk() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		if seg.path != "" {
			n += seg.size
		}
	}
	return n
}

// dropOldest gives up the oldest segment on disk that is not being written;
// false if there is none. The caller holds mu.
func (s *Spool) dropOldest() bool {
	for i, seg := range s.segments {
		if seg.path != "" && seg.file == nil {
			s.segments = slices.Delete(s.segments, i, i+1)
			return os.Remove(seg.path) == nil
		}
	}
	return false
}

// usedBy is how many bytes the spools of a root take, but for one.
func usedBy(root, except string) (n int64) {
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // it went away, or is not ours to count
		case d.IsDir() && path != root && (path == except || !isName(d.Name())):
			return filepath.SkipDir
		case !d.IsDir():
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
