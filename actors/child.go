package actors

import (
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
//	actors.RunChild(worker.Main, audio.Main(portaudio.Backend{}, null.Backend{}))
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

// spawnChild starts a child with the given descriptors as its 3, 4, ...
func spawnChild(what string, files []int) (sys.Process, error) {
	// The thread that renders or plays sleeps behind the scheduler's back and so keeps one of its places; another may be
	// held by a goroutine that has just gone into a system call. With fewer than four an order for the audio process lay there for up to
	// 20 ms. Goroutines that never run long need no signals to be preempted by. A traceback of a child that was killed says nothing.
	env := append(os.Environ(), "GOMAXPROCS=4", "GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none")
	return sys.Spawn(self, []string{"chronus-" + what, childVerb, what}, env, os.Stderr, os.Stderr, files)
}
