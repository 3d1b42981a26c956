package recorder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
)

// ErrNoTape reports that no tape is being written.
var ErrNoTape = errors.New("no tape to end: begin one first")

// Files writes tapes to files, one at a time. The zero value is ready for use.
type Files struct {
	mu   sync.Mutex
	tape *file // nil: no tape is written
}

// file is a tape that is being written to a file.
type file struct {
	out    *os.File
	cancel context.CancelFunc
	done   chan error
}

// Begin makes the file and starts a tape. It returns once every later command will be on the tape.
// It returns an error if the file exists, or while another tape is being written.
func (w *Files) Begin(src Source, path string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tape != nil {
		return fmt.Errorf("tape: another is being written to %s: end it first", w.tape.out.Name())
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("tape: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t := &file{out: f, cancel: cancel, done: make(chan error, 1)}
	begun := make(chan struct{})
	go func() {
		err := Record(ctx, src, f, func() { close(begun) })
		t.done <- errors.Join(err, f.Close())
	}()
	select {
	case <-begun:
		w.tape = t
		return nil
	case err := <-t.done:
		cancel()
		_ = os.Remove(path)
		return err
	}
}

// End ends the tape once it has every block that was played until now. size is in bytes. The error
// is ErrNoTape if there is no tape.
func (w *Files) End() (path string, size int64, err error) {
	w.mu.Lock()
	t := w.tape
	w.tape = nil
	w.mu.Unlock()
	if t == nil {
		return "", 0, ErrNoTape
	}
	path = t.out.Name()
	t.cancel()
	if err := <-t.done; err != nil {
		return path, 0, fmt.Errorf("tape %s: %w", path, err)
	}
	st, err := os.Stat(path)
	if err != nil {
		return path, 0, fmt.Errorf("tape: %w", err)
	}
	return path, st.Size(), nil
}
