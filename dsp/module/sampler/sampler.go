// Package sampler has the module that plays recorded sound.
package sampler

import (
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// Sampler plays a recorded sample.
var Sampler = dsp.Desc{
	Type: "sampler",
	Doc: "Plays a sample: a WAV or FLAC file that the patch names. The gate starts it, and fades a sound that " +
		"still plays over 5 ms. " +
		"At the note root and the rate of the file, frames are played bit for bit. Otherwise 32 frames are " +
		"interpolated: flat up to 0.4 of the rate, " +
		"with aliases and images below -90 dB up to three octaves above the root.",
	Source: "the window: J. Kaiser, \"Nonrecursive digital filter design using the I0-sinh window function\", 1974",
	Inputs: []dsp.Port{
		{Name: "pitch", Unit: "oct", Doc: "octaves above 440 Hz at which the recorded note sounds"},
		{Name: "gain", Doc: "added to the parameter gain; for velocity, set that to 0"},
	},
	Outputs: []dsp.Port{
		{Name: "out", Stereo: true, Doc: "the sound; a mono file is the same on both sides"},
		{Name: "mono", Doc: "the mean of both sides; mono modules after it are not doubled"},
	},
	Params:         samplerParams,
	Gated:          true,
	Sampled:        true,
	GeneratesSound: true,
	New:            newSampler,
}

var samplerParams = []dsp.Param{
	{Name: "root", Min: 0, Max: 127, Default: 69, Doc: "the recorded note, 69 being 440 Hz; fractions tune it"},
	{Name: "gain", Min: 0, Max: 2, Default: 1, Doc: "linear; ramped over 5 ms"},
	{Name: "mode", Max: 1, Names: []string{"shot", "gated"},
		Doc: "shot: plays to the end of the file, and leaves a loop when the gate closes; gated: fades out when " +
			"the gate closes"},
	{Name: "start", Min: 0, Max: 1, Doc: "where playing starts, as a part of the file: 0.5 is the middle"},
	{Name: "loop", Max: 1, Names: []string{"off", "forward"},
		Doc: "forward: repeats the part between from and to; the seam is interpolated without a step"},
	{Name: "from", Min: 0, Max: 1, Doc: "start of the loop, as a part of the file, rounded to a frame"},
	{Name: "to", Min: 0, Max: 1, Default: 1, Doc: "end of the loop; the end of the file if not above from"},
	{Name: "attack", Unit: "s", Min: 0, Max: 10, Doc: "length of the fade-in, in a straight line"},
	{Name: "release", Unit: "s", Min: 0.001, Max: 10, Default: 0.01, Doc: "length of the fade-out in mode gated"},
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

// samplerBits is the number of fractional bits of a place in the file. The 28 bits of the whole
// part suffice for any file that a patch may have.
const samplerBits = 36

// samplerFastest is the greatest number of frames of the file in a rendered frame.
const samplerFastest = 256

type sampler struct {
	rate  float64
	v     [9]float64 // parameters
	gain  dsp.Ramp
	head  samplerHead // plays
	tail  samplerHead // played before, and fades out
	file  *dsp.Sample
	count int // frames of the file

	tuned   bool // step and narrow are those of pitch and of the present root
	pitch   float32
	step    uint64  // of a place in the file, a frame
	narrow  float64 // bandwidth of the kernel
	sinc    *wave.Sinc
	weights [wave.SincWeights]float64
	around  [wave.SincWeights]float32 // frames under the kernel, if they are not contiguous in the file
}

func newSampler(rate float64) dsp.Module {
	s := &sampler{rate: rate, sinc: wave.SharedSinc(), narrow: 1}
	for p := range samplerParams {
		s.v[p] = samplerParams[p].Default
	}
	s.gain.Jump(s.v[samplerGain])
	return s
}

// SetSample sets the sample to play.
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
		s.setLoop()
	}
}

// place converts a part of the file to frames.
func (s *sampler) place(part float64) int {
	return int(math.Floor(float64(part*float64(s.count)) + 0.5))
}

// loop returns the frames [low, high) that repeat. There is no loop if high is 0.
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

// setLoop applies a changed loop. If the head is already behind it, the sound is crossfaded to the
// corresponding place inside the loop.
func (s *sampler) setLoop() {
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

// fade turns the head into the tail.
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
		if n := s.frames(samplerAttack); n > 0 {
			h.level.Jump(0)
			h.level.To(1, n)
		}
		if h.high > 0 {
			h.wrap() // the start may lie after the loop
		}
	case !h.on:
	case s.v[samplerMode] > 0:
		h.closed = true
		h.level.To(0, max(1, s.frames(samplerRelease)))
	default:
		h.closed, h.round, h.low, h.high = true, false, 0, 0
	}
}

// frames converts a parameter in s to rendered frames.
func (s *sampler) frames(p int) uint32 { return uint32(float64(s.v[p] * s.rate)) }

// tune computes the speed for a pitch.
func (s *sampler) tune(pitch float32) {
	s.tuned, s.pitch = true, pitch
	// The root is rounded like the pitch of a note, so that they cancel exactly at the root.
	oct := float64(pitch) + float64(float32((69-s.v[samplerRoot])/12))
	speed := s.file.Rate() / s.rate
	if oct != 0 {
		speed = float64(speed * approx.Exp2(oct))
	}
	if !(speed < samplerFastest) {
		speed = samplerFastest
	}
	s.step = uint64(float64(speed * (1 << samplerBits)))
	s.narrow = 1 / max(1, min(wave.SincWidest, speed))
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
