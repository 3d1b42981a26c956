package osc

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// How time tags are mapped to frames. What plays counts frames by the device's clock, time tags come from the wall clock,
// and neither knows the other. Between them stands this machine's monotonic clock, which nobody sets: the wall clock
// is compared with it at the moment a tag is read, so that a step of the wall clock counts from the next tag on, and the
// frames are fitted to it by a line, from the moments at which they were seen to move.
//
// They are never seen too early, only too late, by whatever kept the one who looks: so of each bucket of time the
// earliest sight counts, and the line's height is the earliest of some buckets. Its slope, the drift of the device, is the median of
// the slopes between buckets that lie far apart (after Theil and Sen), so that no single bucket bends it. When all
// sights of a while lie far off the line, what plays has stopped for a while, or is another device: the line begins anew.
const (
	bucket        = 250 * time.Millisecond
	buckets       = 64                     // the slope's: 16 s
	offsetBuckets = 8                      // the height's: 2 s
	slopeFrom     = 8                      // buckets before a slope is believed
	driftMost     = 2000e-6                // more is no drift
	jump          = 4 * time.Millisecond   // off the line: perhaps another line
	jumpWhile     = 500 * time.Millisecond // for so long: it is
	jumpPoints    = 8                      // and seen so often
	stale         = time.Second            // without a move, nothing plays
	held          = 10 * time.Millisecond  // more than it ever is behind the line: it is held up
	settled       = 4                      // sights before the line is used
)

// MostAhead is how far ahead of now a time tag may lie.
const MostAhead = 60 * time.Second

// Moment is one moment on two clocks, in nanoseconds: the monotonic clock, and Unix time.
type Moment struct{ Mono, Wall int64 }

// Timeline maps time tags to frames. One goroutine observes, any number of others ask.
type Timeline struct {
	rate float64 // frames a second, as the device means to have

	// The line is t = t0 + (f-f0)*(1e9/rate)*(1+drift) + height, t in ns, f in frames.
	t0, f0    float64
	drift     float64
	last      point // the newest
	seen      int
	points    []point // the earliest of each bucket, newest last
	open      point   // of the bucket that is not over
	openEnd   float64
	openHas   bool
	offFrom   float64 // since when all lie off the line
	offSeen   int
	offBest   point
	slack     float64 // how many frames what plays was behind the line at most in the bucket before, for it moves by periods
	slackOpen float64 // in the one that is not over
	published atomic.Pointer[line]
}

// point is when, in ns since t0, a frame, counted from f0, was seen to be the next to play.
type point struct{ t, f float64 }

// line is what is asked; it does not change.
type line struct {
	t0, f0 float64
	slope  float64 // ns a frame
	offset float64
	slack  float64
	last   int64 // Mono of the newest sight
}

// NewTimeline is for a rate in frames a second.
func NewTimeline(rate int) *Timeline { return &Timeline{rate: float64(rate)} }

// Observe notes that at mono frame was seen to be the next to play, and was not yet at before, the look before. A frame that is
// lower than the last begins anew.
func (l *Timeline) Observe(mono, before int64, frame uint64) {
	t, f := float64(mono)-l.t0, float64(frame)-l.f0
	if l.seen == 0 || f < l.last.f || t-l.last.t > float64(stale) {
		l.begin(float64(mono), float64(frame))
		t, f = 0, 0
	}
	if t < l.last.t {
		return
	}
	s, was := point{t, f}, l.last
	l.last = s
	l.seen++
	if l.jumped(s, float64(before)-l.t0) {
		best := l.offBest
		l.begin(l.t0+best.t, l.f0+best.f)
		s = point{s.t - best.t, s.f - best.f}
		l.last, l.seen = s, jumpPoints
	} else if l.offSeen == 0 {
		l.slackOpen = max(l.slackOpen, (float64(before)-l.t0-l.offset())/l.slope()-was.f)
	}
	l.collect(s)
	l.publish(mono)
}

// begin starts a line at a sight; a drift that is known is kept, since mostly it is the same device.
func (l *Timeline) begin(t0, f0 float64) {
	l.t0, l.f0, l.seen = t0, f0, 0
	l.points, l.openHas, l.offSeen = l.points[:0], false, 0
	l.last, l.offBest = point{}, point{}
	l.slack, l.slackOpen = max(l.slack, l.slackOpen), 0
	l.collect(point{})
}

// slope is ns a frame.
func (l *Timeline) slope() float64 { return 1e9 / l.rate * (1 + l.drift) }

// residual is how far after the line without its height a sight lies, in ns.
func (l *Timeline) residual(s point) float64 { return s.t - s.f*l.slope() }

