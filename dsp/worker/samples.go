package worker

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
)

// sampleOpener opens the samples of plans. What the plan before played as well it still has: an edit of a patch reads no file again, and takes
// no memory twice.
type sampleOpener struct {
	store samples.Store
	last  map[string]*dsp.Sample
}

// open is a plan with its samples.
func (o *sampleOpener) open(p *patch.Plan) (*patch.Plan, error) {
	now := map[string]*dsp.Sample{}
	p, err := p.WithSamples(func(sum string) (s *dsp.Sample, err error) {
		if s = o.last[sum]; s == nil {
			s, err = o.store.Open(sum)
		}
		now[sum] = s
		return s, err
	})
	if err == nil {
		o.last = now
	}
	return p, err
}
