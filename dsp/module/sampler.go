package module

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// Sampler plays what was recorded.
var Sampler = dsp.Desc{
	Type: "sampler",
	Doc: "Plays a sample, a WAV or FLAC file that the patch names. The gate begins it; what still sounds then is faded over 5 ms. At the note that root names, and at the rate " +
		"that it was recorded at, it comes out bit for bit; at others it is interpolated by 32 frames, flat to 0.4 of the rate, with what folds back or is added below -90 dB up to three octaves above.",
	Source: "the window: J. Kaiser, \"Nonrecursive digital filter design using the I0-sinh window function\", 1974",
	Inputs: []dsp.Port{
		{Name: "pitch", Unit: "oct", Doc: "octaves above 440 Hz that are to be heard of a sample whose root is 69; for others as many more or fewer"},
		{Name: "gain", Doc: "added to the parameter gain: velocity, with a gain of 0"},
	},
	Outputs: []dsp.Port{
		{Name: "out", Stereo: true, Doc: "the sound, the same on both sides if the file is mono"},
		{Name: "mono", Doc: "the mean of both sides; what hears it alone is there once, not twice"},
	},
	Params:         samplerParams,
	Gated:          true,
	Sampled:        true,
	GeneratesSound: true,
	New:            newSampler,
}

var samplerParams = []dsp.Param{
	{Name: "root", Min: 0, Max: 127, Default: 69, Doc: "the note that was recorded, 69 being 440 Hz; parts of a number tune it"},
	{Name: "gain", Min: 0, Max: 2, Default: 1, Doc: "linear; ramped over 5 ms"},
	{Name: "mode", Max: 1, Names: []string{"shot", "gated"}, Doc: "shot: it plays to its end, a loop until the gate closes; gated: it is faded when the gate closes"},
	{Name: "start", Min: 0, Max: 1, Doc: "where it begins, as a part of the file: 0.5 is in the middle"},
	{Name: "loop", Max: 1, Names: []string{"off", "forward"}, Doc: "forward: what lies between from and to goes round. The seam is interpolated as if there were none"},
	{Name: "from", Min: 0, Max: 1, Doc: "where the loop begins, as a part of the file, to the nearest frame"},
	{Name: "to", Min: 0, Max: 1, Default: 1, Doc: "where it ends; a place not after from: at the end of the file"},
	{Name: "attack", Unit: "s", Min: 0, Max: 10, Doc: "to fade it in, in a straight line"},
	{Name: "release", Unit: "s", Min: 0.001, Max: 10, Default: 0.01, Doc: "to fade it out, gated"},
}

const (
	samplerRoot = iota
	samplerGain
	samplerMode
	samplerStart
	samplerLoop
	samplerFrom
	samplerTo
	samplerAttack
	samplerRelease
)

// samplerBits of a place in the file are behind the point. What is before it is enough for any file that a patch may have.
const samplerBits = 36

// samplerFastest is the most frames of the file that are gone on by in a frame.
const samplerFastest = 256

type sampler struct {
	rate  float64
	v     [9]float64 // parameters
	gain  dsp.Ramp
	head  samplerHead // what plays
	tail  samplerHead // what played before, and is faded
	file  *dsp.Sample
	count int // frames of the file

	tuned   bool // the four below are for pitch, and for the present root
	pitch   float32
	step    uint64  // of a place in the file, a frame
	narrow  float64 // of the kernel
	sinc    *sincTable
	weights [sincWeights]float64
	around  [sincWeights]float32 // what the kernel is over, where it is not in one piece in the file
}

func newSampler(rate float64) dsp.Module {
	s := &sampler{rate: rate, sinc: sharedSinc(), narrow: 1}
	for p := range samplerParams {
		s.v[p] = samplerParams[p].Default
	}
	s.gain.Jump(s.v[samplerGain])
	return s
}

// SetSample gives it what it plays.
func (s *sampler) SetSample(file *dsp.Sample) {
	s.file, s.count = file, file.Frames()
	s.tuned = false
}

func (s *sampler) Set(p int, v float64) {
	if p < 0 || p >= len(s.v) {
		return
	}
	s.v[p] = v
	switch p {
	case samplerRoot:
		s.tuned = false
	case samplerGain:
		s.gain.To(v, dsp.RampFrames(s.rate))
	case samplerLoop, samplerFrom, samplerTo:
		s.bound()
	}
}