// jumped tells whether all sights of a while are off the line: it should have come there before the look before, or is not to come there yet.
func (l *Timeline) jumped(s point, before float64) bool {
	due := s.t - l.residual(s) + l.offset()
	if before < due+float64(jump) && s.t > due-float64(jump) {
		l.offSeen = 0
		return false
	}
	if l.offSeen == 0 {
		l.offFrom, l.offBest = s.t, s
	}
	if l.offSeen++; l.residual(s) <= l.residual(l.offBest) {
		l.offBest = s
	}
	return l.offSeen >= jumpPoints && s.t-l.offFrom > float64(jumpWhile)
}

// collect puts a sight into its bucket.
func (l *Timeline) collect(s point) {
	if l.openHas && s.t >= l.openEnd {
		if len(l.points) == buckets {
			l.points = append(l.points[:0], l.points[1:]...)
		}
		l.points = append(l.points, l.open)
		l.openHas = false
		l.slack, l.slackOpen = l.slackOpen, 0
		l.fit()
	}
	if !l.openHas {
		l.open, l.openHas, l.openEnd = s, true, s.t+float64(bucket)
	}
	if l.residual(s) < l.residual(l.open) {
		l.open = s
	}
}

// fit takes the slope from the buckets.
func (l *Timeline) fit() {
	n := len(l.points)
	if n < slopeFrom {
		return
	}
	var list [buckets]float64
	slopes := list[:0]
	for i := range n / 2 {
		a, b := l.points[i], l.points[i+n-n/2]
		if b.f > a.f {
			slopes = append(slopes, (b.t-a.t)/(b.f-a.f))
		}
	}
	if len(slopes) == 0 {
		return
	}
	slices.Sort(slopes)
	drift := slopes[len(slopes)/2]*l.rate/1e9 - 1
	l.drift = max(-driftMost, min(driftMost, drift))
}

// offset is the earliest of the last buckets, in ns after the line through t0.
func (l *Timeline) offset() float64 {
	h := math.Inf(1)
	if l.openHas {
		h = l.residual(l.open)
	}
	for _, p := range l.points[max(0, len(l.points)-offsetBuckets):] {
		h = min(h, l.residual(p))
	}
	return h
}

func (l *Timeline) publish(mono int64) {
	if l.seen < settled {
		l.published.Store(nil)
		return
	}
	l.published.Store(&line{l.t0, l.f0, l.slope(), l.offset(), max(l.slack, l.slackOpen), mono})
}

// Rate is how many frames a second really play; ok is false if nothing plays, or it is not known yet.
func (l *Timeline) Rate(mono int64) (rate float64, ok bool) {
	at := l.published.Load()
	if at == nil || mono-at.last > int64(stale) {
		return 0, false
	}
	return 1e9 / at.slope, true
}

// Frame is the frame that is the next to play at the moment of a time tag; what the device adds until it is heard is constant, and not in it. It
// may be negative, before the first. ahead is how long until then. ok is false if nothing plays.
func (l *Timeline) Frame(tag uint64, now Moment) (frame int64, ahead time.Duration, ok bool) {
	at := l.published.Load()
	ahead = TimeUntil(tag, now.Wall)
	if at == nil || now.Mono-at.last > int64(stale) {
		return 0, ahead, false
	}
	t := float64(now.Mono) - at.t0 + float64(ahead)
	return int64(math.Round(at.f0 + (t-at.offset)/at.slope)), ahead, true
}

// Lag is by how many frames what plays is behind the line, at a moment at which a frame is the next to play; 0 if by no more than it always is
// and held, or if nothing plays. It stands, or goes on after it stood, and the line has not begun anew: what a time tag means now is later
// by so much at the least.
func (l *Timeline) Lag(mono int64, frame uint64) int64 {
	at := l.published.Load()
	if at == nil || mono-at.last > int64(stale) {
		return 0
	}
	behind := at.f0 + (float64(mono)-at.t0-at.offset)/at.slope - float64(frame)
	if behind <= at.slack+float64(held)/at.slope {
		return 0
	}
	return int64(math.Round(behind - at.slack/2))
}

// The time tags of NTP count 2^-32 s from the beginning of 1900, and begin again in 2036.
const (
	ntpEpoch = 2208988800 // seconds from 1900 to 1970
	second   = int64(time.Second)
)

// Tag is the time tag of a Unix time in ns.
func Tag(wall int64) uint64 {
	s, ns := wall/second, wall%second
	if ns < 0 {
		s, ns = s-1, ns+second
	}
	return uint64(s+ntpEpoch)<<32 | uint64(ns)<<32/uint64(second)
}

// TimeUntil is how long it is from a Unix time in ns to a time tag, which is taken to be of the era in which it lies
// nearest: within 68 years.
func TimeUntil(tag uint64, wall int64) time.Duration {
	apart := int64(tag - Tag(wall))
	s, rest := apart>>32, uint64(apart)&0xffffffff
	return time.Duration(s)*time.Second + time.Duration((rest*uint64(second)+1<<31)>>32)
}
