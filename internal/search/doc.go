// Package search finds the lines of a log that match a pattern. It knows no
// I/O: whoever has the text writes it to a Matcher, in pieces that end
// anywhere.
//
// What it promises:
//
//   - What is searched is what people see: escape sequences are taken out
//     first, so that a word in colour matches like any other. A line that ends
//     in CR LF ends before the CR. A match lies within one line, and never
//     extends over a hole.
//   - A pattern is literal text, or a regular expression of Go's syntax, which
//     takes linear time. Without regard to case means by Unicode's simple
//     folding, for both alike.
//   - It is exact, whatever the pieces: those lines match that package regexp
//     finds a match in, each by itself, which is how it is tested.
//   - Memory is bounded whatever the length of a line. One of more than a window
//     (1 MiB; less for an expression that takes many states) is looked at a
//     window at a time, which overlap: a match longer than the overlap may be
//     missed there.
//
// It is fast because it looks at whole blocks for literal text that every match
// contains: most blocks hold none, which bytes.Index finds out at memory speed,
// and where lines begin and end only matters around what was found. An
// expression without such text is tried at every line.
package search
