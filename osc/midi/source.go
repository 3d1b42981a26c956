package midi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Times of a source.
const (
	lookAgain = time.Second            // between two attempts to open a device
	firstByte = 100 * time.Millisecond // an input without error for so long is present, silent or not
	maxSaid   = 16                     // different problems reported before the device is found
)

// input is an event of a source: bytes, or that the device was found or lost.
type input struct {
	bytes       []byte
	at          time.Time // when they were read
	found, lost bool
	problem     string // reported once
}

// source reads a port, and looks for it again when it is gone.
type source struct {
	finder Finder
	port   string
	emit   func(input)
	there  bool            // the device is open
	said   map[string]bool // problems reported since the device was lost
}

// run reads until ctx ends.
func (s *source) run(ctx context.Context) {
	s.said = map[string]bool{}
	for ctx.Err() == nil {
		err := s.read(ctx)
		if ctx.Err() != nil {
			return
		}
		if s.there {
			s.there = false
			s.emit(input{lost: true})
		}
		if err != nil && !s.said[err.Error()] && len(s.said) < maxSaid {
			s.said[err.Error()] = true
			s.emit(input{problem: fmt.Sprintf("%v; trying again every second", err)})
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
}

// read opens the port and reads it. It returns the error that ended it.
func (s *source) read(ctx context.Context) error {
	p, err := s.finder.Find(s.port)
	if err != nil {
		return err
	}
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.Close()
	// Deadlines work on every kind of device that is supported.
	if err := f.SetReadDeadline(time.Now().Add(firstByte)); err != nil {
		return fmt.Errorf("MIDI input %s: reads have no deadline: %w", p.Path, err)
	}
	buf := make([]byte, 1024)
	n, err := f.Read(buf)
	at := time.Now()
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("MIDI input %s: %w", p.Path, readReason(err))
	}
	s.there = true
	clear(s.said)
	s.emit(input{found: true, problem: fmt.Sprintf("listening to %s", p)})
	if err := f.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("MIDI input %s: %w", p.Path, err)
	}
	defer context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })()
	for {
		if n > 0 {
			s.emit(input{bytes: append([]byte(nil), buf[:n]...), at: at})
		}
		if n, err = f.Read(buf); err != nil {
			return fmt.Errorf("MIDI input %s: %w", p.Path, readReason(err))
		}
		at = time.Now()
	}
}

// readReason returns a read's error without the path.
func readReason(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("no program writes to it (end of file)")
	}
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
