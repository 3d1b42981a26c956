package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"
)

// segment is the part of a run that one engine process played: one tape, compared and drawn while
// it is recorded.
type segment struct {
	base    int64         // block n of the segment is block base+n of the run
	next    atomic.Uint64 // the block after the last one compared; 0: none yet
	killed  atomic.Bool   // the engine process was killed, so the tape may end within a line
	end     context.CancelFunc
	done    chan struct{}
	err     error // valid once done is closed
	blocks  uint64
	changed []uint64
	unknown uint64 // blocks before the segment that no tape has
}

// changedMax bounds the changed blocks that a segment remembers by number. All are counted.
const changedMax = 4096

// startSegment begins a tape. from is the first block that counts, since a tape begins up to a
// second before the present. adopted says that this engine took over what the one before it played.
func (r *run) startSegment(ctx context.Context, from uint64, adopted bool) error {
	ctx, end := context.WithCancel(ctx)
	body, err := r.engine.Tape(ctx)
	if err != nil {
		end()
		return err
	}
	s := &segment{end: end, done: make(chan struct{})}
	before := r.segment
	r.segment = s
	r.segments = append(r.segments, s)
	began := make(chan struct{})
	go func() {
		defer close(s.done)
		defer body.Close()
		err := r.compare(s, before, body, from, adopted, began)
		if s.killed.Load() && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)) {
			err = nil
		}
		s.err = err
	}()
	select {
	case <-began:
		return nil
	case <-s.done:
		return fmt.Errorf("tape: %w", orEOF(s.err))
	case <-time.After(redundantWait):
		return errors.New("tape: no header")
	}
}

// compare places a segment after the one before, closes began, and compares the tape to its end.
func (r *run) compare(s, before *segment, body io.Reader, from uint64, adopted bool, began chan<- struct{}) error {
	t, err := openTape(body)
	if err != nil {
		return err
	}
	first := t.Header().From
	switch {
	case before == nil:
		s.base = -int64(from)
	case adopted:
		s.base, from = before.base, before.next.Load()
		s.unknown = less(first, from)
	default:
		s.base, from = r.wave.end()-int64(first), first
	}
	close(began)
	return t.Compare(func(n uint64, samples []float32, same bool) { r.record(s, n, from, samples, same) })
}

// record counts one block of a segment and draws it.
func (r *run) record(s *segment, n, from uint64, samples []float32, same bool) {
	if n >= from {
		r.wave.add(s.base+int64(n), samples)
	}
	s.blocks++
	if !same {
		r.changed.Add(1)
		if len(s.changed) < changedMax {
			s.changed = append(s.changed, n)
		}
	}
	s.next.Store(n + 1)
}

// endSegment ends the tape once the blocks before clock are compared.
func (r *run) endSegment(clock uint64) error {
	s := r.segment
	deadline := time.Now().Add(replyWait)
	for s.behind(clock) && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	late := s.behind(clock)
	if !s.killed.Load() {
		s.end()
	}
	<-s.done
	s.end()
	switch {
	case s.err != nil:
		return fmt.Errorf("tape: %w", s.err)
	case late:
		return fmt.Errorf("tape: only the blocks before %d were compared, of those before %d", s.next.Load(), clock)
	}
	return nil
}

// behind says that the tape goes on and has not reached clock.
func (s *segment) behind(clock uint64) bool {
	return s.next.Load() < clock && !s.ended() && !s.killed.Load()
}

// ended says that the tape has ended by itself.
func (s *segment) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// orEOF gives the unexpected end of a tape a reason.
func orEOF(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}
