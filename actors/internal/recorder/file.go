package recorder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// ErrNoTape is the refusal to end a tape when none is being written.
var ErrNoTape = errors.New("no tape to end: begin one first")

// File writes one tape at a time to a file. The zero File writes none. Its methods may be called
// from any goroutine.
type File struct {
	mu  sync.Mutex
	now *writing // nil: no tape is written
}

// writing is a tape that is being written.
type writing struct {
	file   *os.File
	cancel context.CancelFunc
	done   chan error
}

// Begin makes the file and starts the tape. It returns once every later command will be on the
// tape. record is Record for one Source.
func (t *File) Begin(path string, record func(ctx context.Context, w io.Writer, begun func()) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now != nil {
		return fmt.Errorf("tape: another is being written to %s: end it first", t.now.file.Name())
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("tape: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &writing{file: f, cancel: cancel, done: make(chan error, 1)}
	begun := make(chan struct{})
	go func() {
		err := record(ctx, f, func() { close(begun) })
		w.done <- errors.Join(err, f.Close())
	}()
	select {
	case <-begun:
		t.now = w
		return nil
	case err := <-w.done:
		cancel()
		_ = os.Remove(path)
		return err
	}
}

// End ends the tape once it has every block that was played until now, and returns the file and its
// size in bytes. The error is ErrNoTape if no tape is written.
func (t *File) End() (path string, size int64, err error) {
	t.mu.Lock()
	w := t.now
	t.now = nil
	t.mu.Unlock()
	if w == nil {
		return "", 0, ErrNoTape
	}
	w.cancel()
	if err := <-w.done; err != nil {
		return "", 0, fmt.Errorf("tape %s: %w", w.file.Name(), err)
	}
	st, err := os.Stat(w.file.Name())
	if err != nil {
		return "", 0, fmt.Errorf("tape: %w", err)
	}
	return w.file.Name(), st.Size(), nil
}
