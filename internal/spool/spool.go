package spool

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/stepcast/stepcast/internal/ci"
)

// Bounds, unless Options say otherwise.
const (
	DefaultBudget = 1 << 30        // bytes on disk, of all spools of a root
	DefaultMemory = 32 << 20       // bytes in memory, of a spool that cannot use the disk
	DefaultMaxAge = 24 * time.Hour // the server takes no text later than that after a step's end

	maxSegment = 4 << 20
	minSegment = 64 << 10
	// pieceBytes bounds what Read hands out at once.
	pieceBytes = ci.MaxChunkBytes
	// pieceTime bounds how far the time of a piece may be off for its last
	// byte.
	pieceTime = 100 * time.Millisecond
	syncEvery = 100 * time.Millisecond
	// reserveBytes is how much of a journal has its place on the disk from the
	// beginning.
	reserveBytes = 16 << 10
	// diskAgain is how long a spool that could not use the disk leaves it
	// alone.
	diskAgain = time.Second
)

// Names in a spool's folder, beside those of segments.
const (
	lockName      = "lock"
	journalName   = "journal"
	deliveredName = "delivered"
	seenName      = "seen"
	segmentSuffix = ".log"
)

// ErrLocked is returned by Open when another process has the spool open.
var ErrLocked = errors.New("another process is at work on it")

// ErrGone is returned by Open when there is no spool, any more or yet.
var ErrGone = errors.New("there is no spool")

// Options bound spools. The zero value means the defaults.
type Options struct {
	Budget int64         // bytes on disk, of all spools of the root
	Memory int64         // bytes in memory, of this spool
	MaxAge time.Duration // see TooOld
}

func (o Options) withDefaults() Options {
	if o.Budget <= 0 {
		o.Budget = DefaultBudget
	}
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	if o.MaxAge <= 0 {
		o.MaxAge = DefaultMaxAge
	}
	return o
}

// segmentBytes is how large a segment becomes, about.
func (o Options) segmentBytes() int64 { return min(max(o.Budget/16, minSegment), maxSegment) }

// memorySegment is how large one in memory becomes.
func (o Options) memorySegment() int64 { return min(o.Memory/16, maxSegment/4) }

// Spool is one report's. Append, Journal, Sync and the methods that tell
// something may be called from any goroutine, the others from one at a time.
type Spool struct {
	root, dir string // empty: in memory alone
	opt       Options
	seed      seed
	lock      *flock.Flock
	wake      chan struct{} // one slot

	// Of whoever appends.
	write struct {
		sync.Mutex
		buf     []byte
		file    *os.File  // of the last segment; nil: it is in memory
		retryAt time.Time // when the disk may be tried again
	}
	room room

	mu        sync.Mutex
	segments  []*segment
	end       int64
	tail      []byte // the last bytes before it, as many as a character can lack its end with
	safe      int64  // text below is only kept in case that the server forgets it
	quiet     bool   // all that can be read was
	since     time.Time
	sealed    bool
	trouble   error
	unsynced  []*os.File // sealed, to be synced and closed
	dirty     bool       // the last segment is to be synced
	newFiles  bool       // the folder is to be synced
	entries   []Entry
	nextEntry int64 // number of the next entry
	journal   *os.File
	journaled int64 // bytes of it that are sound
	journalOK bool  // it has not changed since it was synced

	read reader
}

// Entry is a record of the journal.
type Entry struct {
	At   time.Time
	Data []byte
}

// Create makes a spool in a root, which is made if need be. The first entry of
// the journal says what it is. The error is that of the file system; Memory
// works then.
func Create(root string, opt Options, first []byte) (*Spool, error) {
	if err := makeRoot(root); err != nil {
		return nil, err
	}
	name := time.Now().UTC().Format(nameTime) + "-" + strings.ToLower(rand.Text()[:nameRandom])
	s := newSpool(opt, name)
	s.root, s.dir = root, filepath.Join(root, name)
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, plain(err)
	}
	if err := s.begin(first); err != nil {
		s.close()
		_ = os.RemoveAll(s.dir)
		return nil, plain(err)
	}
	return s, nil
}

// The name of a spool's folder is the time at which it was made, and chance.
const (
	nameTime   = "20060102T150405.000000"
	nameRandom = 12
)

// isName tells a spool's folder from whatever else lies in a root.
func isName(name string) bool {
	at, chance, ok := strings.Cut(name, "-")
	_, err := time.Parse(nameTime, at)
	return ok && err == nil && len(at) == len(nameTime) && len(chance) == nameRandom
}

