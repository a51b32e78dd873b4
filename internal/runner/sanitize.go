package runner

import (
	"fmt"
	"image/color"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/parser"

	"github.com/stepcast/stepcast/internal/ci"
)

// cleaner makes log text safe for a terminal: printable text, line ends, tabs
// and carriage returns go through, of escape sequences only colours (SGR). Those
// are not copied but written anew from what was understood, so nothing can hide in
// them. Text in the colour of its ground is shown without either. A link (OSC 8)
// becomes its text, with the address behind it: what says one thing leads nowhere
// else. A character that turns text around is shown by its number, as \u202e. Every
// line ends plain and begins with the style that is in force, so that lines of
// several logs may be mixed.
//
// It keeps its state from one piece of a log to the next.
type cleaner struct {
	plain  bool // no colours, no addresses of links
	parser *ansi.Parser
	out    []byte
	want   style  // what the log has asked for
	asked  style  // what it had when this was looked at last:
	seen   style  // the same, for text that is to be seen
	shown  style  // what the terminal shows
	link   string // the address of the link that the text is in; "": it is in none
	named  bool   // the link has text
	said   int    // bytes of the address that this has said; -1: it says something else
}

// style is what SGR sequences set. The zero value is the terminal's default.
type style struct {
	fg, bg, ul paint
	underline  uint8 // 1 to 5, the styles of SGR 4:n
	flags      uint16
}

// paint is a colour: 0 for the default, else palette or rgb and its value.
type paint uint32

const (
	palette paint = 1 << 24
	rgb     paint = 2 << 24
)

// flagCodes are the attributes that are on or off, and the codes that set and
// clear each. That which conceals text is not followed.
var flagCodes = []struct{ on, off int }{
	{1, 22}, {2, 22}, {3, 23}, {5, 25}, {6, 25}, {7, 27}, {9, 29}, {53, 55},
}

func newCleaner(plain bool) *cleaner {
	c := &cleaner{plain: plain, parser: ansi.NewParser()}
	c.parser.SetDataSize(ci.MaxURL + 300)
	c.parser.SetHandler(ansi.Handler{HandleCsi: c.csi, HandleOsc: c.osc})
	return c
}

// clean appends the safe form of the next piece of a log to dst.
func (c *cleaner) clean(dst, text []byte) []byte {
	c.out = dst
	for len(text) > 0 {
		b := text[0]
		switch {
		case b == '\n':
			// A sequence that was never ended costs no more than its line.
			c.parser.Reset()
			c.endLink()
			c.reset()
			c.out = append(c.out, b)
		case c.parser.State() != parser.GroundState || b == ansi.ESC:
			c.parser.Advance(b)
		case b == '\r' || b == '\t':
			if b == '\r' {
				c.endLink() // what comes next may stand in its place
			}
			c.out = append(c.out, b)
		case b < ' ' || b == ansi.DEL:
		case b < utf8.RuneSelf:
			n := 1
			for n < len(text) && text[n] >= ' ' && text[n] < ansi.DEL {
				n++
			}
			c.show(text[:n])
			text = text[n:]
			continue
		default:
			r, n := utf8.DecodeRune(text)
			switch {
			case unicode.IsControl(r):
			case ci.TurnsText(r):
				c.show(fmt.Appendf(nil, `\u%04x`, r))
			default:
				c.show(utf8.AppendRune(make([]byte, 0, utf8.UTFMax), r))
			}
			text = text[n:]
			continue
		}
		text = text[1:]
	}
	dst, c.out = c.out, nil
	return dst
}

// end appends what brings the terminal back to its default, for text that is
// not this log's.
func (c *cleaner) end(dst []byte) []byte {
	c.out = dst
	c.reset()
	dst, c.out = c.out, nil
	return dst
}

// endLine is end for a line that is broken off.
func (c *cleaner) endLine(dst []byte) []byte {
	c.out = dst
	c.endLink()
	return c.end(c.out)
}

func (c *cleaner) csi(cmd ansi.Cmd, params ansi.Params) {
	if cmd == 'm' && !c.plain {
		c.want.apply(params)
	}
}

