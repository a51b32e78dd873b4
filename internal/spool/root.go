package spool

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// List returns the folders of the spools in a root, the oldest first. Others
// may be at work on them. A root that is not there has none.
func List(root string) ([]string, error) {
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := checkOwner(root); err != nil {
		return nil, fmt.Errorf("the spool %s cannot be used: %w", root, err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", root, plain(err))
	}
	var dirs []string
	for _, e := range entries { // by name, which begins with the time
		if !e.IsDir() || !isName(e.Name()) {
			continue
		}
		dir := filepath.Join(root, e.Name())
		_, err := os.Stat(filepath.Join(dir, journalName))
		switch {
		case err == nil:
			dirs = append(dirs, dir)
		case errors.Is(err, fs.ErrNotExist):
			removeUnborn(dir, e)
		}
	}
	return dirs, nil
}

// removeUnborn removes a folder whose owner was killed before it had said
// anything, or while it removed it.
func removeUnborn(dir string, e fs.DirEntry) {
	info, err := e.Info()
	if err != nil || time.Since(info.ModTime()) <= unbornAge {
		return
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, f := range files {
		if _, ours := segmentBase(f.Name()); ours || slices.Contains([]string{lockName, deliveredName, seenName}, f.Name()) {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
	_ = os.Remove(dir) // unless there is something else in it
}

// unbornAge is how long a folder without a journal is taken for a spool that is
// just being made.
const unbornAge = time.Hour

// Of files that are longer than what we write, no more is read: who may write into
// the folder could make every run look through them.
const (
	mostSegment = maxSegment + insideBytes + headerBytes + maxPayload
	mostJournal = 32 << 20
)

// Open opens a spool that was left behind, to read it, add to its journal and
// remove it. A torn tail is cut off. The error is ErrLocked, ErrGone or the
// file system's.
func Open(dir string, opt Options) (*Spool, error) {
	if !isName(filepath.Base(dir)) {
		return nil, ErrGone // something else's
	}
	s := newSpool(opt, filepath.Base(dir))
	s.root, s.dir = filepath.Dir(dir), dir
	if _, err := os.Stat(filepath.Join(dir, journalName)); err != nil {
		return nil, ErrGone // a lock file must not be made where nothing is
	}
	if err := checkOwner(s.root); err != nil {
		return nil, fmt.Errorf("the spool %s cannot be used: %w", s.root, err)
	}
	if err := onlyFiles(dir); err != nil {
		return nil, err
	}
	ok, err := s.tryLock()
	switch {
	case errors.Is(err, fs.ErrNotExist): // its owner has just removed it
		return nil, ErrGone
	case err != nil:
		return nil, err
	case !ok:
		return nil, ErrLocked
	}
	if err := s.recover(); err != nil {
		s.close()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrGone
		}
		return nil, fmt.Errorf("open %s: %w", dir, plain(err))
	}
	return s, nil
}

// onlyFiles refuses a folder in which somebody has put a link, which would have
// another file read or cut off, or a pipe, which nobody writes to.
func onlyFiles(dir string) error {
	files, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrGone
	case err != nil:
		return plain(err)
	}
	for _, f := range files {
		if !f.Type().IsRegular() && !f.IsDir() {
			return fmt.Errorf("%s is no file that Stepcast wrote; remove the folder that it is in", filepath.Join(dir, f.Name()))
		}
	}
	return nil
}

// Journal returns the entries of a spool that somebody may be at work on, as far
// as they are written. The error is ErrGone or the file system's.
func Journal(dir string) ([]Entry, error) {
	if err := onlyFiles(dir); err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	s := newSpool(Options{}, filepath.Base(dir))
	if err := s.readJournal(f); err != nil {
		return nil, plain(err)
	}
	return s.entries, nil
}

// recover reads what a folder holds.
func (s *Spool) recover() error {
	f, err := os.OpenFile(filepath.Join(s.dir, journalName), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	s.journal, s.sealed = f, true
	if err := s.readJournal(f); err != nil {
		return err
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		base, ok := segmentBase(file.Name())
		if !ok {
			continue
		}
		info, err := file.Info()
		if err != nil {
			return err
		}
		s.segments = append(s.segments, &segment{base: base, path: filepath.Join(s.dir, file.Name()), size: min(info.Size(), mostSegment)})
	}
	slices.SortFunc(s.segments, func(a, b *segment) int { return cmp.Compare(a.base, b.base) })
	if n := len(s.segments); n > 0 {
		return s.cutTail(s.segments[n-1])
	}
	return nil
}

// readJournal reads the entries. Each is there twice.
func (s *Spool) readJournal(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	scan := scanner{seed: s.seed, from: f, size: min(info.Size(), mostJournal)}
	for {
		h, at, ok := scan.next()
		if !ok {
			break
		}
		data, sound := s.seed.readPayload(nil, f, h, at)
		if !sound {
			continue
		}
		s.journaled = scan.pos
		if h.place >= s.nextEntry {
			s.entries = append(s.entries, Entry{h.at, bytes.Clone(data)})
			s.nextEntry = h.place + 1
		}
	}
	return nil // what follows is overwritten
}

// cutTail cuts off what was not written whole, and settles where the text
// ends.
func (s *Spool) cutTail(seg *segment) error {
	f, err := os.OpenFile(seg.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	s.end = seg.base
	sound := int64(0)
	scan := scanner{seed: s.seed, from: f, size: seg.size}
	var buf []byte
	for {
		h, at, ok := scan.next()
		if !ok {
			break
		}
		var whole bool
		if buf, whole = s.seed.readPayload(buf[:0], f, h, at); whole && h.place >= s.end {
			s.end, sound = h.end(), scan.pos
		}
	}
	if sound == seg.size {
		return nil
	}
	seg.size = sound
	return f.Truncate(sound)
}

// TooOld tells whether the spool has waited for longer than MaxAge since
// somebody first looked at what was left behind; it is that look, if nobody
// did. It does not count from when the text was written: a clock that was wrong
// then would make a spool of today an old one.
func (s *Spool) TooOld() bool {
	path := filepath.Join(s.dir, seenName)
	info, err := os.Stat(path)
	if err != nil {
		_ = os.WriteFile(path, nil, 0o600)
		return false
	}
	return time.Since(info.ModTime()) >= s.opt.MaxAge
}

// keepEnd leaves a mark where the text ended, if all of it was given up: that
// there was some must not be forgotten.
func (s *Spool) keepEnd() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) > 0 || s.end == 0 {
		return
	}
	path := filepath.Join(s.dir, segmentName(s.end))
	if os.WriteFile(path, nil, 0o600) == nil {
		s.segments = append(s.segments, &segment{base: s.end, path: path})
	}
}

// dropOthers frees so many bytes in a root, from spools that nobody is at work
// on: those that were delivered, then, if it may, the text of the oldest
// others. It returns how many it freed.
func dropOthers(root, except string, need int64, text bool) (freed int64) {
	dirs, err := List(root)
	if err != nil {
		return 0
	}
	for _, delivered := range []bool{true, false} {
		for _, dir := range dirs {
			if freed >= need || !delivered && !text {
				return freed
			}
			if dir == except || IsDelivered(dir) != delivered {
				continue
			}
			s, err := Open(dir, Options{})
			if err != nil {
				continue // its owner bounds it
			}
			had := s.onDisk()
			if delivered {
				if s.Remove() == nil {
					freed += had
				}
				continue
			}
			for dropped := true; dropped && freed+had-s.onDisk() < need; {
				s.mu.Lock()
				dropped = s.dropOldest()
				s.mu.Unlock()
			}
			freed += had - s.onDisk()
			s.keepEnd()
			s.close()
		}
	}
	return freed
}
