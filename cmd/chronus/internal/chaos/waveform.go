package chaos

// waveform is the outline of a sound of any length in bounded memory: the lowest and the highest
// sample of each span of blocks. The span doubles whenever there are too many.
type waveform struct {
	bins []bin
	span int64 // blocks of a bin
	last int64 // the block after the last one
}

type bin struct{ lo, hi float32 }

const maxBins = 1 << 13

// add records block n, which is not less than any before. Blocks below 0 are left out.
func (w *waveform) add(n int64, samples []float32) {
	if n < 0 {
		return
	}
	w.span = max(1, w.span)
	for n/w.span >= maxBins {
		for i := range w.bins {
			if i%2 == 0 {
				w.bins[i/2] = w.bins[i]
			} else {
				w.bins[i/2].join(w.bins[i])
			}
		}
		w.bins = w.bins[:(len(w.bins)+1)/2]
		w.span *= 2
	}
	for int64(len(w.bins)) <= n/w.span {
		w.bins = append(w.bins, bin{})
	}
	var b bin
	for _, x := range samples {
		b.lo, b.hi = min(b.lo, x), max(b.hi, x)
	}
	w.bins[n/w.span].join(b)
	w.last = max(w.last, n+1)
}

func (b *bin) join(o bin) { b.lo, b.hi = min(b.lo, o.lo), max(b.hi, o.hi) }

// end is the block after the last one.
func (w *waveform) end() int64 { return w.last }
