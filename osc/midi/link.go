package midi

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/client"
)

// answerWait is the time without any answer after which the engine counts as silent.
const answerWait = time.Second

// reply is an answer of the engine.
type reply struct {
	refusal *osc.Refusal // nil: not refused
	absent  bool         // no program listens at the engine's address
}

// link sends requests to the engine, and watches for answers.
type link struct {
	*client.Client
	pending time.Time // time of the first request since the last answer; zero: none
	silent  bool      // the silence was reported
}

func dial(to string) (*link, error) {
	c, err := client.Dial(client.UDP, to, answerWait)
	if err != nil {
		return nil, err
	}
	return &link{Client: c}, nil
}

// send sends a request. If the kernel refuses it, listen or overdue reports that.
func (l *link) send(r Request, now time.Time) error {
	b, err := osc.Encode(r.Address, r.Args...)
	if err != nil {
		return err
	}
	if l.pending.IsZero() {
		l.pending = now
	}
	_ = l.Write(b)
	return nil
}

// listen calls notify with each answer until the link is closed.
func (l *link) listen(ctx context.Context, notify func(reply)) {
	for ctx.Err() == nil {
		m, err := l.Receive(0)
		switch malformed := (*osc.DecodeError)(nil); {
		case errors.Is(err, net.ErrClosed):
			return
		case errors.As(err, &malformed):
		case err != nil: // refused: no socket has the port
			notify(reply{absent: true})
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond): // many packets may be refused
			}
		default:
			notify(reply{refusal: client.Refused(m)})
		}
	}
}

// answered records an answer, and reports whether the engine was silent before.
func (l *link) answered() (back bool) {
	back = l.silent
	l.pending, l.silent = time.Time{}, false
	return back
}

// overdue reports, once, that the engine does not answer. absent is that of a reply.
func (l *link) overdue(now time.Time, absent bool) bool {
	if l.silent || l.pending.IsZero() || !absent && now.Sub(l.pending) < answerWait {
		return false
	}
	l.silent = true
	return true
}
