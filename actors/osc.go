package actors

import (
	"context"
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/assemble"
	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
)

// newFrontend opens the OSC server with the addresses of the first plan. The engine may not have
// its workers yet: the frontend uses them once it discovers or serves.
func (e *Engine) newFrontend(plan *patch.Plan) (*frontend.Frontend, error) {
	store := drafts.NewStore(drafts.Config{
		Rate: e.cfg.Rate, Patches: e.cfg.Patches, Samples: e.cfg.Samples,
	}, patchEditing{e})
	return frontend.New(frontend.Config{
		OSC: e.cfg.OSC, Access: server.Access{Allow: e.cfg.OSCAllow, Token: e.cfg.OSCToken},
		OSCQuery: e.cfg.OSCQuery, NoMDNS: e.cfg.NoMDNS, Logger: e.cfg.Logger,
		Drafts: store, Load: e.load.Sample, Refusal: asRefusal,
		Frame: func() uint64 { return e.set.Clock() * uint64(e.cfg.Block) },
	}, plan)
}

// NewSpace returns the addresses that an engine has while a plan plays: those of space.New, patch
// commands and queries. Only the plan's own resolve into commands.
func NewSpace(plan *patch.Plan) (*space.Space, error) { return space.New(plan, frontend.Routes()...) }

// Addresses lists the OSC addresses of the patch that plays. The slice is for reading only.
func (e *Engine) Addresses() []osc.Entry { return e.frontend.View().Space().Entries() }

// Values returns what each address that has a value was last set to: a number, or a choice's name.
func (e *Engine) Values() map[string]any { return e.frontend.View().All() }

// restoreValues fills the values of a sound that an earlier engine has begun: from its saved
// state, and from the commands since the checkpoint. Values of its last second may be missing,
// though they are heard.
func (e *Engine) restoreValues() {
	view := e.frontend.View()
	_, _, text := e.set.Current()
	continues := e.saved != nil && e.saved.Patch == string(text) &&
		(e.cfg.Resume || e.set.TookOver() && e.saved.N <= e.set.Clock()+uint64(e.set.Memory().Geometry.Ring))
	if continues {
		view.Restore(e.saved.Values)
	}
	for _, c := range e.set.Commands() {
		e.frontend.Record(c)
	}
	sound := assemble.Sound{
		Meter: e.meter, Values: view.Values(), Dir: e.dir, TookOver: e.set.TookOver(), Logger: e.cfg.Logger,
		Failed: func(err error) { e.emit(report.SaveFailed{What: "that it is muted", Err: err}) },
	}
	if continues && e.cfg.Resume {
		sound.Muted = e.saved.Muted
	}
	sound.Restore()
}

// patchEditing implements drafts.Engine.
type patchEditing struct{ e *Engine }

// Current implements drafts.Engine.
func (p patchEditing) Current() (number uint64, current *patch.Patch, err error) {
	number, name, text := p.e.set.Current()
	if current, err = patch.Parse(name, text); err == nil {
		current.Modules = p.e.cfg.Modules
	}
	return number, current, err
}

// Text implements drafts.Engine.
func (p patchEditing) Text() []byte {
	_, _, text := p.e.set.Current()
	return text
}

// Values implements drafts.Engine.
func (p patchEditing) Values() map[string]float64 { return p.e.frontend.View().Changed() }

// Change implements drafts.Engine.
func (p patchEditing) Change(
	ctx context.Context, name string, text []byte, rejected func(error),
) (number, frame uint64, err error) {
	c, err := p.e.patcher.Change(ctx, name, text, false, rejected)
	if err != nil {
		return 0, 0, asRefusal(err)
	}
	return c.Number, c.Frame, nil
}

// asRefusal gives an error the code that its /fail is counted by, unless that is CodeRejected.
func asRefusal(err error) error {
	code := osc.CodeRejected
	switch {
	case errors.Is(err, replica.ErrStopped):
		code = osc.CodeUnavailable
	case errors.Is(err, commandlog.ErrBatchSize):
		code = osc.CodeTooLarge
	case isBusy(err), errors.Is(err, commandlog.ErrTimed):
		code = osc.CodeBusy
	default:
		return err
	}
	return osc.Refuse(code, "%v", err)
}

// mailboxes implements frontend.Engine: it sends to the actors.
type mailboxes struct {
	root                       *actor.RootContext
	conductor, monitor, editor *actor.PID
}

func (m mailboxes) Enter(b frontend.Batches) { m.root.Send(m.conductor, b) }
func (m mailboxes) Later(do func())          { m.root.Send(m.monitor, later{do}) }
func (m mailboxes) Edit(r drafts.Request)    { m.root.Send(m.editor, r) }
func (m mailboxes) AfterEdits(do func())     { m.root.Send(m.editor, later{do}) }

func (m mailboxes) Status(answer func(report.Status), done func()) {
	m.root.Send(m.monitor, statusRequest{answer, done})
}