// place is a part of the file as frames of it.
func (s *sampler) place(part float64) int {
	return int(math.Floor(float64(part*float64(s.count)) + 0.5))
}

// loop is what goes round: none if high is 0.
func (s *sampler) loop() (low, high uint32) {
	if s.count == 0 || s.v[samplerLoop] == 0 {
		return 0, 0
	}
	from, to := s.place(s.v[samplerFrom]), s.place(s.v[samplerTo])
	if to <= from {
		to = s.count
	}
	if from >= to {
		from = 0
	}
	return uint32(from), uint32(to)
}

// bound takes up another loop. If that is left behind already, the sound is faded over to where it would be in it.
func (s *sampler) bound() {
	h := &s.head
	if !h.on || h.closed {
		return
	}
	low, high := s.loop()
	if high == 0 || h.at>>samplerBits < uint64(high) {
		h.low, h.high = low, high
		h.round = h.round && high > 0
		return
	}
	s.fade()
	h.low, h.high = low, high
	h.wrap()
	h.level.Jump(0)
	h.level.To(1, dsp.RampFrames(s.rate))
}

// fade makes what plays the tail.
func (s *sampler) fade() {
	s.tail = s.head
	s.tail.level.To(0, dsp.RampFrames(s.rate))
}

func (s *sampler) Gate(on bool) {
	h := &s.head
	switch {
	case s.count == 0:
	case on:
		if h.on {
			s.fade()
		}
		*h = samplerHead{on: true, at: uint64(s.place(s.v[samplerStart])) << samplerBits}
		h.low, h.high = s.loop()
		h.level.Jump(1)
		if n := s.long(samplerAttack); n > 0 {
			h.level.Jump(0)
			h.level.To(1, n)
		}
		if h.high > 0 {
			h.wrap() // it may begin after the loop
		}
	case !h.on:
	case s.v[samplerMode] > 0:
		h.closed = true
		h.level.To(0, max(1, s.long(samplerRelease)))
	default:
		h.closed, h.round, h.low, h.high = true, false, 0, 0
	}
}

// long is a parameter in s as frames that are rendered.
func (s *sampler) long(p int) uint32 { return uint32(float64(s.v[p] * s.rate)) }

// tune computes the speed for a pitch.
func (s *sampler) tune(pitch float32) {
	s.tuned, s.pitch = true, pitch
	// As coarse as the pitch that a note gives, so that at the root nothing is left of both.
	oct := float64(pitch) + float64(float32((69-s.v[samplerRoot])/12))
	speed := s.file.Rate() / s.rate
	if oct != 0 {
		speed = float64(speed * approx.Exp2(oct))
	}
	if !(speed < samplerFastest) {
		speed = samplerFastest
	}
	s.step = uint64(float64(speed * (1 << samplerBits)))
	s.narrow = 1 / max(1, min(sincWidest, speed))
}

func (s *sampler) Render(in, outs [][]float32) {
	left, right, mono := outs[0], outs[1], outs[2]
	pitch, gain := in[0][:len(left)], in[1][:len(left)]
	for i := range left {
		g := s.gain.Next() + float64(gain[i])
		if !s.head.on && !s.tail.on {
			left[i], right[i], mono[i] = 0, 0, 0
			continue
		}
		if !s.tuned || pitch[i] != s.pitch {
			s.tune(pitch[i])
		}
		l, r := s.next(&s.head)
		if s.tail.on {
			tl, tr := s.next(&s.tail)
			l, r = l+tl, r+tr
		}
		left[i], right[i] = float32(float64(l*g)), float32(float64(r*g))
		mono[i] = left[i]
		if l != r {
			mono[i] = float32(float64(0.5 * float64((l+r)*g)))
		}
	}
}

func (s *sampler) Reset() {
	s.gain.Jump(s.gain.Target())
	s.head, s.tail = samplerHead{}, samplerHead{}
}

func (s *sampler) Save(e *dsp.Encoder) {
	for _, v := range s.v {
		e.Float64(v)
	}
	s.gain.Save(e)
	s.head.save(e)
	s.tail.save(e)
}

func (s *sampler) Restore(d *dsp.Decoder) {
	for p := range s.v {
		if s.v[p] = d.Float64(); samplerParams[p].Check(s.v[p], s.rate) != nil {
			s.v[p] = samplerParams[p].Default
			d.Fail()
		}
	}
	s.gain.Restore(d)
	s.head.restore(d, s.count)
	s.tail.restore(d, s.count)
	s.tuned = false
}
