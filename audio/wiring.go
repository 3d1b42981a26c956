package audio

import (
	"slices"

	"github.com/music-chronus/chronus/shm/wire"
)

// reportWiring notifies the engine when the connections of the device's ports have changed. An
// engine that takes over gets them in p.opened.
func (p *process) reportWiring() {
	w, ok := p.stream.(Wired)
	if !ok || p.opened == nil {
		return
	}
	now := w.Wiring()
	if now == nil {
		return
	}
	was := p.opened.Wiring
	if was != nil && was.Of == p.path && slices.EqualFunc(was.Ports, now, slices.Equal) {
		return
	}
	p.opened.Wiring = &wire.Wiring{Of: p.path, Ports: now}
	p.notify(wire.Notice{Wiring: p.opened.Wiring})
}
