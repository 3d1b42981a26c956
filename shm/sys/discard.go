package sys

import (
	"syscall"
	"time"
)

// Discard kills the process, waits for its end no longer than wait, and closes the descriptor.
func (p Process) Discard(wait time.Duration) {
	const polls = 1000
	_ = p.Signal(syscall.SIGKILL)
	for range polls {
		if _, ok, err := p.Reap(); ok || err != nil {
			break
		}
		Poll([]PollFD{{FD: p.FD}}, nil, wait/polls)
	}
	_ = p.Close()
}
