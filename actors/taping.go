package actors

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// taping is a tape that the engine writes to a file.
type taping struct {
	file   *os.File
	cancel context.CancelFunc
	done   chan error
}

var errNoTape = errors.New("no tape to end: begin one first")

// beginTape makes the file and starts the tape. It returns once every later command will be on the
// tape.
func (s *serving) beginTape(path string) error {
	s.taping.Lock()
	defer s.taping.Unlock()
	if s.tape != nil {
		return fmt.Errorf("tape: another is being written to %s: end it first", s.tape.file.Name())
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("tape: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t := &taping{file: f, cancel: cancel, done: make(chan error, 1)}
	begun := make(chan struct{})
	go func() {
		err := s.engine.Record(ctx, f, func() { close(begun) })
		t.done <- errors.Join(err, f.Close())
	}()
	select {
	case <-begun:
		s.tape = t
		return nil
	case err := <-t.done:
		cancel()
		_ = os.Remove(path)
		return err
	}
}

// endTape ends the tape once it has every block that was played until now.
func (s *serving) endTape(answer func(any)) {
	s.taping.Lock()
	t := s.tape
	s.tape = nil
	s.taping.Unlock()
	if t == nil {
		answer(refusal(RefusedInvalid, errNoTape))
		return
	}
	t.cancel()
	if err := <-t.done; err != nil {
		answer(refusal(RefusedUnavailable, fmt.Errorf("tape %s: %w", t.file.Name(), err)))
		return
	}
	st, err := os.Stat(t.file.Name())
	if err != nil {
		answer(refusal(RefusedUnavailable, fmt.Errorf("tape: %w", err)))
		return
	}
	answer(TapeDone{Path: t.file.Name(), Bytes: st.Size()})
}
