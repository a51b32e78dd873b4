package spool

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"time"
)

// A record is a header and a payload. All numbers are little-endian:
//
//	 0  magic    4 bytes
//	 4  length   4 bytes, of the payload
//	 8  place    8 bytes: of a text its offset in the log, of a journal entry its number
//	16  at       8 bytes, microseconds since 1970
//	24  sum      4 bytes, CRC-32C of the payload
//	28  check    4 bytes, CRC-32C of the 28 bytes before
//
// The header has a checksum of its own, so that a damaged payload costs that
// payload and nothing after it. Both checksums begin with the spool's seed: a
// log may hold what looks like a record, of another spool or of this format's
// tests, and behind a damaged header it must not be taken for one.
const (
	headerBytes = 32
	magic       = 0x31_70_53_9e // "\x9eSp1": no text begins so by chance
	maxPayload  = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is a record's header.
type header struct {
	length int
	place  int64
	at     time.Time
	sum    uint32
}

func (h *header) end() int64 { return h.place + int64(h.length) }

// A seed is what the checksums of a spool begin with.
type seed uint32

// seedOf makes the seed of a spool from the name of its folder, which is
// random.
func seedOf(name string) seed { return seed(crc32.Checksum([]byte(name), castagnoli)) }

func (s seed) sum(p []byte) uint32 { return crc32.Update(uint32(s), castagnoli, p) }

// appendRecord appends a record.
func (s seed) appendRecord(dst []byte, place int64, at time.Time, payload []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, magic)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(payload)))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(place))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(at.UnixMicro()))
	dst = binary.LittleEndian.AppendUint32(dst, s.sum(payload))
	dst = binary.LittleEndian.AppendUint32(dst, s.sum(dst[start:]))
	return append(dst, payload...)
}

// parseHeader reads a header; false if it is none.
func (s seed) parseHeader(b []byte) (h header, ok bool) {
	if len(b) < headerBytes || binary.LittleEndian.Uint32(b) != magic ||
		binary.LittleEndian.Uint32(b[28:]) != s.sum(b[:28]) {
		return h, false
	}
	h.length = int(binary.LittleEndian.Uint32(b[4:]))
	h.place = int64(binary.LittleEndian.Uint64(b[8:]))
	h.at = time.UnixMicro(int64(binary.LittleEndian.Uint64(b[16:])))
	h.sum = binary.LittleEndian.Uint32(b[24:])
	return h, h.length <= maxPayload && h.place >= 0 && h.place <= 1<<62
}

// A scanner reads the records of a segment or a journal, one after the other,
// and passes over what is damaged.
type scanner struct {
	seed seed
	from io.ReaderAt
	size int64 // bytes of from that count
	pos  int64 // of the next record
	head [headerBytes]byte
}

// next returns the next record whose header is sound, and the position of its
// payload; false at the end. Between two sound headers may lie anything.
func (s *scanner) next() (h header, payload int64, ok bool) {
	for ; s.pos+headerBytes <= s.size; s.resync() {
		if n, _ := s.from.ReadAt(s.head[:], s.pos); n < headerBytes {
			return h, 0, false
		}
		h, sound := s.seed.parseHeader(s.head[:])
		if sound && s.pos+headerBytes+int64(h.length) <= s.size {
			payload = s.pos + headerBytes
			s.pos = payload + int64(h.length)
			return h, payload, true
		}
	}
	return h, 0, false
}

// resync moves on to what may be the next header.
func (s *scanner) resync() {
	var mark [4]byte
	binary.LittleEndian.PutUint32(mark[:], magic)
	buf := make([]byte, 64<<10)
	for s.pos++; s.pos+headerBytes <= s.size; {
		n, _ := s.from.ReadAt(buf[:min(int64(len(buf)), s.size-s.pos)], s.pos)
		if n < len(mark) {
			break
		}
		for i := 0; i+len(mark) <= n; i++ {
			if buf[i] == mark[0] && [4]byte(buf[i:i+4]) == mark {
				s.pos += int64(i)
				return
			}
		}
		s.pos += int64(n - len(mark) + 1)
	}
	s.pos = s.size
}

// readPayload appends a payload to dst; false if it is damaged.
func (s seed) readPayload(dst []byte, from io.ReaderAt, h header, pos int64) ([]byte, bool) {
	start := len(dst)
	dst = slices.Grow(dst, h.length)[:start+h.length]
	if n, _ := from.ReadAt(dst[start:], pos); n < h.length || s.sum(dst[start:]) != h.sum {
		return dst[:start], false
	}
	return dst, true
}
