package server

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/admission"
)

// Answer is a packet that the server sent to a peer. If Err is set, the packet was not sent.
type Answer struct {
	To     Peer
	Packet []byte
	Err    error
}

// Reasons why a /fail is not sent.
var (
	errMuted     = errors.New("the peer wants no /fail")
	errFailLimit = errors.New("too many /fail answers in this second")
)

// OnAnswer makes the server call f for each packet that it sends, and for each /fail that it does
// not send. The goroutine that answers calls f, which must not block. A nil f ends that.
func (s *Server) OnAnswer(f func(Answer)) {
	if f == nil {
		s.observer.Store(nil)
		return
	}
	s.observer.Store(&f)
}

func (s *Server) observe(to Peer, packet []byte, err error) {
	if f := s.observer.Load(); f != nil {
		(*f)(Answer{to, packet, err})
	}
}

// refuse counts and logs a refusal, and answers it with /fail unless withheld says why not.
func (s *Server) refuse(to Peer, r *osc.Refusal, withheld error) error {
	s.counters.refused[r.Code].Add(1)
	s.refusals.add(to, r, withheld)
	if withheld == nil {
		return to.sendFail(r)
	}
	if s.observer.Load() != nil {
		if b, err := osc.EncodeFail(r.Address, r.Reason, osc.MaxPacket); err == nil {
			s.observe(to, b, withheld)
		}
	}
	return nil
}

// refuseMalformed answers a packet that is not OSC. Its limit holds for this machine and
// connections too: malformed packets come in floods or not at all.
func (s *Server) refuseMalformed(to Peer, e *osc.DecodeError) {
	if !s.fails.Pass(s.now()) {
		s.counters.refused[osc.CodeMalformed].Add(1)
		return
	}
	_ = s.refuse(to, &osc.Refusal{Code: osc.CodeMalformed, Reason: e.Error()}, nil)
}

// The limits of the log of refusals.
const (
	logsPerSecond = 20
	logQueue      = 64
)

// refusalLog logs refusals in a goroutine of its own: whoever answers a message never waits for the
// log.
type refusalLog struct {
	logger  atomic.Pointer[slog.Logger]
	limit   *admission.Limiter
	queue   chan refused
	skipped atomic.Uint64 // refusals above the limits, since the last one that was logged
}

type refused struct {
	to       Peer
	r        *osc.Refusal
	withheld error
}

func newRefusalLog() *refusalLog {
	return &refusalLog{limit: admission.NewLimiter(logsPerSecond), queue: make(chan refused, logQueue)}
}

func (l *refusalLog) add(to Peer, r *osc.Refusal, withheld error) {
	logger := l.logger.Load()
	if logger == nil || !logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	if !l.limit.Pass(time.Now()) {
		l.skipped.Add(1)
		return
	}
	select {
	case l.queue <- refused{to, r, withheld}:
	default:
		l.skipped.Add(1)
	}
}

// run logs until closed is closed.
func (l *refusalLog) run(closed <-chan struct{}) {
	for {
		select {
		case <-closed:
			return
		case f := <-l.queue:
			attrs := []slog.Attr{
				slog.String("code", f.r.Code.String()), slog.String("address", f.r.Address),
				slog.String("reason", f.r.Reason), slog.String("peer", f.to.String()),
			}
			if f.withheld != nil {
				attrs = append(attrs, slog.String("not_sent", f.withheld.Error()))
			}
			if n := l.skipped.Swap(0); n > 0 {
				attrs = append(attrs, slog.Uint64("skipped", n))
			}
			l.logger.Load().LogAttrs(context.Background(), slog.LevelDebug, "OSC message refused", attrs...)
		}
	}
}
