package resources

import (
	"context"
	"errors"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/internal/plans"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// newFrontend opens the OSC server with the addresses of the first plan. The Set may not exist yet:
// the Frontend uses it once it discovers or serves.
func (r *Resources) newFrontend(plan *patch.Plan) (*frontend.Frontend, error) {
	cfg := r.cfg.Frontend
	cfg.Logger = r.cfg.Logger
	cfg.Drafts = drafts.NewStore(drafts.Config{
		Rate: r.cfg.Rate, Patches: r.cfg.Patches, Samples: r.cfg.Samples,
	}, patchEditing{r})
	cfg.Load, cfg.Refusal = r.load.Sample, refusal
	cfg.Frame = func() uint64 { return r.Set.Clock() * uint64(r.cfg.Block) }
	return frontend.New(cfg, plan)
}

// patchEditing implements drafts.Engine.
type patchEditing struct{ r *Resources }

// Current implements drafts.Engine.
func (p patchEditing) Current() (number uint64, current *patch.Patch, err error) {
	number, name, text := p.r.Set.Current()
	if current, err = patch.Parse(name, text); err == nil {
		current.Modules = p.r.cfg.Modules
	}
	return number, current, err
}

// Text implements drafts.Engine.
func (p patchEditing) Text() []byte {
	_, _, text := p.r.Set.Current()
	return text
}

// Values implements drafts.Engine.
func (p patchEditing) Values() map[string]float64 { return p.r.Frontend.View().Changed() }

// Change implements drafts.Engine.
func (p patchEditing) Change(
	ctx context.Context, name string, text []byte, rejected func(error),
) (number, frame uint64, err error) {
	c, err := p.r.Patcher.Change(ctx, name, text, false, rejected)
	if err != nil {
		return 0, 0, refusal(err)
	}
	return c.Number, c.Frame, nil
}

// refusal gives an error the code that its /fail is counted by, unless that is CodeRejected.
func refusal(err error) error {
	code := osc.CodeRejected
	switch {
	case errors.Is(err, replica.ErrStopped):
		code = osc.CodeUnavailable
	case errors.Is(err, commandlog.ErrBatchSize):
		code = osc.CodeTooLarge
	case plans.Busy(err), errors.Is(err, commandlog.ErrTimed):
		code = osc.CodeBusy
	default:
		return err
	}
	return osc.Refuse(code, "%v", err)
}
