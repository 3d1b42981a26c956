package core

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
func (c *Core) newFrontend(plan *patch.Plan) (*frontend.Frontend, error) {
	cfg := c.cfg.Frontend
	cfg.Logger = c.cfg.Logger
	cfg.Drafts = drafts.NewStore(drafts.Config{
		Rate: c.cfg.Rate, Patches: c.cfg.Patches, Samples: c.cfg.Samples,
	}, patchEditing{c})
	cfg.Load, cfg.Refusal = c.load.Sample, refusal
	cfg.Frame = func() uint64 { return c.Set.Clock() * uint64(c.cfg.Block) }
	return frontend.New(cfg, plan)
}

// patchEditing implements drafts.Engine.
type patchEditing struct{ c *Core }

// Current implements drafts.Engine.
func (p patchEditing) Current() (number uint64, current *patch.Patch, err error) {
	number, name, text := p.c.Set.Current()
	if current, err = patch.Parse(name, text); err == nil {
		current.Modules = p.c.cfg.Modules
	}
	return number, current, err
}

// Text implements drafts.Engine.
func (p patchEditing) Text() []byte {
	_, _, text := p.c.Set.Current()
	return text
}

// Values implements drafts.Engine.
func (p patchEditing) Values() map[string]float64 { return p.c.Frontend.View().Changed() }

// Change implements drafts.Engine.
func (p patchEditing) Change(
	ctx context.Context, name string, text []byte, rejected func(error),
) (number, frame uint64, err error) {
	c, err := p.c.Patcher.Change(ctx, name, text, false, rejected)
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
