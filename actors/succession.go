package actors

import (
	"os"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// While another device than the preferred one plays, a second audio process looks now and then whether that one is there again. PortAudio
// sees new devices only when it is initialised anew, so it has to be a process of its own. When it has opened the device, the first is
// told to end, and it takes over: only one of them ever moves the clock.

// returnEvery is how often the preferred device is looked for.
const returnEvery = 2 * time.Second

// spareEvery is how long it is left at that when the spare has just been used, or could not be started.
const spareEvery = 200 * time.Millisecond

// leaveWait is how long the first process may take to fade out and end.
const leaveWait = time.Second

// tendSuccession looks for the preferred device while another one plays that it played on before, or that the user named.
func (r *rig) tendSuccession(now time.Time) {
	switch {
	case r.next.opened && now.Sub(r.nextAt) > leaveWait:
		_ = r.audio.proc.Signal(killSignal) // it was told to end, and does not
	case r.stopping || r.next.running || !r.audio.opened || !r.audio.info.OnFallback || !r.plays || now.Sub(r.nextAt) < returnEvery:
	case r.cfg.Backend == "auto" && !r.hadFirst && len(r.cfg.Fallback) == 0:
		// A machine without a sound card is no machine that has lost one.
	default:
		r.nextAt = now
		order := r.openOrder()
		order.Alone, order.OrNull = true, false
		if err := r.startAudioProcess(&r.next, r.socket(nextSocketFile), order); err != nil {
			r.emit(report.AudioEnded{Cause: "look for the preferred device: " + err.Error(), After: returnEvery})
		}
	}
}

// tendSpareAudio keeps an audio process ready to be told what to open.
func (r *rig) tendSpareAudio(now time.Time) {
	if r.plays && r.audio.opened && !r.spareAudio.running && !r.stopping {
		if now.Sub(r.spareAt) < spareEvery {
			return
		}
		r.spareAt = now
		if err := r.forkAudio(); err != nil {
			r.emit(report.AudioEnded{Cause: "start a spare: " + err.Error(), After: spareEvery})
			return
		}
		r.warmSpare()
	}
}

// warmSpare makes the spare ready for the device that plays. It is of no use once that is lost: then it is not to be trusted either.
func (r *rig) warmSpare() {
	s, err := sys.Dial(r.socket(spareSocketFile))
	if err == nil {
		_ = wire.Send(s, wire.Order{Warm: r.audio.info.Backend})
		_ = s.Close() // what was sent is read nevertheless
	}
}

// burySilent notes the end of a process that does not play; at is when that was.
func burySilent(a *audioProcess, at *time.Time, now time.Time) {
	if _, ok, err := a.proc.Reap(); err == nil && !ok {
		return
	}
	_ = a.proc.Close()
	*a, *at = audioProcess{}, now
}

// relieve tells the process that plays to end, since its successor has the preferred device.
func (r *rig) relieve() {
	r.nextAt = time.Now()
	if r.audio.running {
		_ = r.audio.proc.Signal(syscall.SIGTERM)
		return
	}
	r.promote(r.nextAt)
}

// promote makes the second process the one that plays, once the first has ended. It is false if there is none that could.
func (r *rig) promote(now time.Time) bool {
	if !r.next.running || !r.next.opened {
		return false
	}
	r.audio, r.next, r.nextAt = r.next, audioProcess{}, now
	_ = os.Rename(r.socket(nextSocketFile), r.audioSocket())
	r.saveCrew()
	r.opened()
	return true
}
