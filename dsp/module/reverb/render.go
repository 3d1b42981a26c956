package reverb

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
	"github.com/music-chronus/chronus/dsp/internal/delay"
	"github.com/music-chronus/chronus/dsp/internal/signal"
	"github.com/music-chronus/chronus/dsp/internal/wave"
)

// reverbChunk is the number of frames that a line processes at once. It is shorter than every
// line, so that no line reads a frame of the same chunk, and the sound does not depend on how
// frames are cut.
const reverbChunk = 32

func (r *reverb) Render(in, outs [][]float32) {
	for at := 0; at < len(outs[0]); at += reverbChunk {
		end := min(at+reverbChunk, len(outs[0]))
		r.chunk(in[0][at:end], in[1][at:end], outs[0][at:end], outs[1][at:end])
	}
}

func (r *reverb) chunk(inLeft, inRight, outLeft, outRight []float32) {
	var xl, xr, guard [reverbChunk]float64
	var modulation [4][reverbChunk]float64
	var v [reverbLines][reverbChunk]float64
	n := len(inLeft)
	width, step := float64(reverbModulation*r.rate), wave.PhaseStep(reverbModRate, r.rate)
	for k := range n {
		guard[k] = r.guard.Next(float64(inLeft[k]), float64(inRight[k]))
		xl[k], xr[k] = r.enter(inLeft[k], inRight[k])
		s := float64(width * approx.SinPhase(uint32(r.phase>>32)))
		q := float64(width * approx.SinPhase(uint32(r.phase>>32)+1<<30))
		modulation[0][k], modulation[1][k], modulation[2][k], modulation[3][k] = s, q, -s, -q
		r.phase += step
	}
	for i := range v {
		if i < len(modulation) {
			r.line(i, v[i][:n], modulation[i][:n])
		} else {
			r.line(i, v[i][:n], nil)
		}
	}
	for k := range n {
		w := [reverbLines]float64{v[0][k], v[1][k], v[2][k], v[3][k], v[4][k], v[5][k], v[6][k], v[7][k]}
		yl, yr := w[0]-w[2]+w[4]-w[6], w[1]-w[3]+w[5]-w[7]
		r.feed(&w, xl[k], xr[k], guard[k])
		side := float64(float64(0.5*(1-r.p[reverbWidth].Next())) * (yr - yl))
		mix := r.p[reverbMix].Next()
		outLeft[k], outRight[k] = signal.Blend(inLeft[k], yl+side, mix), signal.Blend(inRight[k], yr-side, mix)
	}
}

// enter processes the input: predelay, lowcut, diffusion, level.
func (r *reverb) enter(left, right float32) (float64, float64) {
	n := len(r.pre) / 2
	pl, pr := r.pre[:n], r.pre[n:]
	pl[r.prePos], pr[r.prePos] = left, right
	weight := r.tap.Next()
	xl, xr := r.tap.Read(pl, r.prePos, weight), r.tap.Read(pr, r.prePos, weight)
	if r.prePos++; r.prePos == uint32(n) {
		r.prePos = 0
	}
	if r.p[reverbLowcut].Moving() {
		r.cut = delay.OnePoleCoefficient(r.p[reverbLowcut].Next(), r.rate)
	}
	xl -= r.lowcut[0].LowPass(xl, r.cut)
	xr -= r.lowcut[1].LowPass(xr, r.cut)
	xl = r.diffuser[0][1].frame(r.diffuser[0][0].frame(xl))
	xr = r.diffuser[1][1].frame(r.diffuser[1][0].frame(xr))
	level := r.level.Next()
	return float64(level * xl), float64(level * xr)
}

// line puts the output of line i, with its loss, into y. The modulation is in frames and is added
// to the length; nil stands for none.
func (r *reverb) line(i int, y, modulation []float64) {
	ring := r.ring[i*r.ringSize : (i+1)*r.ringSize]
	mask := uint32(len(ring) - 1)
	most := float64(r.ringSize - 3)
	moving := r.length[i].Moving() || r.gain[i].Moving() || r.open[i].Moving()
	length, gain, open := r.length[i].Next(), r.gain[i].Next(), r.open[i].Next()
	s := r.damper[i].State
	whole := uint32(signal.Clamp(length, reverbChunk+2, most))
	for k := range y {
		if moving && k > 0 {
			length, gain, open = r.length[i].Next(), r.gain[i].Next(), r.open[i].Next()
		}
		var x float64
		switch pos := r.pos + uint32(k); {
		case modulation != nil:
			x = delay.Hermite(ring, pos, signal.Clamp(length+modulation[k], reverbChunk+2, most))
		case moving:
			x = delay.Hermite(ring, pos, signal.Clamp(length, reverbChunk+2, most))
		default:
			x = float64(ring[(pos-whole)&mask])
		}
		low := s + float64(open*(x-s))
		s = float64((1-2*open)*s) + float64(2*open*x) // as delay.OnePole, with fewer dependent operations
		if signal.Silent(s) {
			s = 0
		}
		y[k] = float64(gain * low)
	}
	r.damper[i].State = s
}

