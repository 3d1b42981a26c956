package module_test

import (
	"testing"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/moduletest"
)

// BenchmarkRender reports what a frame of each module costs while its parameters stand still.
func BenchmarkRender(b *testing.B) {
	const frames = 64
	for _, d := range module.All {
		b.Run(d.Type, func(b *testing.B) {
			m := moduletest.New(d, rate)
			in, out := make([][]float32, dsp.Signals(d.Inputs)), make([][]float32, dsp.Signals(d.Outputs))
			for k := range in {
				in[k] = make([]float32, frames)
				if k == 0 || k == 1 && d.Inputs[0].Stereo {
					for i := range in[k] {
						in[k][i] = tone(750)(i)
					}
				}
			}
			for k := range out {
				out[k] = make([]float32, frames)
			}
			m.Gate(true)
			for b.Loop() {
				m.Render(in, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/frames, "ns/frame")
		})
	}
}
