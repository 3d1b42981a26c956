//go:build sim

package audio

// SetClock puts another clock, in nanoseconds, in the place of the machine's: for the simulation in
// actors.
func (p *Player) SetClock(now func() int64) { p.clock = now }

// Apart is so long that two calls are no burst, in nanoseconds.
const Apart = 2 * int64(answerTime)

// SetExtra makes the lead longer by so many blocks, at the next call, as late workers would; or shorter
// again.
func (p *Player) SetExtra(blocks uint64) { p.lead.extra = blocks }