// begin locks the folder of a new spool, and then lets others see it.
func (s *Spool) begin(first []byte) error {
	if _, err := s.tryLock(); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, journalName), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	s.journal = f
	if err := s.Journal(first); err != nil {
		return err
	}
	// Room for what is said last, should the disk be full by then.
	if _, err := f.WriteAt(make([]byte, reserveBytes), s.journaled); err != nil {
		return err
	}
	_, err = s.grow()
	return err
}

// Memory makes a spool that is nowhere but in memory.
func Memory(opt Options, first []byte) *Spool {
	s := newSpool(opt, rand.Text())
	s.entries = []Entry{{time.Now(), bytes.Clone(first)}}
	return s
}

func newSpool(opt Options, name string) *Spool {
	return &Spool{opt: opt.withDefaults(), seed: seedOf(name), wake: make(chan struct{}, 1), quiet: true}
}

// makeRoot makes a folder that nobody else can look into, and refuses one that
// somebody else could have prepared.
func makeRoot(root string) error {
	// The folder above may be others' business too, such as a server's.
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return plain(err)
	}
	if err := os.Mkdir(root, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return plain(err)
	}
	return checkOwner(root)
}

// Folder is the folder of that name in a root, for what else a runner keeps that
// is nobody else's. It is made if it is not there.
func Folder(root, name string) (dir string, err error) {
	if err := makeRoot(root); err != nil {
		return "", err
	}
	dir = filepath.Join(root, name)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", plain(err)
	}
	return dir, checkOwner(dir)
}

// plain leaves the operation and the path out, which the reader knows.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func (s *Spool) tryLock() (bool, error) {
	s.lock = flock.New(filepath.Join(s.dir, lockName), flock.SetPermissions(0o600))
	ok, err := s.lock.TryLock()
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", s.dir, plain(err))
	}
	return ok, nil
}

// Dir is the spool's folder; empty when it is in memory alone.
func (s *Spool) Dir() string { return s.dir }

// Root is the folder in which that lies beside others; empty as that is.
func (s *Spool) Root() string { return s.root }

// Wake gets a value when there is something to read after all of it was, and when
// the text has ended.
func (s *Spool) Wake() <-chan struct{} { return s.wake }

func (s *Spool) signal() {
	select {
	case s.wake <- struct{}{}:
	default: // a wake is waiting already
	}
}

// End is the length of the text so far, in bytes.
func (s *Spool) End() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}

// Seal ends the text and returns its length.
func (s *Spool) Seal() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	s.signal()
	return s.end
}

// ready is how far the text can be read: to its end, or to where a character
// begins of which the rest may still come. The caller holds mu.
func (s *Spool) ready() int64 {
	if s.sealed {
		return s.end
	}
	return s.end - int64(ci.Unfinished(s.tail))
}

// Waiting tells how much there is to read after the cursor, and since when the
// first byte of what was never read waits.
func (s *Spool) Waiting(cursor int64) (n int64, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, s.ready()-cursor), s.since
}

// Release says that the server has the text below the offset: it is the first
// to go when there is no room.
func (s *Spool) Release(offset int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.safe = max(s.safe, offset)
}

// Trouble is why text had to be kept in memory; nil if none was.
func (s *Spool) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// Held is how many bytes of the text after the cursor there are; the others
// were given up.
func (s *Spool) Held(cursor int64) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		n += max(0, s.endOf(seg)-max(seg.base, cursor))
	}
	return n
}

// InMemory is how many bytes of the text after the cursor are not on disk.
func (s *Spool) InMemory(cursor int64) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		if seg.path == "" {
			n += max(0, s.endOf(seg)-max(seg.base, cursor))
		}
	}
	return n
}

// Journal keeps an entry, for good. The error is that of the file system, and
// then the entry is in memory alone.
func (s *Spool) Journal(data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(data) > maxPayload {
		return fmt.Errorf("an entry of %d bytes is too long for the journal", len(data))
	}
	number := s.nextEntry
	s.nextEntry++
	now := time.Now()
	s.entries = append(s.entries, Entry{now, bytes.Clone(data)})
	if s.journal == nil {
		return nil
	}
	// Twice: a spool whose first entry is damaged would be of no use.
	record := s.seed.appendRecord(nil, number, now, data)
	record = append(record, record...)
	n, err := s.journal.WriteAt(record, s.journaled)
	for err != nil && isFull(err) && s.dropOldest() {
		n, err = s.journal.WriteAt(record, s.journaled)
	}
	if n == len(record) {
		s.journaled += int64(n)
		s.journalOK = false
		return nil
	}
	s.noteTrouble(err)
	return plain(err)
}

