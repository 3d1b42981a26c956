package actors

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// While another device than the preferred one plays, a second audio process looks now and then whether that one is there again. PortAudio
// sees new devices only when it is initialised anew, so it has to be a process of its own. When it has opened the device, the first is
// told to end, and it takes over: only one of them ever moves the clock.

// returnEvery is how often the preferred device is looked for.
const returnEvery = 2 * time.Second

// leaveWait is how long the first process may take to fade out and end.
const leaveWait = time.Second

const nextSocketFile = "audio-next.sock"

func (r *rig) nextSocket() string { return filepath.Join(r.cfg.RuntimeDir, nextSocketFile) }

// tendSuccession looks for the preferred device while another one plays that it played on before, or that the user named.
func (r *rig) tendSuccession(now time.Time) {
	switch {
	case r.next.opened && now.Sub(r.nextAt) > leaveWait:
		_ = r.audio.proc.Signal(killSignal) // it was told to end, and does not
	case r.stopping || r.next.running || !r.audio.opened || !r.audio.info.Second || !r.plays || now.Sub(r.nextAt) < returnEvery:
	case r.cfg.Backend == "auto" && !r.hadFirst && len(r.cfg.Fallback) == 0:
		// A machine without a sound card is no machine that has lost one.
	default:
		r.nextAt = now
		order := r.openOrder()
		order.Alone, order.Anyhow = true, false
		if err := r.startAudioProcess(&r.next, r.nextSocket(), order); err != nil {
			r.emit(AudioEnded{Cause: "look for the preferred device: " + err.Error(), After: returnEvery})
		}
	}
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
	_ = os.Rename(r.nextSocket(), r.audioSocket())
	r.saveCrew()
	r.opened()
	return true
}

// buryNext notes the end of a second process that found no device, or lost it.
func (r *rig) buryNext(now time.Time) {
	if _, ok, err := r.next.proc.Reap(); err == nil && !ok {
		return
	}
	_ = r.next.proc.Close()
	r.next, r.nextAt = audioProcess{}, now
}

// target is the preferred device.
func (c Config) target() shm.Target { return shm.Target{Backend: c.Backend, Device: c.Device} }
