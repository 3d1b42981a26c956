package output

import (
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/audio/soundserver"
	"github.com/music-chronus/chronus/shm/wire"
)

// route is how "auto" first reached the sound card. The engine stays with it: a user whose jackd
// restarts wants JACK again, and not the card that jackd then finds taken.
type route struct {
	found   bool
	backend string
	library string // folder of PipeWire's JACK library; "": the system's own JACK library
}

// keepRoute records the first device that is heard.
func (p *Process) keepRoute() {
	if i := p.current.info; !p.route.found && p.current.open && !i.OnFallback {
		p.route = route{true, i.Backend, i.Library}
	}
}

// preferred is the device that the engine should play on.
func (p *Process) preferred() wire.Target {
	t := p.cfg.Preferred
	if t.Backend == AutoBackend && p.route.found {
		t.Backend = p.route.backend
	}
	return t
}

// deviation says in what a device that was taken over differs from the requested one; "": in
// nothing. The sound goes on as it is, since opening a device again interrupts it.
func (p *Process) deviation(i wire.Opened) string {
	want := p.cfg.Preferred.Backend
	switch {
	case !p.tookOver || i.OnFallback:
	case want != AutoBackend && want != i.Backend:
		return fmt.Sprintf("the sound that was taken over stays on backend %s, not %s: start with --fresh to change it", i.Backend, want)
	case p.cfg.Period > 0 && p.cfg.Period != i.Period:
		return fmt.Sprintf("the sound that was taken over keeps period %d, not %d: start with --fresh to change it", i.Period, p.cfg.Period)
	}
	return ""
}

// environment is what an audio process needs besides the engine's own environment.
func (p *Process) environment() []string {
	if p.route.found {
		return soundserver.LibraryEnv(p.route.library)
	}
	return soundserver.Look().Env(p.cfg.Preferred.Backend)
}

// unheard reports whether the sound goes nowhere, though a device was requested.
func (p *Process) unheard() bool {
	return !p.current.open || p.current.info.Backend == nullBackend && p.cfg.Preferred.Backend != nullBackend
}

// updateUnheard reports unheard sound at once, and then every minute.
func (p *Process) updateUnheard(now time.Time) {
	switch {
	case !p.playing || !p.current.open || p.stopping:
	case !p.unheard():
		p.unheardAt = time.Time{}
	case now.Sub(p.unheardAt) >= p.cfg.Timeouts.UnheardEvery:
		p.unheardAt = now
		p.obs.Event(report.Unheard{Preferred: p.preferred().String(), Reason: p.current.info.Note})
	}
}
