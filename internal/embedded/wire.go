//go:build unix

package embedded

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// ping opens a session in the database and closes it again: the one proof that
// PostgreSQL takes connections. It speaks as much of the protocol as that
// needs (https://www.postgresql.org/docs/current/protocol-message-formats.html).
func ping(ctx context.Context, socketDir string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join(socketDir, ".s.PGSQL.5432"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("connect: %w", err)
	}

	parameters := "user\x00" + owner + "\x00database\x00" + owner + "\x00\x00"
	startup := binary.BigEndian.AppendUint32(nil, uint32(8+len(parameters)))
	startup = binary.BigEndian.AppendUint32(startup, 3<<16) // protocol 3.0
	if _, err := conn.Write(append(startup, parameters...)); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	for r := bufio.NewReader(conn); ; {
		kind, body, err := message(r)
		switch {
		case err != nil:
			return fmt.Errorf("connect: %w", err)
		case kind == 'E':
			return errors.New(reason(body))
		case kind == 'Z': // ready for a query
			_, err := conn.Write([]byte{'X', 0, 0, 0, 4})
			return err
		}
	}
}

// message reads one message: its kind, and its body of at most 64 KiB.
func message(r io.Reader) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size < 4 || size > 64<<10 {
		return 0, nil, fmt.Errorf("a message of %d bytes", size)
	}
	body = make([]byte, size-4)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

// reason is the text of an error message, whose fields are a letter and a
// string that ends in NUL.
func reason(body []byte) string {
	for field := range strings.SplitSeq(string(body), "\x00") {
		if text, ok := strings.CutPrefix(field, "M"); ok {
			return text
		}
	}
	return "connection refused by PostgreSQL"
}
