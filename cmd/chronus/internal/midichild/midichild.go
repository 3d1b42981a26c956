// Package midichild runs chronus midi in a process of its own, which reaches the engine by OSC
// alone.
package midichild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Waits before a process that has ended is started again. The wait doubles each time, and is the
// first again once a process has lived for longWait.
const (
	firstWait = time.Second
	longWait  = 30 * time.Second
)

// Keep runs chronus midi for an input and the engine in a runtime directory until ctx ends, and
// starts it again when it ends. Keep reports that to out, which gets the process's output too.
func Keep(ctx context.Context, port, dir string, out io.Writer) {
	// The kernel signals the process when the thread ends that started it, so this goroutine keeps
	// its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := run(ctx, port, dir, out)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= longWait {
			wait = firstWait
		}
		fmt.Fprintf(out, "chronus: the MIDI process has ended (%v); the sound goes on, and the process starts again in %v\n", err, wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longWait)
	}
}

// run runs the process once.
func run(ctx context.Context, port, dir string, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "midi", "--port", port, "--runtime-dir", dir)
	cmd.Args[0] = "chronus-midi"
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 3 * time.Second
	if err := cmd.Run(); err != nil {
		return err
	}
	return errors.New("exit status 0")
}
