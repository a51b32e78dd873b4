package server

import (
	"fmt"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/turns"
)

const tooMuchUnread = "Of the answers that were asked for here, so many bytes have not been taken yet; read those first, ask for them compressed, or come back later."

// inTurn is for routes whose answers may be looked for among all builds, or be long: they
// are made in turns, of one caller after the other. Many who ask at once would take all
// that the database and this process have. The turn is over when the answer begins to go
// out.
func (s *Server) inTurn(in *turns.Turns, h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		leave, err := s.enter(c, in)
		if err != nil {
			return err
		}
		defer leave()
		c.Response().Before(leave)
		return h(c)
	}
}

// enter waits for a caller's turn. To leave twice is to leave once.
func (s *Server) enter(c echo.Context, in *turns.Turns) (leave func(), err error) {
	who, _ := c.Get(callerKey).(*caller)
	if leave, err = in.Enter(c.Request().Context(), s.payer(c, who)); err != nil {
		return nil, fmt.Errorf("wait for a turn: %w", err)
	}
	return sync.OnceFunc(leave), nil
}

// mostUnread is how many bytes are kept of long answers, until they were taken, for
// one address, or one token or person; countUnread is from how many on one is long.
const (
	mostUnread  = 64 << 20
	countUnread = 64 << 10
)

// keep counts an answer, or a part of it, to who asked for it until done: each is
// kept for as long as its peer takes some of it now and then, and many slow ones
// would fill the memory. One alone may be of any length.
func (s *Server) keep(c echo.Context, bytes int) (done func(), err error) {
	who, _ := c.Get(callerKey).(*caller)
	refusable := safe(c.Request().Method) || c.Get(repeatedKey) != nil // what was written is not refused any more
	done, ok := s.limits.keep(s.payer(c, who), bytes, refusable)
	if !ok {
		return nil, s.limits.refuse(c, limitUnread, mostUnread, 0, tooMuchUnread)
	}
	return done, nil
}

// keep counts so many bytes to somebody until done, or tells that they are too many.
func (l *limits) keep(holder string, bytes int, refusable bool) (done func(), ok bool) {
	if bytes < countUnread || holder == "" {
		return func() {}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if others := l.unread[holder]; others > 0 && others+bytes > mostUnread && refusable {
		return nil, false
	}
	l.unread[holder] += bytes
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.unread[holder] -= bytes; l.unread[holder] == 0 {
			delete(l.unread, holder)
		}
	}, true
}
