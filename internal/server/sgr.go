package server

import (
	"bytes"
	"strconv"
	"strings"
)

// An sgr follows the colours and styles that a log sets (ECMA-48, "select
// graphic rendition"), so that a reader who begins in the middle sees them as
// one who began at the start. Pieces may end anywhere; a sequence ends with its
// line at the latest, as in package ansi and on the pages: one that was cut off
// would otherwise take its end from the next line's words.
type sgr struct {
	set        [sgrEnd]string // by attribute: the parameter that sets it; empty: off
	known      uint16         // a bit for each attribute that something was said about
	sequence   []byte         // what has come of an escape sequence, from ESC on
	inSequence bool
}

// The attributes: by their number, 1 bold, 2 faint … 9 struck out, then these.
const (
	sgrDouble   = 10 + iota // underlined twice
	sgrOverline             // a line above
	sgrColours              // of the text, behind it, and of the line below it
	sgrEnd      = sgrColours + 3

	sgrAll = 1<<sgrEnd - 2 // all bits of known
)

// maxSequence is the longest sequence that is taken for one, in bytes.
const maxSequence = 256

// write goes past a piece of the log.
func (s *sgr) write(data []byte) {
	for len(data) > 0 {
		if !s.inSequence {
			i := bytes.IndexByte(data, 0x1b)
			if i < 0 {
				return
			}
			data = data[i+1:]
			if n := sequenceEnd(data); n > 0 {
				if data[n] == 'm' {
					s.apply(data[1:n])
				}
				data = data[n+1:]
				continue
			}
			s.sequence, s.inSequence = s.sequence[:0], true
			continue
		}
		b := data[0]
		switch {
		case b == 0x1b: // another begins
			s.sequence = s.sequence[:0]
		case b == '\n', len(s.sequence) == 0 && b != '[', len(s.sequence) == maxSequence:
			s.inSequence = false
		case len(s.sequence) == 0 || b >= 0x20 && b < 0x40:
			s.sequence = append(s.sequence, b)
		case b == 'm':
			s.apply(s.sequence[1:])
			s.inSequence = false
		case b >= 0x40:
			s.inSequence = false
		}
		data = data[1:]
	}
}

// sequenceEnd is where a control sequence ends whose ESC came before data; 0:
// it is none, or not so simple. Most are.
func sequenceEnd(data []byte) int {
	if len(data) == 0 || data[0] != '[' {
		return 0
	}
	for n, b := range data[1:min(len(data), maxSequence)] {
		if b >= 0x40 {
			return n + 1
		}
		if b < 0x20 {
			break
		}
	}
	return 0
}

// apply carries out the parameters of one sequence.
func (s *sgr) apply(parameters []byte) {
	separator := []byte{';'}
	for rest, more := parameters, true; more; {
		var field []byte
		field, rest, more = bytes.Cut(rest, separator)
		number, sub, _ := bytes.Cut(field, []byte{':'})
		n := 0
		for _, b := range number {
			if b < '0' || b > '9' {
				return // private: \x1b[>4m and the like
			}
			n = min(10*n+int(b-'0'), 1000)
		}
		switch {
		case n == 0:
			s.reset()
		case n == 4 && string(sub) == "0":
			s.put("", 4)
		case n >= 1 && n <= 9:
			s.put(strconv.Itoa(n), n)
		case n == 21:
			s.put("21", sgrDouble)
		case n == 22:
			s.put("", 1, 2)
		case n == 24:
			s.put("", 4, sgrDouble)
		case n == 25:
			s.put("", 5, 6)
		case n == 23 || n >= 27 && n <= 29:
			s.put("", n-20)
		case n == 53:
			s.put("53", sgrOverline)
		case n == 55:
			s.put("", sgrOverline)
		case n >= 30 && n <= 37 || n >= 90 && n <= 97:
			s.put(strconv.Itoa(n), sgrColours)
		case n >= 40 && n <= 47 || n >= 100 && n <= 107:
			s.put(strconv.Itoa(n), sgrColours+1)
		case n == 39 || n == 49 || n == 59:
			s.put("", sgrColours+(n-39)/10)
		case n == 38 || n == 48 || n == 58:
			colour := sgrColours + (n-38)/10
			if len(sub) > 0 { // 38:2::1:2:3, all in one
				s.put(string(field), colour)
				continue
			}
			size := 0 // 38;5;n or 38;2;r;g;b
			switch kind, _, _ := bytes.Cut(rest, separator); string(kind) {
			case "5":
				size = 2
			case "2":
				size = 4
			}
			fields := bytes.SplitN(rest, separator, size+1)
			if size == 0 || len(fields) < size {
				return
			}
			s.put(strconv.Itoa(n)+";"+string(bytes.Join(fields[:size], separator)), colour)
			if more = len(fields) > size; more {
				rest = fields[size]
			}
		}
	}
}

// put sets attributes to a parameter, or off.
func (s *sgr) put(parameter string, attributes ...int) {
	for _, a := range attributes {
		s.set[a] = parameter
		s.known |= 1 << a
	}
}

// reset turns everything off.
func (s *sgr) reset() {
	s.set = [sgrEnd]string{}
	s.known = sgrAll
}

// whole tells that what was there before no longer matters.
func (s *sgr) whole() bool { return s.known == sgrAll }

// precede adds what was said before, where nothing was said since.
func (s *sgr) precede(before *sgr) {
	for a := 1; a < sgrEnd; a++ {
		if s.known&(1<<a) == 0 {
			s.set[a] = before.set[a]
		}
	}
	s.known |= before.known
}

// String returns the parameters of the one sequence that sets all that is in
// force; empty: nothing is.
func (s *sgr) String() string {
	var set []string
	for _, parameter := range s.set {
		if parameter != "" {
			set = append(set, parameter)
		}
	}
	return strings.Join(set, ";")
}
