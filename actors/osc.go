package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// NewSpace returns the addresses that an engine has while a plan plays: those of space.New, patch
// commands and queries. Only the plan's own resolve into commands.
func NewSpace(plan *patch.Plan) (*space.Space, error) { return space.New(plan, frontend.Routes()...) }

// Addresses lists the OSC addresses of the patch that plays. The slice is for reading only.
func (e *Engine) Addresses() []osc.Entry { return e.resources.Frontend.View().Space().Entries() }

// Values returns what each address that has a value was last set to: a number, or a choice's name.
func (e *Engine) Values() map[string]any { return e.resources.Frontend.View().All() }

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
