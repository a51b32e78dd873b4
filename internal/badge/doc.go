// Package badge draws status badges: small SVG pictures of a label and a word.
//
// Promises: the picture is well-formed XML of a fixed set of elements, whatever
// the texts are; nothing in it is loaded from elsewhere or runs. It is 20 px
// high, at most [MaxWidth] wide, and its texts stay in their places in any font,
// because their widths are computed here and handed to whoever draws them.
// White text on every colour has a contrast of 4.5:1 or more, and a status is a
// word and a shape beside its colour. Knows no I/O.
package badge

//go:generate go run advances_gen.go /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
