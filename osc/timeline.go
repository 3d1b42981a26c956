package osc

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// How time tags are mapped to frames.
//
// The player counts frames by the device's clock; time tags come from the wall clock. Between them
// stands this machine's monotonic clock, which cannot be set. The wall clock is compared with it
// when a tag is read, so a step of the wall clock affects only later tags. A line is fitted to the
// frames and the monotonic times at which they were observed.
//
// An observation is never early, only late: whatever delayed the observer delays it. So of each
// bucket of time the earliest point counts, and the line's offset is the least residual of the last
// buckets. Its slope, the device's drift, is the median of the slopes between distant buckets
// (Theil-Sen), so that no single bucket bends it. If all points of a while lie far off the line,
// the player has stopped for a while, or plays on another device: a new line begins.
const (
	bucket        = 250 * time.Millisecond
	buckets       = 64                     // for the slope: 16 s
	offsetBuckets = 8                      // for the offset: 2 s
	slopeFrom     = 8                      // buckets before the slope is estimated
	driftMost     = 2000e-6                // largest drift of a device
	jump          = 4 * time.Millisecond   // off the line: suggests a new line
	jumpWhile     = 500 * time.Millisecond // of such points: a new line begins
	jumpPoints    = 8                      // such points at least
	stale         = time.Second            // without a new frame: nothing plays
	heldUp        = 10 * time.Millisecond  // above the usual delay: the player is held up
	settled       = 4                      // points before the line is used
)

// MostAhead is the most that a time tag may lie ahead of now.
const MostAhead = 60 * time.Second

// Moment is one moment on two clocks, in nanoseconds: the monotonic clock, and Unix time.
type Moment struct{ Mono, Wall int64 }

// Timeline maps time tags to frames. One goroutine observes; any number of others ask.
type Timeline struct {
	rate float64 // nominal frames a second

	// The line is t = t0 + (f-f0)*(1e9/rate)*(1+drift) + offset, t in ns, f in frames.
	t0, f0    float64
	drift     float64
	last      point // newest
	seen      int
	points    []point // earliest of each bucket, newest last
	open      point   // earliest of the open bucket
	openEnd   float64
	openHas   bool
	offFrom   float64 // since when all points lie off the line
	offSeen   int
	offBest   point
	slack     float64 // most frames behind the line in the last bucket: the player moves by periods
	slackOpen float64 // in the open bucket
	published atomic.Pointer[line]
}

// point is an observation: t ns after t0, the frame f0+f was the next to play.
type point struct{ t, f float64 }

// line is what other goroutines read. It never changes.
type line struct {
	t0, f0 float64
	slope  float64 // ns per frame
	offset float64
	slack  float64
	last   int64 // Mono of the newest point
}

// NewTimeline returns a timeline for a nominal rate in frames a second.
func NewTimeline(rate int) *Timeline { return &Timeline{rate: float64(rate)} }

// Observe records that at mono a frame was the next to play, and not yet at before, the observation
// before. A frame below the last one begins a new line.
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

// begin begins a line at a point. It keeps the drift, since mostly the device is the same.
func (l *Timeline) begin(t0, f0 float64) {
	l.t0, l.f0, l.seen = t0, f0, 0
	l.points, l.openHas, l.offSeen = l.points[:0], false, 0
	l.last, l.offBest = point{}, point{}
	l.slack, l.slackOpen = max(l.slack, l.slackOpen), 0
	l.collect(point{})
}

// slope is the duration of a frame in ns.
func (l *Timeline) slope() float64 { return 1e9 / l.rate * (1 + l.drift) }

// residual is the time from the line, without its offset, to a point in ns.
func (l *Timeline) residual(s point) float64 { return s.t - s.f*l.slope() }

// jumped reports whether all points of a while lie off the line: each was due before the
// observation before it, or is not due yet.
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

// collect adds a point to its bucket.
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

// fit estimates the drift from the buckets.
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

// offset is the least residual of the last buckets, in ns.
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

// Rate returns the frames a second that are really played. ok is false if nothing plays, or the
// rate is not known yet.
func (l *Timeline) Rate(mono int64) (rate float64, ok bool) {
	at := l.published.Load()
	if at == nil || mono-at.last > int64(stale) {
		return 0, false
	}
	return 1e9 / at.slope, true
}

// Frame returns the frame that is the next to play at a time tag, which is negative before the
// first frame. The latency of the device is constant, and not included. ahead is the time until
// then. ok is false if nothing plays.
func (l *Timeline) Frame(tag uint64, now Moment) (frame int64, ahead time.Duration, ok bool) {
	at := l.published.Load()
	ahead = TimeUntil(tag, now.Wall)
	if at == nil || now.Mono-at.last > int64(stale) {
		return 0, ahead, false
	}
	t := float64(now.Mono) - at.t0 + float64(ahead)
	return int64(math.Round(at.f0 + (t-at.offset)/at.slope)), ahead, true
}

// Lag returns the number of frames by which the player is behind the line, if frame is the next to
// play at mono. It is 0 within the usual delay and heldUp, and if nothing plays. A lag means that
// the player stands, or has stood and no new line has begun: a time tag takes effect later by at
// least the lag.
func (l *Timeline) Lag(mono int64, frame uint64) int64 {
	at := l.published.Load()
	if at == nil || mono-at.last > int64(stale) {
		return 0
	}
	behind := at.f0 + (float64(mono)-at.t0-at.offset)/at.slope - float64(frame)
	if behind <= at.slack+float64(heldUp)/at.slope {
		return 0
	}
	return int64(math.Round(behind - at.slack/2))
}

// NTP time tags count units of 2^-32 s since the beginning of 1900, and wrap in 2036.
const (
	ntpEpoch = 2208988800 // seconds from 1900 to 1970
	second   = int64(time.Second)
)

// Tag returns the time tag of a Unix time in ns.
func Tag(wall int64) uint64 {
	s, ns := wall/second, wall%second
	if ns < 0 {
		s, ns = s-1, ns+second
	}
	return uint64(s+ntpEpoch)<<32 | uint64(ns)<<32/uint64(second)
}

// TimeUntil returns the time from a Unix time in ns to a time tag, which is taken to lie within 68
// years.
func TimeUntil(tag uint64, wall int64) time.Duration {
	distance := int64(tag - Tag(wall))
	s, rest := distance>>32, uint64(distance)&0xffffffff
	return time.Duration(s)*time.Second + time.Duration((rest*uint64(second)+1<<31)>>32)
}
