package actors

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/music-chronus/chronus/shm/sys"
)

// The hidden verb that makes this executable a child process: chronus childVerb worker|audio.
const (
	childVerb   = "__chronus_child"
	workerChild = "worker"
	audioChild  = "audio"
)

// self is this very executable, even if another has been put in its place on disk.
const self = "/proc/self/exe"

// RunChild becomes a worker or the audio process if this program was started as one, and then
// never returns. Call it first thing in main: the engine starts the program that it is part of.
//
//	actors.RunChild(worker.Main, audio.Main(jack.Backend{}, portaudio.Backend{}, null.Backend{}))
func RunChild(worker, audio func() int) {
	if len(os.Args) != 3 || os.Args[1] != childVerb {
		return
	}
	// Whoever read what children print may be gone; that must not end the sound.
	signal.Ignore(syscall.SIGPIPE)
	switch os.Args[2] {
	case workerChild:
		os.Exit(worker())
	case audioChild:
		os.Exit(audio())
	}
	fmt.Fprintf(os.Stderr, "chronus: %s %q: it is worker or audio\n", childVerb, os.Args[2])
	os.Exit(2)
}

// checkBinary says why a program cannot be started as a child of this one.
func (c Config) checkBinary() error {
	if len(os.Args) > 1 && os.Args[1] == childVerb {
		return errors.New("this process was started as a worker or audio process: call actors.RunChild first thing in main, or name a chronus as Config.Binary")
	}
	st, err := os.Stat(c.Binary)
	if err == nil && (!st.Mode().IsRegular() || st.Mode().Perm()&0o111 == 0) {
		err = fmt.Errorf("%s is no program", c.Binary)
	}
	if err != nil {
		return fmt.Errorf("binary for workers and audio: %w: name a chronus, or leave Config.Binary out", err)
	}
	return nil
}

// spawnChild starts a child with the given descriptors as its 3, 4, ..., and more in its
// environment.
func (c Config) spawnChild(what string, files []int, more ...string) (sys.Process, error) {
	// A goroutine that blocks in a system call keeps its processor, since Go's monitor thread sleeps
	// (sys.QuietRuntime); each process has fewer than 16 of them. Goroutines that never run long need
	// no signals to be preempted by. The collector stays off: see docs/threads.md. A traceback of a
	// child that was killed says nothing.
	env := append(os.Environ(), "GOMAXPROCS=16", "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none")
	env = append(env, more...)
	return sys.Spawn(c.Binary, []string{"chronus-" + what, childVerb, what}, env, c.Output, c.Output, files)
}
