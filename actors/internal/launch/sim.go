//go:build sim

package launch

// Simulate makes the Pool believe that a spare is being started, so that it never starts one, and
// gives it a spare of the simulation; nil: none.
func (p *Pool) Simulate(spare *Idle) { p.starting, p.spare = true, spare }
