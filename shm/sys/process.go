package sys

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Process is a process by number and by descriptor. The descriptor identifies it for good; the
// kernel may reuse the number once the process is reaped.
type Process struct {
	PID int
	FD  int // pidfd, readable when the process has ended
}

// Spawn starts path with argv and env. The child gets /dev/null as stdin, the given stdout and
// stderr, and files as descriptors 3, 4, and so on. It leads its own process group, so a Ctrl-C at
// the terminal reaches only its parent.
func Spawn(path string, argv, env []string, out, errOut *os.File, files []int) (Process, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return Process{}, fmt.Errorf("spawn: %w", err)
	}
	defer null.Close()
	fds := []uintptr{null.Fd(), out.Fd(), errOut.Fd()}
	for _, f := range files {
		fds = append(fds, uintptr(f))
	}
	pidfd := -1
	attr := &syscall.ProcAttr{Env: env, Files: fds, Sys: &syscall.SysProcAttr{Setpgid: true, PidFD: &pidfd}}
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return Process{}, fmt.Errorf("spawn %s: %w", path, err)
	}
	if pidfd < 0 {
		_ = unix.Kill(pid, unix.SIGKILL)
		return Process{}, errors.New("spawn: the kernel gives no pidfd; Linux 5.4 or newer is needed")
	}
	return Process{PID: pid, FD: pidfd}, nil
}

// OpenProcess returns a process that another program started. The caller closes the descriptor.
func OpenProcess(pid int) (Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return Process{}, fmt.Errorf("pidfd of process %d: %w", pid, err)
	}
	return Process{PID: pid, FD: fd}, nil
}

// Signal sends sig to this process, never to a later one with the same number.
func (p Process) Signal(sig syscall.Signal) error {
	if err := unix.PidfdSendSignal(p.FD, unix.Signal(sig), nil, 0); err != nil {
		return fmt.Errorf("signal %v to process %d: %w", sig, p.PID, err)
	}
	return nil
}

// Close releases the descriptor and leaves the process alone.
func (p Process) Close() error { return unix.Close(p.FD) }

// Exit is how a process ended: by Signal, or with Code if Signal is 0. Only the parent learns it,
// so the exit of another program's child is Unknown.
type Exit struct {
	Code    int
	Signal  syscall.Signal
	Unknown bool
}

// String describes the exit: "signal: killed", "exit code 3".
func (e Exit) String() string {
	if e.Unknown {
		return "for an unknown cause"
	}
	if e.Signal != 0 {
		return "signal: " + e.Signal.String()
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

// siginfo mirrors the head of siginfo_t for SIGCHLD on 64-bit Linux: waitid(2).
type siginfo struct {
	Signo, Errno, Code, _ int32
	PID                   int32
	UID                   uint32
	Status                int32
	_                     [100]byte
}

var _ [128 - unsafe.Sizeof(siginfo{})]byte

// Reap collects the exit status of an ended process. ok is false while it runs. Only the parent
// gets a status, and only once.
func (p Process) Reap() (e Exit, ok bool, err error) {
	var si siginfo
	const cldExited = 1
	_, _, errno := syscall.Syscall6(unix.SYS_WAITID, unix.P_PIDFD, uintptr(p.FD),
		uintptr(unsafe.Pointer(&si)), unix.WEXITED|unix.WNOHANG, 0, 0)
	if errno == unix.ECHILD {
		return Exit{Unknown: true}, p.ended(), nil
	}
	if errno != 0 {
		return Exit{}, false, fmt.Errorf("wait for process %d: %w", p.PID, errno)
	}
	if si.PID == 0 {
		return Exit{}, false, nil
	}
	if si.Code == cldExited {
		return Exit{Code: int(si.Status)}, true, nil
	}
	return Exit{Signal: syscall.Signal(si.Status)}, true, nil
}

// ended reports at once whether the process has ended.
func (p Process) ended() bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.FD), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

// PollFD is one descriptor to wait for. Poll sets Ready if it can be read.
type PollFD struct {
	FD    int
	Ready bool
}

// Poll waits until one of fds is readable or timeout has passed, and sets Ready. It uses scratch to
// avoid an allocation, and returns it, grown if it was too small.
func Poll(fds []PollFD, scratch []unix.PollFd, timeout time.Duration) []unix.PollFd {
	scratch = scratch[:0]
	for _, f := range fds {
		scratch = append(scratch, unix.PollFd{Fd: int32(f.FD), Events: unix.POLLIN})
	}
	ts := unix.NsecToTimespec(int64(timeout))
	n, err := unix.Ppoll(scratch, &ts, nil)
	for i := range fds {
		fds[i].Ready = err == nil && n > 0 && scratch[i].Revents != 0
	}
	return scratch
}

// PollScratch is the working space of Poll.
type PollScratch = []unix.PollFd

// AwaitExit waits until process pid has ended. The caller need not be its parent. A process that
// does not exist any more is no error.
func AwaitExit(pid int) error {
	p, err := OpenProcess(pid)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer p.Close()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.FD), Events: unix.POLLIN}}, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("poll pidfd of process %d: %w", pid, err)
		}
		if n > 0 {
			return nil
		}
	}
}
