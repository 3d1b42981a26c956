package plans

import (
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

var (
	// ErrTooMany is the refusal of a change when all texts in shared memory are still needed.
	ErrTooMany = fmt.Errorf("more than %d other patches within a second: try again", shm.Plans-2)
	// ErrReplaced is the refusal of a command that was resolved with a plan that is unknown by now.
	ErrReplaced = errors.New("another patch plays by now: send it again")
	// ErrRejected is the refusal of a patch that crashed workers.
	ErrRejected = errors.New("this very patch has ended workers: change it")
)

// Busy reports whether the engine may carry out the same request a moment later.
func Busy(err error) bool {
	for _, busy := range []error{commandlog.ErrRingsFull, commandlog.ErrLogFull, ErrReplaced, ErrTooMany} {
		if errors.Is(err, busy) {
			return true
		}
	}
	return false
}

// Version is a patch that plays, has played a moment ago, or is about to.
type Version struct {
	Number   uint64
	Name     string // for messages
	Text     []byte
	Plan     *patch.Plan // nil: the text of an engine before this one no longer compiles
	Previous uint64      // number of the plan that it followed
	Seq      uint64      // of the command that made the workers go on with it; 0: they began with it
}

// Compiler checks patches for one engine.
type Compiler struct {
	Name     string // of patches that an engine before this one left
	Geometry shm.Geometry
	Modules  []*dsp.Desc // besides those of dsp/module
}

// Compile parses and compiles the text of a patch.
func (c Compiler) Compile(name string, text []byte) (*patch.Plan, error) {
	p, err := patch.Parse(name, text)
	if err != nil {
		return nil, err
	}
	p.Modules = c.Modules
	g := c.Geometry
	return patch.Compile(p, int(g.Rate), int(g.Block), int(g.Channels))
}

// Registry is the plans of an engine.
type Registry struct {
	Compiler
	store    shm.PlanStore
	current  *Version
	versions map[uint64]*Version // by number: the current one, and those that commands or states need
	last     uint64              // the highest number given
	rejected map[uint64]bool     // patches that crashed workers, by the hash of the text
	lastGood []byte              // the patch that played long enough before the current one; nil: unknown
}

// NewRegistry returns a Registry without plans.
func NewRegistry(c Compiler, store shm.PlanStore) *Registry {
	return &Registry{Compiler: c, store: store, versions: map[uint64]*Version{}, rejected: map[uint64]bool{}}
}

// Store returns where the workers read the texts.
func (r *Registry) Store() shm.PlanStore { return r.store }

// Current returns the plan that commands are for; nil before the first SetCurrent.
func (r *Registry) Current() *Version { return r.current }

// Last returns the highest number given.
func (r *Registry) Last() uint64 { return r.last }

// Add numbers a patch and puts its text where the workers find it. Texts of needed plans, and of
// the current one, are not overwritten; other plans are forgotten. The error is ErrTooMany if there
// is no place, or that of writing shared memory.
func (r *Registry) Add(name string, text []byte, plan *patch.Plan, needed map[uint64]bool) (*Version, error) {
	if r.current != nil {
		needed[r.current.Number] = true
	}
	for n := range r.versions {
		if !needed[n] {
			delete(r.versions, n)
		}
	}
	places := map[uint64]bool{}
	for n := range needed {
		places[n%shm.Plans] = true
	}
	for number := r.last + 1; number <= r.last+shm.Plans; number++ {
		if places[number%shm.Plans] {
			continue
		}
		if err := r.store.Put(number, text); err != nil {
			return nil, err
		}
		r.last = number
		v := &Version{Number: number, Name: name, Text: text, Plan: plan}
		if r.current != nil {
			v.Previous = r.current.Number
		}
		r.versions[number] = v
		return v, nil
	}
	return nil, ErrTooMany
}

// Forget drops a plan that was refused.
func (r *Registry) Forget(number uint64) { delete(r.versions, number) }

// SetCurrent makes v the plan that commands are for from now on, and returns the one before.
func (r *Registry) SetCurrent(v *Version) (previous *Version) {
	previous, r.current = r.current, v
	r.store.SetCurrent(v.Number)
	return previous
}

// TakeOver makes the plan of a checkpoint, which an engine before this one took, the current one.
func (r *Registry) TakeOver(number uint64, text []byte) *Version {
	v := r.recompile(number, text)
	r.last = max(number, r.store.Reader().Last())
	r.current = v
	return v
}

// Known returns the plan of a number if the Registry has it, else nil.
func (r *Registry) Known(number uint64) *Version { return r.versions[number] }

// Lookup returns the plan of a number, or nil if its text is gone. The plan of an engine before
// this one is compiled again.
func (r *Registry) Lookup(number uint64) *Version {
	if v := r.versions[number]; v != nil {
		return v
	}
	text, err := r.store.Reader().Text(number)
	if err != nil {
		return nil
	}
	return r.recompile(number, text)
}

func (r *Registry) recompile(number uint64, text []byte) *Version {
	v := &Version{Number: number, Name: r.Name, Text: text}
	v.Plan, _ = r.Compile(v.Name, text)
	r.versions[number] = v
	return v
}

// Text returns the text of a plan.
func (r *Registry) Text(number uint64) ([]byte, error) {
	if v := r.versions[number]; v != nil {
		return v.Text, nil
	}
	return r.store.Reader().Text(number)
}

// NodeName returns the id of a node by its index in a plan, "?" if it is unknown.
func (r *Registry) NodeName(i int, number uint64) string {
	if v := r.versions[number]; v != nil && v.Plan != nil && i >= 0 && i < len(v.Plan.Nodes()) {
		return v.Plan.Nodes()[i].ID
	}
	return "?"
}

// Translate gives a command that was resolved with the plan of a number the node index of the
// current plan. A client knows nodes by their ids.
func (r *Registry) Translate(c shm.Command, number uint64) (shm.Command, error) {
	if number == r.current.Number || c.Op == shm.OpPlan {
		return c, nil
	}
	was := r.versions[number]
	if was == nil || was.Plan == nil || r.current.Plan == nil || int(c.Node) >= len(was.Plan.Nodes()) {
		return c, ErrReplaced
	}
	n := &was.Plan.Nodes()[c.Node]
	for i, now := range r.current.Plan.Nodes() {
		if now.ID == n.ID && now.Desc == n.Desc {
			c.Node = uint16(i)
			return c, nil
		}
	}
	return c, fmt.Errorf("node %q is gone: the patch has been changed", n.ID)
}

// TranslateBatch gives all commands of a batch the node indexes of the current plan, and its
// number. A request whose node is missing is marked as refused, and loses its commands.
func (r *Registry) TranslateBatch(b commandlog.Batch) {
	for i := range b.Requests {
		q := &b.Requests[i]
		for k := range q.Commands {
			if q.Commands[k], q.Refused = r.Translate(q.Commands[k], b.Plan); q.Refused != nil {
				q.Commands = nil
				break
			}
			q.Commands[k].Plan = r.current.Number
		}
	}
}

// Reject records that a patch crashed workers: it is never loaded again.
func (r *Registry) Reject(text []byte) { r.rejected[xxhash.Sum64(text)] = true }

// Rejected reports whether a patch crashed workers.
func (r *Registry) Rejected(text []byte) bool { return r.rejected[xxhash.Sum64(text)] }

// LastGood returns the patch that played long enough to fall back to; nil: unknown.
func (r *Registry) LastGood() []byte { return r.lastGood }

// SetLastGood records a patch that played long enough.
func (r *Registry) SetLastGood(text []byte) { r.lastGood = text }

// Fallback returns the best patch to play instead of the current one: the one before it, the last
// good one, or the default patch. Rejected ones are left out. ok is false if there is none.
func (r *Registry) Fallback() (name string, text []byte, ok bool) {
	var before []byte // only of a patch that was changed while it played
	if v := r.versions[r.current.Previous]; v != nil && r.current.Seq > 0 {
		before = v.Text
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{"the patch before", before}, {"the last good patch", r.lastGood}, {"the default patch", patch.Default()}} {
		if f.text != nil && !r.Rejected(f.text) {
			return f.name, f.text, true
		}
	}
	return "", nil, false
}