// feed puts a frame into the lines: their mixed outputs, and the input. The left channel enters the
// even lines and the right channel the odd ones.
func (r *reverb) feed(v *[reverbLines]float64, xl, xr, guard float64) {
	reverbHadamard(v)
	back := float64(guard * 0.35355339059327373) // 1/sqrt(8)
	at := int(r.pos & uint32(r.ringSize-1))
	for i := 0; i < reverbLines; i += 2 {
		r.ring[at] = delay.Flush(float64(back*v[i]) + xl)
		r.ring[at+r.ringSize] = delay.Flush(float64(back*v[i+1]) + xr)
		at += 2 * r.ringSize
	}
	r.pos++
}

// reverbHadamard multiplies by the Hadamard matrix of order 8.
func reverbHadamard(v *[reverbLines]float64) {
	a0, a1, a2, a3 := v[0]+v[1], v[0]-v[1], v[2]+v[3], v[2]-v[3]
	a4, a5, a6, a7 := v[4]+v[5], v[4]-v[5], v[6]+v[7], v[6]-v[7]
	b0, b1, b2, b3 := a0+a2, a1+a3, a0-a2, a1-a3
	b4, b5, b6, b7 := a4+a6, a5+a7, a4-a6, a5-a7
	v[0], v[1], v[2], v[3] = b0+b4, b1+b5, b2+b6, b3+b7
	v[4], v[5], v[6], v[7] = b0-b4, b1-b5, b2-b6, b3-b7
}

func (r *reverb) Reset() {
	dsp.Ramps(r.p[:]).Finish()
	r.tune(1)
	for _, ramps := range r.lineRamps() {
		dsp.Ramps(ramps).Finish()
	}
	r.level.Jump(r.level.Target())
	r.tap.To(float64(r.p[reverbPredelay].Target() * r.rate))
	r.tap.Jump()
	r.guard.Reset()
	r.cut = delay.OnePoleCoefficient(r.p[reverbLowcut].Target(), r.rate)
	clear(r.pre)
	clear(r.ring)
	for k := range r.diffuser {
		for i := range r.diffuser[k] {
			clear(r.diffuser[k][i].ring)
			r.diffuser[k][i].pos = 0
		}
	}
	r.lowcut, r.damper = [2]delay.OnePole{}, [reverbLines]delay.OnePole{}
	r.prePos, r.pos, r.phase = 0, 0, 0
}

func (r *reverb) lineRamps() [3][]dsp.Ramp {
	return [...][]dsp.Ramp{r.length[:], r.gain[:], r.open[:]}
}

func (r *reverb) Save(e *dsp.Encoder) {
	dsp.Ramps(r.p[:]).Save(e)
	for _, ramps := range r.lineRamps() {
		dsp.Ramps(ramps).Save(e)
	}
	r.level.Save(e)
	r.tap.Save(e)
	r.guard.Save(e)
	e.Float64(r.cut)
	for k := range r.lowcut {
		e.Float64(r.lowcut[k].State)
		for i := range r.diffuser[k] {
			e.Uint32(r.diffuser[k][i].pos)
			e.Float32s(r.diffuser[k][i].ring)
		}
	}
	for i := range r.damper {
		e.Float64(r.damper[i].State)
	}
	e.Uint32(r.prePos)
	e.Uint32(r.pos)
	e.Uint64(r.phase)
	e.Float32s(r.pre)
	e.Float32s(r.ring)
}

func (r *reverb) Restore(d *dsp.Decoder) {
	dsp.Ramps(r.p[:]).Restore(d)
	for _, ramps := range r.lineRamps() {
		dsp.Ramps(ramps).Restore(d)
	}
	r.level.Restore(d)
	r.tap.Restore(d)
	r.guard.Restore(d)
	r.cut = d.Float64()
	for k := range r.lowcut {
		r.lowcut[k].State = d.Float64()
		for i := range r.diffuser[k] {
			r.diffuser[k][i].pos = delay.RestorePos(d, len(r.diffuser[k][i].ring))
			d.Float32s(r.diffuser[k][i].ring)
		}
	}
	for i := range r.damper {
		r.damper[i].State = d.Float64()
	}
	r.prePos = delay.RestorePos(d, len(r.pre)/2)
	r.pos, r.phase = d.Uint32(), d.Uint64()
	d.Float32s(r.pre)
	d.Float32s(r.ring)
}
