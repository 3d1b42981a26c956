// Package child starts the child processes of an engine, and runs a program as one of them. Workers
// and the audio process are the engine's own program, started with a hidden verb.
package child

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/music-chronus/chronus/shm/sys"
)

// The duties of a child process, as the command line names them after verb.
const (
	Worker = "worker"
	Audio  = "audio"
)

// verb is the hidden verb of a child's command line: chronus verb worker|audio.
const verb = "__chronus_child"

// Self is the path of the running program, even if the file has been replaced on disk.
const Self = "/proc/self/exe"

// Run runs worker or audio if this process was started as one, and ends the process with its exit
// code. In any other process, Run returns at once.
func Run(worker, audio func() int) {
	if len(os.Args) != 3 || os.Args[1] != verb {
		return
	}
	// The reader of a child's output may be gone; SIGPIPE must not end the sound.
	signal.Ignore(syscall.SIGPIPE)
	switch os.Args[2] {
	case Worker:
		os.Exit(worker())
	case Audio:
		os.Exit(audio())
	}
	fmt.Fprintf(os.Stderr, "chronus: %s %q: want worker or audio\n", verb, os.Args[2])
	os.Exit(2)
}

// Program is the program that runs as a child.
type Program struct {
	Path   string
	Output *os.File // standard output and standard error of a child
}

// Check returns an error if the program cannot be started as a child of this process.
func (p Program) Check() error {
	if len(os.Args) > 1 && os.Args[1] == verb {
		return errors.New("this process was started as a worker or audio process: " +
			"call actors.RunChild first thing in main, or name a chronus as Config.Binary")
	}
	st, err := os.Stat(p.Path)
	if err == nil && (!st.Mode().IsRegular() || st.Mode().Perm()&0o111 == 0) {
		err = fmt.Errorf("%s is no program", p.Path)
	}
	if err != nil {
		return fmt.Errorf("binary for workers and audio: %w: name a chronus, or leave Config.Binary out", err)
	}
	return nil
}

// Spawn starts a child for a duty. files become its descriptors 3, 4, ...; env is added to its
// environment.
func (p Program) Spawn(duty string, files []int, env ...string) (sys.Process, error) {
	// A goroutine that blocks in a system call keeps its processor, since Go's monitor thread sleeps
	// (sys.QuietRuntime); each process has fewer than 16 of them. Goroutines that never run long need
	// no signals to be preempted by. The collector stays off: see docs/threads.md. A traceback of a
	// child that was killed says nothing.
	all := append(os.Environ(), "GOMAXPROCS=16", "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none")
	all = append(all, env...)
	return sys.Spawn(p.Path, []string{"chronus-" + duty, verb, duty}, all, p.Output, p.Output, files)
}
