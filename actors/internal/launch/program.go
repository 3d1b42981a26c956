package launch

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm/sys"
)

// childArg is the hidden argument that makes a program a child process. The role follows it.
const childArg = "__chronus_child"

// Self is the path of the running program, even if the file has been replaced on disk.
const Self = "/proc/self/exe"

// Run runs worker or audio if this process was started as one, and ends the process with the exit
// code. In any other process, Run returns at once.
func Run(worker, audio func() int) {
	if len(os.Args) != 3 || os.Args[1] != childArg {
		return
	}
	// The reader of a child's output may be gone; SIGPIPE must not end the sound.
	signal.Ignore(syscall.SIGPIPE)
	switch os.Args[2] {
	case survivors.RoleWorker:
		os.Exit(worker())
	case survivors.RoleAudio:
		os.Exit(audio())
	}
	fmt.Fprintf(os.Stderr, "chronus: %s %q: want worker or audio\n", childArg, os.Args[2])
	os.Exit(2)
}

// Program is the program of the child processes. It calls actors.RunChild first.
type Program struct {
	Binary string
	Output *os.File // standard output and standard error of the children
}

// Check returns an error if the program cannot be started as a child of this one.
func (p Program) Check() error {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		return errors.New("this process was started as a worker or audio process: " +
			"call actors.RunChild first thing in main, or name a chronus as Config.Binary")
	}
	st, err := os.Stat(p.Binary)
	if err == nil && (!st.Mode().IsRegular() || st.Mode().Perm()&0o111 == 0) {
		err = fmt.Errorf("%s is no program", p.Binary)
	}
	if err != nil {
		return fmt.Errorf("binary for workers and audio: %w: name a chronus, or leave Config.Binary out", err)
	}
	return nil
}

// Spawn starts a child for a role. files become its descriptors 3, 4, ...; more is added to its
// environment.
func (p Program) Spawn(role string, files []int, more ...string) (sys.Process, error) {
	// A goroutine that blocks in a system call keeps its processor, since Go's monitor thread sleeps
	// (sys.QuietRuntime); each process has fewer than 16 of them. Goroutines that never run long need
	// no signals to be preempted by. The collector stays off: see docs/threads.md. A traceback of a
	// child that was killed says nothing.
	env := append(os.Environ(), "GOMAXPROCS=16", "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none")
	env = append(env, more...)
	return sys.Spawn(p.Binary, []string{"chronus-" + role, childArg, role}, env, p.Output, p.Output, files)
}
