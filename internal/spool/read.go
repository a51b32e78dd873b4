package spool

import (
	"bytes"
	"io"
	"os"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Piece is a run of text, or the news that so many bytes of it are gone.
type Piece struct {
	Offset int64
	At     time.Time
	Data   []byte
	Lost   int64
}

// End is the offset after the piece.
func (p *Piece) End() int64 { return p.Offset + int64(len(p.Data)) + p.Lost }

// reader is where the last Read ended.
type reader struct {
	seg  *segment
	file *os.File
	scan scanner // at the record that the place is in
	// Of the records in the piece that was read last: where each lies, and the
	// offset of its first byte.
	records []struct{ pos, place int64 }
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close()
	}
	*r = reader{}
}

// Read returns the text from the offset on: at most limit bytes and 64 KiB of
// it, printed within a tenth of a second; or a hole. What more text follows
// ends between two characters, unless the disk took no more just there; if it is
// more than the limit, after a line if it can. ok is false when there is none: the
// beginning of a character is none until the rest of it has come, or the text has
// ended.
func (s *Spool) Read(offset int64, limit int) (p Piece, ok bool) {
	p = Piece{Offset: offset, At: time.Now()}
	s.mu.Lock()
	seg, size, end := s.find(offset)
	ready := s.ready()
	if seg == nil || offset >= ready {
		s.quiet = true
		s.mu.Unlock()
		return p, false
	}
	mem := seg.mem
	s.mu.Unlock()
	if seg.base > offset {
		p.Lost = seg.base - offset
		return p, true
	}
	if !s.read.open(seg, mem, size, s.seed, offset) {
		p.Lost = end - offset
		return p, true
	}
	limit = min(limit, pieceBytes)
	follows := s.read.gather(&p, int(min(int64(limit), ready-offset)))
	switch {
	case len(p.Data) == 0: // nothing sound from here on
		if p.Lost == 0 || p.End() > end {
			p.Lost = end - offset
		}
	case p.End() == ready || !follows:
	case len(p.Data) == limit:
		p.Data = p.Data[:cutAt(p.Data)]
		s.read.backTo(p.End())
	default:
		p.Data = p.Data[:len(p.Data)-ci.Unfinished(p.Data)]
		s.read.backTo(p.End())
	}
	if p.End() == ready {
		s.mu.Lock()
		s.quiet = s.ready() == ready
		if !s.quiet {
			s.since = time.Now()
		}
		s.mu.Unlock()
	}
	return p, true
}

// backTo makes the reader stand at the record of the last piece that has the
// offset.
func (r *reader) backTo(offset int64) {
	for i := len(r.records) - 1; i >= 0; i-- {
		if r.records[i].place <= offset {
			r.scan.pos = r.records[i].pos
			return
		}
	}
}

// find returns the segment that has the offset, or the first after it, with
// its size and end. The caller holds mu.
func (s *Spool) find(offset int64) (seg *segment, size, end int64) {
	for i, seg := range s.segments {
		end := s.end
		if i+1 < len(s.segments) {
			end = s.segments[i+1].base
		}
		if end > offset {
			return seg, seg.size, end
		}
	}
	return nil, 0, 0
}

// open makes the reader stand at or before the record with the offset.
func (r *reader) open(seg *segment, mem memory, size int64, seed seed, offset int64) bool {
	if r.seg != seg {
		r.close()
		var from io.ReaderAt = mem
		if seg.path != "" {
			f, err := os.Open(seg.path)
			if err != nil {
				return false
			}
			r.file, from = f, f
		}
		r.seg, r.scan = seg, scanner{seed: seed, from: from}
	}
	if seg.path == "" {
		r.scan.from = mem
	}
	r.scan.size = size
	if r.scan.pos > 0 {
		here := r.scan
		if h, _, ok := here.next(); !ok || h.place > offset {
			r.scan.pos = 0 // it is behind the record: from the segment's start
		}
	}
	return true
}

// gather takes records into the piece, and leaves the reader at the first one
// that is not wholly in it. follows tells that more text does so directly. A piece
// is not the beginning of a character alone, if the rest of it is there.
func (r *reader) gather(p *Piece, limit int) (follows bool) {
	r.records = r.records[:0]
	for {
		before := r.scan
		h, at, ok := r.scan.next()
		if !ok {
			r.scan = before
			return false
		}
		from := p.Offset + int64(len(p.Data))
		if h.end() <= from {
			continue
		}
		start := len(p.Data)
		begins := start == 0 || start == ci.Unfinished(p.Data)
		if h.place > from || !begins && h.at.Sub(p.At).Abs() >= pieceTime {
			r.scan = before
			if start == 0 {
				p.At, p.Lost = h.at, h.place-from
			}
			return h.place == from
		}
		r.records = append(r.records, struct{ pos, place int64 }{before.pos, h.place})
		data, sound := before.seed.readPayload(p.Data, r.scan.from, h, at)
		if !sound {
			if start == 0 {
				p.Lost = h.end() - from
			} else {
				r.scan = before
			}
			return false
		}
		if begins {
			p.At = h.at
		}
		p.Data = append(data[:start], data[start+int(from-h.place):]...)
		if len(p.Data) >= limit {
			r.scan = before
			follows = len(p.Data) > limit || r.scan.more(h)
			p.Data = p.Data[:limit]
			return follows
		}
	}
}

// more tells whether text directly follows a record.
func (s scanner) more(h header) bool {
	s.pos += headerBytes + int64(h.length)
	next, _, ok := s.next()
	return ok && next.place == h.end()
}

// cutAt returns where a piece that more text follows ends: after a line, else
// between two characters.
func cutAt(p []byte) int {
	if i := bytes.LastIndexByte(p, '\n'); i >= 0 {
		return i + 1
	}
	if n := len(p) - ci.Unfinished(p); n > 0 {
		return n
	}
	return len(p)
}
