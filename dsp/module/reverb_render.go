package module

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// reverbChunk is how many frames go through a line at once. It is shorter than every line, so that a line does not hear in a chunk what
// it is told in it, and the sound does not depend on the cuts.
const reverbChunk = 32

func (r *reverb) Render(in, outs [][]float32) {
	for at := 0; at < len(outs[0]); at += reverbChunk {
		end := min(at+reverbChunk, len(outs[0]))
		r.chunk(in[0][at:end], in[1][at:end], outs[0][at:end], outs[1][at:end])
	}
}

func (r *reverb) chunk(inLeft, inRight, outLeft, outRight []float32) {
	var xl, xr, guard [reverbChunk]float64
	var sway [4][reverbChunk]float64
	var v [reverbLines][reverbChunk]float64
	n := len(inLeft)
	width, step := float64(reverbSway*r.rate), fxStep(reverbSwayRate, r.rate)
	for k := range n {
		guard[k] = r.guard.next(float64(inLeft[k]), float64(inRight[k]))
		xl[k], xr[k] = r.enter(inLeft[k], inRight[k])
		s := float64(width * approx.SinPhase(uint32(r.phase>>32)))
		q := float64(width * approx.SinPhase(uint32(r.phase>>32)+1<<30))
		sway[0][k], sway[1][k], sway[2][k], sway[3][k] = s, q, -s, -q
		r.phase += step
	}
	for i := range v {
		if i < len(sway) {
			r.line(i, v[i][:n], sway[i][:n])
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
		outLeft[k], outRight[k] = fxBlend(inLeft[k], yl+side, mix), fxBlend(inRight[k], yr-side, mix)
	}
}

// enter is the way into the room: predelay, lowcut, diffusion.
func (r *reverb) enter(left, right float32) (float64, float64) {
	n := len(r.pre) / 2
	pl, pr := r.pre[:n], r.pre[n:]
	pl[r.prePos], pr[r.prePos] = left, right
	part := r.tap.part()
	xl, xr := r.tap.read(pl, r.prePos, part), r.tap.read(pr, r.prePos, part)
	if r.prePos++; r.prePos == uint32(n) {
		r.prePos = 0
	}
	if r.p[reverbLowcut].Moving() {
		r.cut = fxOpen(r.p[reverbLowcut].Next(), r.rate)
	}
	xl -= r.lowcut[0].low(xl, r.cut)
	xr -= r.lowcut[1].low(xr, r.cut)
	xl = r.diffuser[0][1].frame(r.diffuser[0][0].frame(xl))
	xr = r.diffuser[1][1].frame(r.diffuser[1][0].frame(xr))
	level := r.level.Next()
	return float64(level * xl), float64(level * xr)
}

// line gives what comes out of line i, lost what it loses there. sway: frames added to its length; nil if it stands still.
func (r *reverb) line(i int, y, sway []float64) {
	ring := r.ring[i*r.room : (i+1)*r.room]
	mask := uint32(len(ring) - 1)
	most := float64(r.room - 3)
	moving := r.length[i].Moving() || r.gain[i].Moving() || r.open[i].Moving()
	length, gain, open := r.length[i].Next(), r.gain[i].Next(), r.open[i].Next()
	s := r.damper[i].s
	whole := uint32(fxClamp(length, reverbChunk+2, most))
	for k := range y {
		if moving && k > 0 {
			length, gain, open = r.length[i].Next(), r.gain[i].Next(), r.open[i].Next()
		}
		var x float64
		switch pos := r.pos + uint32(k); {
		case sway != nil:
			x = fxHermite(ring, pos, fxClamp(length+sway[k], reverbChunk+2, most))
		case moving:
			x = fxHermite(ring, pos, fxClamp(length, reverbChunk+2, most))
		default:
			x = float64(ring[(pos-whole)&mask])
		}
		low := s + float64(open*(x-s))
		s = float64((1-2*open)*s) + float64(2*open*x) // as fxPole, but with a shorter way from frame to frame
		if silent(s) {
			s = 0
		}
		y[k] = float64(gain * low)
	}
	r.damper[i].s = s
}

// feed puts a frame into the lines: what came out of them, mixed, and what enters, left at the even lines and right at the odd ones.
func (r *reverb) feed(v *[reverbLines]float64, xl, xr, guard float64) {
	reverbHadamard(v)
	back := float64(guard * 0.35355339059327373) // 1/sqrt(8)
	at := int(r.pos & uint32(r.room-1))
	for i := 0; i < reverbLines; i += 2 {
		r.ring[at] = fxFlush(float64(back*v[i]) + xl)
		r.ring[at+r.room] = fxFlush(float64(back*v[i+1]) + xr)
		at += 2 * r.room
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
	fxSettle(r.p[:])
	r.tune(1)
	for _, ramps := range r.lineRamps() {
		fxSettle(ramps)
	}
	r.level.Jump(r.level.Target())
	r.tap.to(float64(r.p[reverbPredelay].Target() * r.rate))
	r.tap.jump()
	r.guard.reset()
	r.cut = fxOpen(r.p[reverbLowcut].Target(), r.rate)
	clear(r.pre)
	clear(r.ring)
	for k := range r.diffuser {
		for i := range r.diffuser[k] {
			clear(r.diffuser[k][i].ring)
			r.diffuser[k][i].pos = 0
		}
	}
	r.lowcut, r.damper = [2]fxPole{}, [reverbLines]fxPole{}
	r.prePos, r.pos, r.phase = 0, 0, 0
}

func (r *reverb) lineRamps() [3][]dsp.Ramp {
	return [...][]dsp.Ramp{r.length[:], r.gain[:], r.open[:]}
}

func (r *reverb) Save(e *dsp.Encoder) {
	fxSaveRamps(e, r.p[:])
	for _, ramps := range r.lineRamps() {
		fxSaveRamps(e, ramps)
	}
	r.level.Save(e)
	r.tap.save(e)
	r.guard.save(e)
	e.Float64(r.cut)
	for k := range r.lowcut {
		e.Float64(r.lowcut[k].s)
		for i := range r.diffuser[k] {
			e.Uint32(r.diffuser[k][i].pos)
			e.Float32s(r.diffuser[k][i].ring)
		}
	}
	for i := range r.damper {
		e.Float64(r.damper[i].s)
	}
	e.Uint32(r.prePos)
	e.Uint32(r.pos)
	e.Uint64(r.phase)
	e.Float32s(r.pre)
	e.Float32s(r.ring)
}

func (r *reverb) Restore(d *dsp.Decoder) {
	fxRestoreRamps(d, r.p[:])
	for _, ramps := range r.lineRamps() {
		fxRestoreRamps(d, ramps)
	}
	r.level.Restore(d)
	r.tap.restore(d)
	r.guard.restore(d)
	r.cut = d.Float64()
	for k := range r.lowcut {
		r.lowcut[k].s = d.Float64()
		for i := range r.diffuser[k] {
			r.diffuser[k][i].pos = fxRestorePos(d, len(r.diffuser[k][i].ring))
			d.Float32s(r.diffuser[k][i].ring)
		}
	}
	for i := range r.damper {
		r.damper[i].s = d.Float64()
	}
	r.prePos = fxRestorePos(d, len(r.pre)/2)
	r.pos, r.phase = d.Uint32(), d.Uint64()
	d.Float32s(r.pre)
	d.Float32s(r.ring)
}