// Entries returns the journal. Entries that were damaged are missing.
func (s *Spool) Entries() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[:len(s.entries):len(s.entries)]
}

func (s *Spool) noteTrouble(err error) {
	if s.trouble == nil {
		s.trouble = plain(err)
	}
}

// Delivered notes that the server has everything, or will never take more,
// which is final. The spool is kept in case that it forgets, and is the first
// to go when there is no room.
func (s *Spool) Delivered(final bool) error {
	if s.dir == "" {
		return nil
	}
	s.Release(s.End())
	var word []byte
	if final {
		word = []byte(finalWord)
	}
	return plain(os.WriteFile(filepath.Join(s.dir, deliveredName), word, 0o600))
}

const finalWord = "final\n"

// IsFinal tells whether Delivered was told that the server will never take
// more.
func (s *Spool) IsFinal() bool {
	word, err := os.ReadFile(filepath.Join(s.dir, deliveredName))
	return err == nil && string(word) == finalWord
}

// Undelivered takes Delivered back.
func (s *Spool) Undelivered() {
	if s.dir != "" {
		_ = os.Remove(filepath.Join(s.dir, deliveredName))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.safe = 0
}

// WasDelivered tells whether Delivered was called, in this process or another.
func (s *Spool) WasDelivered() bool { return s.dir != "" && IsDelivered(s.dir) }

// IsDelivered is WasDelivered of the spool in a folder, which need not be open.
func IsDelivered(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, deliveredName))
	return err == nil
}

// Sync brings to the disk what was appended before.
func (s *Spool) Sync() error {
	s.mu.Lock()
	files := s.unsynced
	s.unsynced = nil
	var last, journal *os.File
	if n := len(s.segments); s.dirty && n > 0 {
		last = s.segments[n-1].file
	}
	if !s.journalOK {
		journal = s.journal
	}
	folder := s.newFiles
	s.dirty, s.newFiles, s.journalOK = false, false, true
	s.mu.Unlock()

	var errs []error
	for _, f := range files {
		errs = append(errs, f.Sync(), f.Close())
	}
	for _, f := range []*os.File{last, journal} {
		// A file that was closed meanwhile was synced by the one who closed it.
		if f != nil {
			if err := f.Sync(); !errors.Is(err, os.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if folder {
		errs = append(errs, syncFolder(s.dir), syncFolder(s.root))
	}
	return errors.Join(errs...)
}

// Run syncs, ten times a second while there is something to sync, and makes
// room in the root, until ctx is done. It returns the first error, and goes on.
func (s *Spool) Run(ctx context.Context) (first error) {
	s.room.beside.Store(true)
	defer s.room.beside.Store(false)
	ticker := time.NewTicker(syncEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return first
		case <-ticker.C:
			s.room.look(s)
			if err := s.Sync(); err != nil && first == nil {
				first = err
				s.mu.Lock()
				s.noteTrouble(err)
				s.mu.Unlock()
			}
		}
	}
}

// Close lets others open the spool. What was not synced is in the file system
// all the same.
func (s *Spool) Close() { s.close() }

// Remove deletes the spool.
func (s *Spool) Remove() error {
	if s.dir == "" {
		return nil
	}
	s.closeFiles() // some systems remove nothing that is open
	// The journal goes first: without it, nobody takes the folder for a spool.
	err := os.Remove(filepath.Join(s.dir, journalName))
	files, _ := os.ReadDir(s.dir)
	for _, f := range files {
		if f.Name() != lockName {
			err = errors.Join(err, os.Remove(filepath.Join(s.dir, f.Name())))
		}
	}
	s.close()
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *Spool) close() {
	s.closeFiles()
	if s.lock != nil {
		_ = s.lock.Unlock()
	}
}

func (s *Spool) closeFiles() {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	for _, f := range s.unsynced {
		_ = f.Close()
	}
	s.unsynced = nil
	if s.write.file != nil {
		_ = s.write.file.Close()
		s.write.file = nil
	}
	if s.journal != nil {
		_ = s.journal.Close()
		s.journal = nil
	}
	s.read.close()
}
