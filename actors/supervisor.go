package actors

import (
	"log/slog"
	"strconv"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/supervise"
)

// tree has the values that the supervisor and its children need. It outlives each of them.
type tree struct {
	set      *replica.Set
	output   *output.Process
	emit     func(Event)
	logger   *slog.Logger
	root     *actor.RootContext
	frontend *frontend.Frontend
	refused  func(error) // the first audio process cannot play
	up       chan struct{}
	once     sync.Once         // closes up, once all children are there
	pending  supervise.Pending // requests to the children
}

// The names of the actors. The slot follows workerName.
const (
	rootName      = "chronus" // of the engine's own actor
	treeName      = "tree"    // of the supervisor under it
	conductorName = "conductor"
	ingressName   = "ingress"
	audioName     = "audio"
	monitorName   = "monitor"
	editorName    = "editor"
	workerName    = "worker-"
)

// supervisor starts the other actors, and restarts each child alone. If the supervisor itself
// fails, the engine's actor restarts it. It then starts new children, which find their processes
// running.
type supervisor struct {
	tree    *tree
	leaving bool // the children end because the supervisor does
}

// Receive implements actor.Actor.
func (s *supervisor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.start(ctx)
	case *actor.Stopping, *actor.Restarting:
		s.leaving = true
		s.tree.pending.Pause()
	case *actor.Terminated:
		if name, ours := supervise.ChildName(ctx.Self(), m.Who); ours && !s.leaving {
			s.child(ctx, name) // the strategy never stops a child
		}
	case fail:
		panic(m.reason)
	}
}

// start spawns the children, each before those that send to it.
func (s *supervisor) start(ctx actor.Context) {
	s.tree.frontend.Reset()
	s.tree.pending.Fail(false, errLost)
	s.child(ctx, monitorName)
	s.child(ctx, conductorName)
	s.child(ctx, editorName)
	s.child(ctx, audioName)
	for i := range s.tree.set.Slots() {
		s.child(ctx, workerName+strconv.Itoa(i))
	}
	s.child(ctx, ingressName)
	s.tree.pending.Resume()
	s.tree.once.Do(func() { close(s.tree.up) })
}

// child spawns the child of the given name.
func (s *supervisor) child(ctx actor.Context, name string) {
	props := actor.PropsFromProducer(s.producer(ctx.Self(), name))
	if _, err := ctx.SpawnNamed(props, name); err != nil {
		panic("spawn " + name + ": " + err.Error())
	}
}

// producer makes the child's actor, now and at each restart.
func (s *supervisor) producer(self *actor.PID, name string) actor.Producer {
	t := s.tree
	switch name {
	case monitorName:
		return func() actor.Actor { return &monitor{tree: t} }
	case conductorName:
		return func() actor.Actor { return &conductor{t.set} }
	case editorName:
		return func() actor.Actor { return &editor{t.frontend.Drafts()} }
	case audioName:
		return func() actor.Actor {
			return &audioProxy{output: t.output, emit: t.emit, refused: t.refused, Retries: supervise.NewRetries()}
		}
	case ingressName:
		child := func(name string) *actor.PID { return supervise.ChildPID(self, name) }
		engine := mailboxes{t.root, child(conductorName), child(monitorName), child(editorName)}
		return func() actor.Actor { return &ingress{frontend: t.frontend, engine: engine} }
	}
	slot, err := strconv.Atoi(name[len(workerName):])
	if err != nil {
		panic("no child is called " + name)
	}
	return func() actor.Actor {
		return &workerProxy{set: t.set, emit: t.emit, slot: slot, Retries: supervise.NewRetries()}
	}
}
