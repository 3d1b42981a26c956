package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Deadlines. At one of them a test fails with what its process printed. Without them one process
// that hangs would block the package until go test's own timeout, and no other test would run.
const (
	startLimit   = 30 * time.Second // from an engine's start to its status line
	statusLimit  = 20 * time.Second // for an answer of the engine's control socket
	exitLimit    = 15 * time.Second // from the order to end to the end
	toolLimit    = 30 * time.Second // for a tool such as jack_lsp
	commandLimit = 3 * time.Minute  // for a command of chronus in the test's process
	engineLimit  = 4 * time.Minute  // for the life of an engine, unless a long run was asked for
)

// longRuns are the variables that ask for runs of any length.
var longRuns = []string{
	"CHRONUS_TORTURE", "CHRONUS_TORTURE_LONG", "CHRONUS_LEAKS", "CHRONUS_FLOOD", "CHRONUS_HOST_KILLS", soakEnv,
}

// longRun says that a run of any length was asked for.
func longRun() bool {
	for _, name := range longRuns {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// command returns a command that is killed at a limit. Its Wait then fails, even if children hold
// its output open.
func command(t testing.TB, limit time.Duration, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	return cmd
}

// tool runs a program that must succeed within toolLimit, and returns its output.
func tool(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	cmd := command(t, toolLimit, name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v: %s", cmd.Args, err, out)
	}
	return out
}

// exited waits for the end of a process. At exitLimit it fails the test and kills the process.
func exited(t testing.TB, cmd *exec.Cmd, log fmt.Stringer) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(exitLimit):
		t.Errorf("%q has not ended within %v: %s", cmd.Args, exitLimit, log)
		_ = cmd.Process.Kill()
		return <-done
	}
}

// watchdog kills a process at engineLimit, so that whatever waits for it fails. The test fails
// then.
func watchdog(t testing.TB, process *os.Process, log fmt.Stringer) {
	if _, benchmark := t.(*testing.B); benchmark || longRun() {
		return
	}
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-over:
		case <-time.After(engineLimit):
			t.Errorf("the engine still runs after %v: %s", engineLimit, log)
			_ = process.Kill()
		}
	})
	t.Cleanup(func() { close(over); watching.Wait() })
}

// buffer is a bytes.Buffer that several goroutines may use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// chronus runs one command in this process. A command that still runs at commandLimit gets SIGTERM,
// as by Ctrl-C, and returns code -1.
func chronus(args ...string) (out, errOut string, code int) {
	var o, e buffer
	done := make(chan int, 1)
	go func() { done <- run(args, &o, &e) }()
	select {
	case code = <-done:
	case <-time.After(commandLimit):
		signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM) // the signal must not end the tests
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(exitLimit):
		}
		fmt.Fprintf(&e, "%q still ran after %v\n", args, commandLimit)
		code = -1
	}
	return o.String(), e.String(), code
}
