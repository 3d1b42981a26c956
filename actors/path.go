package actors

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/audio/soundserver"
	"github.com/music-chronus/chronus/shm/wire"
)

// soundPath is the way to the sound card that "auto" has found. The engine stays with it: a user whose
// jackd restarts wants JACK again, and not the card that jackd then finds taken.
type soundPath struct {
	found   bool
	backend string
	library string // folder of PipeWire's JACK library; "": the system's own JACK library
	told    time.Time
}

// keepPath notes the first device that is heard.
func (r *rig) keepPath() {
	if i := r.audio.info; !r.path.found && r.audio.opened && !i.OnFallback {
		r.path.found, r.path.backend, r.path.library = true, i.Backend, i.Library
	}
}

// preferred is the device that the engine is to play on.
func (r *rig) preferred() wire.Target {
	t := wire.Target{Backend: r.cfg.Backend, Device: r.cfg.Device}
	if t.Backend == autoBackend && r.path.found {
		t.Backend = r.path.backend
	}
	return t
}

// otherwise says what an audio process that was taken over does otherwise than this engine was asked
// to: the sound goes on as it is, since opening a device anew interrupts it.
func (r *rig) otherwise(i wire.Opened) string {
	c := r.cfg
	switch {
	case !r.adopted || i.OnFallback:
	case c.Backend != autoBackend && c.Backend != i.Backend:
		return fmt.Sprintf("the sound that was taken over stays on backend %s, not %s: start with --fresh to change it", i.Backend, c.Backend)
	case c.Period > 0 && c.Period != i.Period:
		return fmt.Sprintf("the sound that was taken over keeps period %d, not %d: start with --fresh to change it", i.Period, c.Period)
	}
	return ""
}

const (
	autoBackend = "auto"
	nullBackend = "null" // a clock that nobody hears
)

// audioEnv has what an audio process needs in its environment besides the engine's own.
func (r *rig) audioEnv() []string {
	if r.path.found {
		return soundserver.LibraryEnv(r.path.library)
	}
	return soundserver.Look().Env(r.cfg.Backend)
}

// blank tells whether nobody hears what plays.
func (r *rig) blank() bool {
	return !r.audio.opened || r.audio.info.Backend == nullBackend && r.cfg.Backend != nullBackend
}

// unheardEvery is how often the engine says that nobody hears it.
const unheardEvery = time.Minute

// tendBlank says at the start and every minute that nobody hears what plays.
func (r *rig) tendBlank(now time.Time) {
	switch {
	case !r.plays || !r.audio.opened || r.stopping:
	case !r.blank():
		r.path.told = time.Time{}
	case now.Sub(r.path.told) >= unheardEvery:
		r.path.told = now
		r.emit(report.Unheard{Preferred: r.preferred().String(), Reason: r.audio.info.Note})
	}
}
