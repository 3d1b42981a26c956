package midi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// answerWait is how long an engine may leave all that it is sent without an answer before that is said.
const answerWait = time.Second

// reply is what the engine answered: what it refused and why, or that it did not; or that nobody is there.
type reply struct {
	refused         bool
	address, reason string
	nobody          bool
}

// link sends to the engine, and hears whether it answers.
type link struct {
	to      string
	conn    net.Conn
	pending time.Time // when the first request was sent that nothing was heard since; zero: none
	silent  bool      // that was said
}

func dial(to string) (*link, error) {
	conn, err := net.Dial("udp", to)
	if err != nil {
		return nil, fmt.Errorf("OSC address %q: %w", to, err)
	}
	return &link{to: to, conn: conn}, nil
}

// send sends a request. What the kernel refuses is heard by listen, or told by overdue.
func (l *link) send(r Request, now time.Time) error {
	b, err := osc.Encode(r.Address, r.Args...)
	if err != nil {
		return err
	}
	if l.pending.IsZero() {
		l.pending = now
	}
	_, _ = l.conn.Write(b)
	return nil
}

// listen tells what is answered, until the link is closed.
func (l *link) listen(ctx context.Context, tell func(reply)) {
	buf := make([]byte, osc.MaxPacket)
	var d osc.Decoder
	for ctx.Err() == nil {
		n, err := l.conn.Read(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // refused: no socket is there
			tell(reply{nobody: true})
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond): // many may be refused
			}
			continue
		}
		d.Decode(buf[:n], func(m *osc.Message) {
			r := reply{refused: string(m.Address) == "/fail"}
			if r.refused && len(m.Args) == 2 {
				r.address, r.reason = string(m.Args[0].Bytes), string(m.Args[1].Bytes)
			}
			tell(r)
		}, func(*osc.DecodeError) {})
	}
}

// heard takes note of an answer, and tells whether the engine is back.
func (l *link) heard() (back bool) {
	back = l.silent
	l.pending, l.silent = time.Time{}, false
	return back
}

// overdue tells, once, that the engine does not answer.
func (l *link) overdue(now time.Time, nobody bool) bool {
	if l.silent || l.pending.IsZero() || !nobody && now.Sub(l.pending) < answerWait {
		return false
	}
	l.silent = true
	return true
}
