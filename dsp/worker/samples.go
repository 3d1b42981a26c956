package worker

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
)

// sampleOpener opens the samples of plans. It keeps those of the last plan, so an edit of a patch
// neither reads files again nor uses memory twice.
type sampleOpener struct {
	store samples.Store
	last  map[string]*dsp.Sample
}

// open returns the plan with its samples.
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
