package launch

import (
	"errors"
	"fmt"
	"os"

	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm/sys"
)

// childArg is the hidden argument that makes a program a child process. The role follows it.
const childArg = "__chronus_child"

// Self is this very executable, even if another has been put in its place on disk.
const Self = "/proc/self/exe"

// ChildRole returns the role that this process was started for. child is false if it was not
// started as a child.
func ChildRole() (role string, child bool) {
	if len(os.Args) != 3 || os.Args[1] != childArg {
		return "", false
	}
	return os.Args[2], true
}

// WrongRole describes a role that does not exist.
func WrongRole(role string) string {
	return fmt.Sprintf("chronus: %s %q: it is %s or %s", childArg, role, survivors.RoleWorker, survivors.RoleAudio)
}

// Program is what child processes run: one that calls actors.RunChild first.
type Program struct {
	Binary string
	Output *os.File // where children print what ended them
}

// Check returns an error if the program cannot be started as a child of this one.
func (p Program) Check() error {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		return errors.New("this process was started as a worker or audio process: call actors.RunChild first thing in main, or name a chronus as Config.Binary")
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

// Spawn starts a child with the given descriptors as its 3, 4, ..., and more in its environment.
func (p Program) Spawn(role string, files []int, more ...string) (sys.Process, error) {
	// A goroutine that blocks in a system call keeps its processor, since Go's monitor thread sleeps
	// (sys.QuietRuntime); each process has fewer than 16 of them. Goroutines that never run long need
	// no signals to be preempted by. The collector stays off: see docs/threads.md. A traceback of a
	// child that was killed says nothing.
	env := append(os.Environ(), "GOMAXPROCS=16", "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none")
	env = append(env, more...)
	return sys.Spawn(p.Binary, []string{"chronus-" + role, childArg, role}, env, p.Output, p.Output, files)
}
