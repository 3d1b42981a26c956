package output

import (
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// connect connects to an audio process and asks it to open a device, which it may have done for an
// engine before this one. A process that cannot be reached is killed, and replaced.
func (p *Process) connect(a *process, socket string, order wire.OpenOrder) {
	a.silent = make(chan struct{})
	var err error
	if a.socket, err = sys.Dial(socket); err == nil {
		go p.listen(*a)
		err = wire.Send(a.socket, wire.Order{Open: &order})
	} else {
		close(a.silent)
	}
	if err != nil {
		a.reason = err.Error()
		_ = a.proc.Signal(syscall.SIGKILL)
	}
}

// listen passes on the notices of one audio process until its end, and closes the socket.
func (p *Process) listen(a process) {
	defer close(a.silent)
	defer a.socket.Close()
	for {
		n, fds, err := wire.Receive[wire.Notice](a.socket)
		for _, fd := range fds {
			_ = sys.CloseFD(fd)
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			n = wire.Notice{Failed: err.Error()}
		}
		p.obs.Notice(a.gen, n)
	}
}

// Notice handles one notice of the audio process of a generation. opened: a device is open; the
// caller attaches all rings and calls Opened. refused, if not nil, is a ring that the process
// cannot play; the caller replaces its worker.
func (p *Process) Notice(generation uint64, n wire.Notice) (opened bool, refused *wire.Refused) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := &p.current
	if p.candidate.gen == generation {
		a = &p.candidate
	}
	current := a == &p.current
	switch {
	case a.gen != generation:
	case n.Problem != nil:
		if current {
			a.problem = *n.Problem
			p.obs.Event(report.DeviceProblem{Device: a.info.Device, Problem: *n.Problem})
		}
	case n.Wiring != nil:
		p.wiring = n.Wiring
	case n.Refused != nil:
		if current {
			return false, n.Refused
		}
	case n.Opened == nil:
		a.reason = n.Failed // the process may have ended meanwhile
	case a.running:
		return p.deviceOpen(a, *n.Opened), nil
	}
	return false, nil
}

// deviceOpen records the device of a process, and reports whether the current process has one now.
func (p *Process) deviceOpen(a *process, info wire.Opened) bool {
	a.open, a.info = true, info
	if info.Wiring != nil {
		p.wiring = info.Wiring
	}
	if a == &p.candidate {
		return p.stopCurrent()
	}
	p.fit()
	return true
}

// Reap handles the end of the process with that pidfd, if it is one of Process. promoted: the
// candidate plays now; the caller attaches all rings and calls Opened.
func (p *Process) Reap(fd int, now time.Time) (promoted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.current.running && p.current.proc.FD == fd:
		return p.reapCurrent(now)
	case p.candidate.running && p.candidate.proc.FD == fd:
		reapIdle(&p.candidate, &p.candidateAt, now)
	case p.spare.running && p.spare.proc.FD == fd:
		reapIdle(&p.spare, &p.spareAt, now)
	}
	return false
}

func (p *Process) reapCurrent(now time.Time) (promoted bool) {
	a := &p.current
	exit, ok, err := a.proc.Reap()
	if err == nil && !ok {
		return false
	}
	neverOpen := !a.open
	a.running, a.open = false, false
	_ = a.proc.Close()
	if p.promote(now) {
		return true
	}
	p.obs.Ended(Exit{Generation: a.gen, Exit: exit, NeverOpen: neverOpen})
	return false
}

// reapIdle reaps a process that does not play, and stores the time.
func reapIdle(a *process, at *time.Time, now time.Time) {
	if _, ok, err := a.proc.Reap(); err == nil && !ok {
		return
	}
	_ = a.proc.Close()
	*a, *at = process{}, now
}

// TakeOver takes over the audio process of an engine before this one; nil: there is none.
func (p *Process) TakeOver(proc *sys.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tookOver = true
	p.generation, p.current.gen = 2, 2 // not the first: an engine that took over starts without a device too
	if proc != nil {
		p.current.proc, p.current.running = *proc, true
		p.connect(&p.current, p.socket(MainSocket), p.openOrder())
	}
}

// EndReason returns the process that ended last, and its own word on why; "": it said nothing.
func (p *Process) EndReason() (pid int, reason string) {
	p.mu.Lock()
	silent := p.current.silent
	p.mu.Unlock()
	select {
	case <-silent:
	case <-time.After(p.cfg.Timeouts.LastNotice):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current.proc.PID, p.current.reason
}
