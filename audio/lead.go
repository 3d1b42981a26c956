package audio

import "time"

// answerTime is the time in which a worker can answer a call: frames that the device takes within it
// have to be there when it begins. Some devices take a long period in a burst of short calls.
const answerTime = 500 * time.Microsecond

// demandSpan is how long a burst is remembered at the least, and twice that at the most.
const demandSpan = 10 * time.Second

// demand measures how many frames the device takes before a worker can answer.
type demand struct {
	calls       [16]deviceCall // the last ones
	next        int            // where the next one goes
	most, older int            // the largest burst of this span and of the one before, frames
	spanEnd     int64
}

// deviceCall is one call: when, in nanoseconds, and how many frames.
type deviceCall struct {
	at     int64
	frames int
}

// record puts a call on record and returns the largest burst of late, in frames.
func (d *demand) record(now int64, frames int) int {
	if now >= d.spanEnd {
		d.older, d.most, d.spanEnd = d.most, 0, now+int64(demandSpan)
	}
	d.calls[d.next] = deviceCall{now, frames}
	d.next = (d.next + 1) % len(d.calls)
	sum := 0
	for _, c := range d.calls {
		if c.frames > 0 && now-c.at < int64(answerTime) {
			sum += c.frames
		}
	}
	d.most = max(d.most, sum)
	return max(d.most, d.older)
}

// How the lead returns to what the device needs.
const (
	calmTime   = 2 * time.Minute        // without a late worker, before the extra shrinks
	extraStep  = 10 * time.Second       // for each block of it from then on
	leadStep   = 50 * time.Millisecond  // for each block of the lead that is too much
	extraLimit = 2048                   // frames of extra at the most
	raiseTime  = 100 * time.Millisecond // in which workers fill a lead that was raised
)

// leadControl is the lead as a jitter buffer. It grows at once and shrinks slowly. All of it is the
// callback's own; times are in nanoseconds.
type leadControl struct {
	frames              int // of a block
	guard, limit, asked uint64
	demand              demand
	burst               int    // frames, of late
	extra               uint64 // blocks, for workers that were late
	current             uint64 // the lead, blocks
	lateAt, shrunkAt    int64
	raisedAt            int64
	previous            uint64 // the lead before it was raised
}

// blocks is how many blocks the device takes before a worker can answer.
func (l *leadControl) blocks() uint64 {
	return uint64(max(1, (l.burst+l.frames-1)/l.frames))
}

// need is the least lead, in blocks: what a burst takes, as much again for a standby to take over in,
// and the guard.
func (l *leadControl) need() uint64 { return 2*l.blocks() + l.guard }

// target is the lead to have. A lead that the user asked for is fixed unless the device needs more.
func (l *leadControl) target() uint64 {
	if l.asked > 0 {
		return min(max(l.asked, l.need()), l.limit)
	}
	return min(l.need()+l.extra, l.limit)
}

// update counts a call of the device and returns the lead from now on.
func (l *leadControl) update(now int64, frames int) uint64 {
	l.burst = l.demand.record(now, frames)
	if l.extra > 0 && now-l.lateAt >= int64(calmTime) {
		l.extra--
		l.lateAt += int64(extraStep)
	}
	return l.adjust(now)
}

// extend makes the lead longer by as many blocks as a worker was short of.
func (l *leadControl) extend(now int64, short uint64) uint64 {
	l.extra = min(l.extra+max(1, short), uint64(max(1, extraLimit/l.frames)))
	l.lateAt = now
	return l.adjust(now)
}

// adjust raises the lead at once, and lowers it by a block at a time.
func (l *leadControl) adjust(now int64) uint64 {
	switch target := l.target(); {
	case target > l.current:
		if !l.filling(now) {
			l.previous = l.current
		}
		l.current, l.raisedAt = target, now
	case target < l.current && now-l.shrunkAt >= int64(leadStep):
		l.current--
		l.shrunkAt = now
	}
	return l.current
}

// filling tells whether the lead was raised so recently that workers still fill it.
func (l *leadControl) filling(now int64) bool {
	return l.previous > 0 && now-l.raisedAt < int64(raiseTime)
}

// setFilled says that the active worker has the whole lead.
func (l *leadControl) setFilled() { l.previous = 0 }

// expected is the head, relative to the clock, that a worker which keeps up has when the device calls.
// Just after the lead was raised this is the lead before.
func (l *leadControl) expected(now int64) uint64 {
	if l.filling(now) {
		return min(l.previous, l.current)
	}
	return l.current
}
