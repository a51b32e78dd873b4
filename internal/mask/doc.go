// Package mask hides secret values in a stream of bytes before it leaves the
// process: each becomes [Hidden].
//
// What it promises of every value that was added before the text was written:
//
//   - It is found as it is, with either kind of line end, and by each of its
//     lines; and all of these also in base64 (both alphabets, at every place
//     inside a longer text) and in hex, both in lines of any length from 8 columns
//     on, percent-encoded, as JSON, Go, and the shells write it in quotes.
//   - It is found however the text was cut into writes, and where it overlaps
//     others: what any of them covers is gone, as one [Hidden].
//   - Nothing else changes, and nothing else waits: what is held back at any
//     moment is the beginning of something that would have to be hidden, at
//     most a few KiB. Without values the text passes as it is, uncopied.
//
// What it does not: values that a command transforms in other ways. Of base64
// inside a longer text, the characters at both ends that mix bits of the value
// with its neighbours stay, and those say up to half a byte of it. Of base64 and hex
// in lines, up to three characters before a line's end stay where it begins there.
package mask
