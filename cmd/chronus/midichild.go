package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// The waits before a midi process that has died is started again, and how long one must have lived for the next wait to be the first.
const (
	firstWait = time.Second
	longWait  = 30 * time.Second
)

// keepMIDI runs chronus midi in a process of its own until ctx ends, and starts it again when it dies. Nothing that it does reaches
// the engine but OSC.
func keepMIDI(ctx context.Context, port, dir string, out io.Writer) {
	// The process is to end with this one, however that ends; the kernel sends the signal when the thread ends that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := runMIDI(ctx, port, dir, out)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= longWait {
			wait = firstWait
		}
		fmt.Fprintf(out, "chronus: the MIDI process has ended (%v); the sound goes on, and it is started again in %v\n", err, wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longWait)
	}
}

// runMIDI runs it once.
func runMIDI(ctx context.Context, port, dir string, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "midi", "--port", port, "--runtime-dir", dir)
	cmd.Args[0] = "chronus-midi"
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 3 * time.Second
	if err := cmd.Run(); err != nil {
		return err
	}
	return fmt.Errorf("it ended by itself")
}
