// Package offline renders patches, scores and tapes to sound files without an engine, as fast as it
// can.
package offline

import (
	"errors"
	"io"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

// Blocks gives the blocks of a sound one after the other: interleaved samples, which are good until
// the next call. Blocks returns io.EOF after the last one.
type Blocks func() (samples []float32, err error)

// Write writes blocks to a sound file until they end. After each block it calls progress.
func Write(path string, rate, channels int, next Blocks, progress func()) (err error) {
	w, err := Create(path, rate, channels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	var batch []float32
	flush := func() error {
		err := w.Write(batch)
		batch = batch[:0]
		return err
	}
	for {
		samples, err := next()
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return errors.Join(flush(), err)
		}
		batch = append(batch, samples...)
		if len(batch) >= batchFrames*channels {
			if err := flush(); err != nil {
				return err
			}
		}
		progress()
	}
}

// batchFrames is how many frames are written at a time, so that the header is not written for each
// block.
const batchFrames = 16384

// Rendering renders a plan with what is played on it.
type Rendering struct {
	plan   *patch.Plan
	stream *stream.Stream
	cues   []stream.Command
	length length
	done   int64 // frames
	block  []float32
}

// Render begins a rendering. The plan must have its samples. The cues must be in order, as InOrder
// returns them. A rendering lasts so many seconds. If seconds is 0, it lasts 5 s, or, if scored,
// until the sound has died away after the last cue.
func Render(plan *patch.Plan, cues []stream.Command, seconds float64, scored bool) (*Rendering, error) {
	str, err := stream.New(plan)
	if err != nil {
		return nil, err
	}
	return &Rendering{
		plan: plan, stream: str, cues: cues, length: lengthOf(plan, cues, seconds, scored),
		block: make([]float32, plan.Block*plan.Channels),
	}, nil
}

// Progress returns how many frames are done of those that are rendered in any case.
func (r *Rendering) Progress() (done, total int64) {
	return min(r.done, r.length.least), r.length.least
}

// Next renders the next block. Next implements Blocks.
func (r *Rendering) Next() ([]float32, error) {
	if r.length.over(r.done) {
		return nil, io.EOF
	}
	block := int64(r.plan.Block)
	for len(r.cues) > 0 && int64(r.cues[0].Frame) < r.done+block {
		r.stream.Push(r.cues[0])
		r.cues = r.cues[1:]
	}
	r.stream.Render(r.block)
	n := min(block, r.length.most-r.done)
	r.length.observe(r.block, block)
	r.done += n
	return r.block[:n*int64(r.plan.Channels)], nil
}

// length bounds a rendering in frames: it has at least least, and then goes on until the sound has
// been silent for enough, but not beyond most.
type length struct {
	least, most, enough int64
	silent              int64 // frames of silence at the end so far
}

// Lengths in seconds of renderings whose length is not given.
const (
	plainSeconds = 5   // without a score
	quietSeconds = 0.5 // of silence, which end a score
	tailSeconds  = 30  // after the last message of a score, at most
)

func lengthOf(plan *patch.Plan, cues []stream.Command, seconds float64, scored bool) length {
	frames := func(seconds float64) int64 { return int64(seconds * float64(plan.Rate)) }
	l := length{enough: frames(quietSeconds)}
	switch {
	case seconds > 0:
		l.least, l.most = frames(seconds), frames(seconds)
	case !scored || len(cues) == 0:
		l.least, l.most = frames(plainSeconds), frames(plainSeconds)
	default:
		l.least = int64(cues[len(cues)-1].Frame) + 1
		l.most = l.least + frames(tailSeconds)
	}
	return l
}

// Inaudible is the amplitude below which a sample counts as silence: -100 dBFS.
const Inaudible = 1e-5

func (l *length) observe(samples []float32, frames int64) {
	l.silent += frames
	for _, v := range samples {
		if v > Inaudible || v < -Inaudible {
			l.silent = 0
		}
	}
}

func (l *length) over(done int64) bool {
	return done >= l.most || done >= l.least && l.silent >= l.enough
}