func (c *cleaner) osc(cmd int, data []byte) {
	if cmd != 8 || c.plain {
		return
	}
	c.endLink()
	parts := strings.SplitN(string(data), ";", 3) // 8, parameters, address
	if len(parts) == 3 {
		c.link, c.said = safeLink(parts[2]), 0
	}
}

// safeLink is the address of a link, without a user and a password, if it leads to the web;
// else "".
func safeLink(link string) string {
	for i := range len(link) {
		if link[i] <= ' ' || link[i] >= ansi.DEL {
			return ""
		}
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(link) > ci.MaxURL {
		return ""
	}
	if u.User != nil {
		u.User = nil
		return u.String()
	}
	return link
}

// endLink says where the text since it began leads to, unless it has said so itself.
func (c *cleaner) endLink() {
	if c.named && c.said != len(c.link) {
		c.out = append(append(append(c.out, " ("...), c.link...), ')')
	}
	c.link, c.named = "", false
}

// show appends text, as the log has asked for it.
func (c *cleaner) show(text []byte) {
	want := c.want
	if !paints(text) {
		if c.want != c.asked {
			c.asked, c.seen = c.want, c.want.readable()
		}
		want = c.seen
	}
	if want != c.shown {
		c.out = want.append(c.out)
		c.shown = want
	}
	c.out = append(c.out, text...)
	if c.named = c.link != ""; c.said >= 0 && strings.HasPrefix(c.link[min(c.said, len(c.link)):], string(text)) {
		c.said += len(text)
	} else {
		c.said = -1
	}
}

func (c *cleaner) reset() {
	c.out = c.shown.end(c.out)
	c.shown = style{}
}

// paints tells whether text is nothing to read: blanks, or blocks, of which pictures are made.
func paints(text []byte) bool {
	for _, r := range string(text) {
		if r != ' ' && (r < '\u2580' || r > '\u259f') {
			return false
		}
	}
	return true
}

// leastContrast is between a text and its ground (WCAG 2, 1.4.3): 1 is none, and what is below
// this is hardly seen.
const leastContrast = 1.25

// readable is the style, without its colours where a text is not seen for the ground that it
// stands on. What a terminal's own ground is nobody knows here, nor its first 16 colours but
// for black and white, and so of the others only equal ones are told: bold may make a dark
// one bright. Faint text has two thirds of its colour.
func (s style) readable() style {
	if s.fg == 0 || s.bg == 0 {
		return s
	}
	bold := s.fg
	if s.flags&1 != 0 && s.fg < palette+8 {
		bold += 8
	}
	same := s.fg == s.bg || bold == s.bg
	if !same && s.fg.known() && s.bg.known() {
		same = s.fg.like(s.bg, 1) || s.flags&2 != 0 && s.fg.like(s.bg, 2.0/3)
	}
	if same {
		s.fg, s.bg = 0, 0
	}
	return s
}

// known tells whether a colour is the same in about every terminal.
func (p paint) known() bool {
	return p == palette || p >= palette+15
}

// like tells whether a colour that is shown so strongly cannot be told from a ground.
func (p paint) like(ground paint, strongly float64) bool {
	a, b := p.luminance(strongly)+0.05, ground.luminance(1)+0.05
	return max(a, b)/min(a, b) < leastContrast
}

// luminance is the relative luminance (WCAG 2), 0 to 1, of a colour that is shown so strongly.
func (p paint) luminance(strongly float64) float64 {
	shown := color.Color(ansi.IndexedColor(p & 0xff))
	if p >= rgb {
		shown = ansi.RGBColor{R: uint8(p >> 16), G: uint8(p >> 8), B: uint8(p)}
	}
	r, g, b, _ := shown.RGBA()
	linear := func(v uint32) float64 { return math.Pow(strongly*float64(v)/0xffff, 2.2) }
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// end appends what brings a terminal that shows this style back to its default.
func (s style) end(dst []byte) []byte {
	if s == (style{}) {
		return dst
	}
	return style{}.append(dst)
}

// append appends the SGR sequence that sets exactly this style.
func (s style) append(dst []byte) []byte {
	dst = append(dst, "\x1b[0"...)
	for i, f := range flagCodes {
		if s.flags&(1<<i) != 0 {
			dst = strconv.AppendInt(append(dst, ';'), int64(f.on), 10)
		}
	}
	switch {
	case s.underline == 1:
		dst = append(dst, ";4"...)
	case s.underline > 1:
		dst = append(append(dst, ";4:"...), '0'+s.underline)
	}
	dst = s.fg.append(dst, 38)
	dst = s.bg.append(dst, 48)
	dst = s.ul.append(dst, 58)
	return append(dst, 'm')
}

// append appends the parameters that set this colour; code is 38, 48 or 58.
func (p paint) append(dst []byte, code int) []byte {
	n := int(p & 0xff)
	var params []int
	switch {
	case p == 0:
		return dst
	case p >= rgb:
		params = []int{code, 2, int(p>>16) & 0xff, int(p>>8) & 0xff, n}
	case code != 58 && n < 8:
		params = []int{code - 8 + n} // 30 to 37, 40 to 47
	case code != 58 && n < 16:
		params = []int{code + 52 + n - 8} // 90 to 97, 100 to 107
	default:
		params = []int{code, 5, n}
	}
	for _, v := range params {
		dst = strconv.AppendInt(append(dst, ';'), int64(v), 10)
	}
	return dst
}

// apply changes the style as an SGR sequence says. What it does not know it
// leaves out.
func (s *style) apply(params ansi.Params) {
	if len(params) == 0 {
		*s = style{}
	}
	for i := 0; i < len(params); i++ {
		// A code and its subparameters: 4:3, 38:2::255:0:0.
		code, sub := params[i].Param(0), []int(nil)
		for params[i].HasMore() && i+1 < len(params) {
			i++
			sub = append(sub, params[i].Param(-1))
		}
		switch {
		case code == 0:
			*s = style{}
		case code == 4:
			s.underline = 1
			if len(sub) > 0 && sub[0] >= 0 && sub[0] <= 5 {
				s.underline = uint8(sub[0])
			}
		case code == 21:
			s.underline = 2
		case code == 24:
			s.underline = 0
		case code >= 30 && code <= 37:
			s.fg = palette | paint(code-30)
		case code >= 40 && code <= 47:
			s.bg = palette | paint(code-40)
		case code >= 90 && code <= 97:
			s.fg = palette | paint(code-90+8)
		case code >= 100 && code <= 107:
			s.bg = palette | paint(code-100+8)
		case code == 39:
			s.fg = 0
		case code == 49:
			s.bg = 0
		case code == 59:
			s.ul = 0
		case code == 38 || code == 48 || code == 58:
			if sub == nil { // the older form: 38;5;n and 38;2;r;g;b
				rest := params[i+1:]
				sub = make([]int, 0, 4)
				for n := range min(len(rest), 4) {
					sub = append(sub, rest[n].Param(0))
				}
				switch {
				case len(sub) > 0 && sub[0] == 5:
					sub = sub[:min(2, len(sub))]
				case len(sub) > 0 && sub[0] == 2:
				default:
					sub = sub[:0]
				}
				i += len(sub)
			}
			if p, ok := colour(sub); ok {
				switch code {
				case 38:
					s.fg = p
				case 48:
					s.bg = p
				default:
					s.ul = p
				}
			}
		default:
			for bit, f := range flagCodes {
				switch code {
				case f.on:
					s.flags |= 1 << bit
				case f.off:
					s.flags &^= 1 << bit
				}
			}
		}
	}
}

// colour reads 5 n, 2 r g b, and 2 space r g b.
func colour(v []int) (paint, bool) {
	if len(v) == 5 && v[0] == 2 {
		v = append([]int{2}, v[2:]...)
	}
	for _, n := range v {
		if n < 0 || n > 255 {
			return 0, false
		}
	}
	switch {
	case len(v) == 2 && v[0] == 5:
		return palette | paint(v[1]), true
	case len(v) == 4 && v[0] == 2:
		return rgb | paint(v[1])<<16 | paint(v[2])<<8 | paint(v[3]), true
	}
	return 0, false
}
