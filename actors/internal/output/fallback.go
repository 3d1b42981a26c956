package output

import (
	"os"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// While another device than the preferred one plays, a second audio process, the candidate, looks
// for the preferred one. PortAudio sees new devices only when it is initialised, so the candidate
// must be a process of its own. Once it has the device, the current process is asked to end, and
// the candidate takes over: only one of them ever moves the clock.

// Tick moves the candidate and the spare on. playing: the engine has begun to play.
func (p *Process) Tick(now time.Time, playing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.playing = playing
	p.preferredPlayed = p.preferredPlayed || playing && p.current.open && !p.current.info.OnFallback
	p.updateUnheard(now)
	p.updateCandidate(now)
	p.updateSpare(now)
}

// updateCandidate looks for the preferred device while another one plays.
func (p *Process) updateCandidate(now time.Time) {
	named := p.cfg.Preferred.Backend != AutoBackend || len(p.cfg.Fallback) > 0
	switch {
	case p.candidate.open && now.Sub(p.candidateAt) > p.cfg.Timeouts.LeaveDevice:
		_ = p.current.proc.Signal(syscall.SIGKILL) // it was asked to end, and did not
	case p.stopping || p.candidate.running || !p.current.open || !p.current.info.OnFallback || !p.playing:
	case now.Sub(p.candidateAt) < p.cfg.Timeouts.ReturnToDevice:
	case !named && !p.preferredPlayed:
		// With no sound card ever seen there is no preferred device to look for.
	default:
		p.candidateAt = now
		order := p.openOrder()
		order.Alone, order.OrNull = true, false
		if err := p.launch(&p.candidate, p.socket(CandidateSocket), order); err != nil {
			p.obs.Event(report.AudioEnded{
				Cause: "look for the preferred device: " + err.Error(), After: p.cfg.Timeouts.ReturnToDevice,
			})
		}
	}
}

// updateSpare keeps a process that waits for an order.
func (p *Process) updateSpare(now time.Time) {
	if !p.playing || !p.current.open || p.spare.running || p.stopping || now.Sub(p.spareAt) < p.cfg.Timeouts.SpareAudio {
		return
	}
	p.spareAt = now
	if err := p.startSpare(); err != nil {
		p.obs.Event(report.AudioEnded{Cause: "start a spare: " + err.Error(), After: p.cfg.Timeouts.SpareAudio})
		return
	}
	p.warmSpare()
}

// warmSpare prepares the spare for the device that plays. If that device is lost, Start discards
// the spare.
func (p *Process) warmSpare() {
	s, err := sys.Dial(p.socket(SpareSocket))
	if err == nil {
		_ = wire.Send(s, wire.Order{Warm: p.current.info.Backend})
		_ = s.Close() // the spare reads what was sent all the same
	}
}

// stopCurrent asks the current process to end, since the candidate has the preferred device. It
// reports whether the candidate plays already.
func (p *Process) stopCurrent() (promoted bool) {
	p.candidateAt = time.Now()
	if p.current.running {
		_ = p.current.proc.Signal(syscall.SIGTERM)
		return false
	}
	return p.promote(p.candidateAt)
}

// promote makes the candidate the current process, once the current one has ended. promote returns
// false if the candidate has no device.
func (p *Process) promote(now time.Time) bool {
	if !p.candidate.running || !p.candidate.open {
		return false
	}
	p.current, p.candidate, p.candidateAt = p.candidate, process{}, now
	_ = os.Rename(p.socket(CandidateSocket), p.socket(MainSocket))
	p.record()
	p.fit()
	return true
}
