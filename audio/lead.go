package audio

import "time"

// answerTime is the time in which a worker can answer a call. Frames that the device takes within
// it must be rendered when it begins. Some devices take a long period in a burst of short calls.
const answerTime = 500 * time.Microsecond

// demandSpan is the minimum time for which a burst is remembered. The maximum is twice that.
const demandSpan = 10 * time.Second

// demand measures how many frames the device takes before a worker can answer.
type demand struct {
	calls       [16]deviceCall // the last calls
	next        int            // index of the next call
	most, older int            // largest burst of this span and of the one before, in frames
	spanEnd     int64
}

// deviceCall is the time of one call, in nanoseconds, and its frames.
type deviceCall struct {
	at     int64
	frames int
}

// record records a call and returns the largest recent burst, in frames.
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

// The times and steps in which the lead returns to what the device needs.
const (
	calmTime   = 2 * time.Minute        // without a late worker, before the extra shrinks
	extraStep  = 10 * time.Second       // per block of extra, after that
	leadStep   = 50 * time.Millisecond  // per block of lead above the target
	extraLimit = 2048                   // frames
	raiseTime  = 100 * time.Millisecond // in which workers fill a raised lead
)

// leadControl sets the lead like the length of a jitter buffer: up at once, down slowly. Only the
// callback uses it. Times are in nanoseconds, leads in blocks.
type leadControl struct {
	frames              int // in a block
	guard, limit, asked uint64
	demand              demand
	burst               int    // recent burst, in frames
	extra               uint64 // for late workers
	current             uint64 // the lead
	lateAt, shrunkAt    int64
	raisedAt            int64
	previous            uint64 // lead before it was raised; 0: workers have filled it
}

// blocks returns how many blocks the device takes before a worker can answer.
func (l *leadControl) blocks() uint64 {
	return uint64(max(1, (l.burst+l.frames-1)/l.frames))
}

// need returns the least lead: the blocks of a burst, as many for a standby to take over, and the
// guard.
func (l *leadControl) need() uint64 { return 2*l.blocks() + l.guard }

// target returns the lead to have. A lead that the user asked for is fixed, unless the device needs
// more.
func (l *leadControl) target() uint64 {
	if l.asked > 0 {
		return min(max(l.asked, l.need()), l.limit)
	}
	return min(l.need()+l.extra, l.limit)
}

// update records a call of the device and returns the lead from now on.
func (l *leadControl) update(now int64, frames int) uint64 {
	l.burst = l.demand.record(now, frames)
	if l.extra > 0 && now-l.lateAt >= int64(calmTime) {
		l.extra--
		l.lateAt += int64(extraStep)
	}
	return l.adjust(now)
}

// extend raises the lead by the blocks that a worker was short of, and returns it.
func (l *leadControl) extend(now int64, short uint64) uint64 {
	l.extra = min(l.extra+max(1, short), uint64(max(1, extraLimit/l.frames)))
	l.lateAt = now
	return l.adjust(now)
}

// adjust raises the lead to its target at once, or lowers it by one block.
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

// filling reports whether the lead was raised so recently that workers still fill it.
func (l *leadControl) filling(now int64) bool {
	return l.previous > 0 && now-l.raisedAt < int64(raiseTime)
}

// setFilled records that the active worker has rendered the whole lead.
func (l *leadControl) setFilled() { l.previous = 0 }

// expected returns how far the head of a worker that keeps up is ahead of the clock when the device
// calls. Just after the lead was raised this is the previous lead.
func (l *leadControl) expected(now int64) uint64 {
	if l.filling(now) {
		return min(l.previous, l.current)
	}
	return l.current
}
