package mask

// maxPiece bounds what is looked at in one go, and with it the memory that a
// stream keeps, in bytes.
const maxPiece = 64 << 10

// Stream is one output of a command on its way out. It is for one goroutine at
// a time, like a file; several streams may share a [Masker].
type Stream struct {
	masker *Masker
	out    func([]byte)

	held    []byte // what was written and not released: it begins a pattern
	cover   int    // of held, the bytes that belong to a Hidden already released
	starred bool   // nothing was released after the last Hidden
	masked  []byte // reused: the text to release, when it is not as it was written
	scratch []byte // reused by table.at

	commands bool
	refused  func(error)
	line     lineState
}

// Stream returns a new stream. What it releases it hands to out, in order,
// during Write and Close; out must not keep the bytes.
func (m *Masker) Stream(out func([]byte)) *Stream {
	return &Stream{masker: m, out: out, line: lineState{fresh: true}}
}

// Write takes the next bytes of the output. It always takes all of them, and
// keeps no reference to p.
func (s *Stream) Write(p []byte) (int, error) {
	if s.commands {
		s.obey(p)
	} else {
		s.mask(p)
	}
	return len(p), nil
}

// Held is how many of the bytes that were written are held back.
func (s *Stream) Held() int { return len(s.held) + len(s.line.held) }

// Close releases what is held back. The stream must not be used afterwards.
func (s *Stream) Close() {
	if s.commands {
		s.endLine()
	}
	if len(s.held) > 0 {
		s.step(s.held, true)
	}
}

// mask hides the values in the next bytes of the text.
func (s *Stream) mask(p []byte) {
	if s.masker.current() == nil && len(p) > 0 { // then nothing is held either
		s.out(p)
		return
	}
	for len(p) > 0 {
		piece := p[:min(len(p), maxPiece)]
		p = p[len(piece):]
		if len(s.held) > 0 {
			s.held = append(s.held, piece...)
			piece = s.held
		}
		s.step(piece, false)
	}
}

// step releases what can be of a text, which may be s.held itself; last tells
// that no more will follow.
func (s *Stream) step(text []byte, last bool) {
	t := s.masker.current()
	out, cover, hold := s.masked[:0], s.cover, len(text)
	for i := t.next(text, 0); i < len(text); i = t.next(text, i+1) {
		var n int
		var more bool
		n, more, s.scratch = t.at(text[i:], s.scratch)
		if n > 0 {
			// What overlaps or touches the one before is one with it.
			if i > cover || !s.starred {
				out = append(append(out, text[cover:i]...), Hidden...)
				s.starred = true
			}
			cover = max(cover, i+n)
		}
		if more && !last {
			hold = i
			break
		}
	}
	if hold > cover {
		s.starred = false
		if len(out) == 0 {
			s.out(text[cover:hold])
		} else {
			out = append(out, text[cover:hold]...)
		}
		cover = hold
	}
	if len(out) > 0 {
		s.out(out)
	}
	s.masked, s.cover = out[:0], cover-hold
	s.held = append(s.held[:0], text[hold:]...)
}
