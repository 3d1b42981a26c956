package actors

import "errors"

var errNoHeir = errors.New("no other worker is ready to be heard: wait until all are")

// Flip has another worker be heard, just as a failover would, only that nothing has failed. Nothing of it is heard.
func (e *Engine) Flip() error { return e.rig.flip() }

func (r *rig) flip() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.stopping {
		return errStopped
	}
	call := uint64(max(1, (r.audio.info.Period+r.cfg.Block-1)/r.cfg.Block))
	for {
		a := r.control.Active()
		head := r.journal.Published(a.Slot())
		// The heir may be as far behind as a standby that sleeps from call to call, as in Player.judge.
		to, ok := a.Successor(a.Slot(), len(r.slots), head-min(head, call), r.journal.Published)
		if !ok || r.slots[to].phase != ready || r.slots[to].killedAt != 0 {
			return errNoHeir
		}
		next := a.WithActive(to)
		r.asked = next.Epoch()
		if r.control.Swap(a, next) {
			r.noticeFlip()
			return nil
		}
		r.asked = 0
	}
}
