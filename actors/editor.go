package actors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
)

// editor changes the patch for who asks by OSC. Each client has a draft: what it asks for is checked against the patch as it will then be, and enters
// with /patch/commit, all at once, in one block of every worker. Waiting for the workers keeps nobody else waiting.
type editor struct {
	rig    *rig
	drafts *drafts
}

// request is a verb that a peer asks for.
type request struct {
	verb *verb
	args []any // string or float64
	from server.Peer
}

// verb is an address that changes patches, or tells of them.
type verb struct {
	address, usage, doc string
	least, most         int
	// run does it. What it returns is sent back as <address>.reply, or if it is nil as /done.
	run func(e *editor, r request) (reply []any, err error)
}

// entry is the verb in the space of addresses.
func (v *verb) entry() osc.Entry {
	return osc.Entry{Address: v.address, Kind: osc.Words, Least: v.least, Most: v.most, Usage: v.usage, Doc: v.doc, RequiresToken: true}
}

// The most drafts there are, how long one is kept that nobody adds to, and how many edits it has.
const (
	draftsMost = 32
	draftKept  = 10 * time.Minute
	editsMost  = 2048
	asksMost   = 256 // requests on their way
)

var (
	errNoDraft = errors.New("nothing has been changed: /patch/create, /patch/connect and the like come first")
	errDrafts  = fmt.Errorf("%d others are changing the patch: try again later", draftsMost)
	errEdits   = fmt.Errorf("more than %d changes in one commit", editsMost)
)

// drafts are the changes that have not been committed. They outlive the actor.
type drafts struct {
	mu    sync.Mutex
	list  map[client]*draft
	onWay atomic.Int64
}

// edit is one change of a patch.
type edit func(p *patch.Patch) error

// client is whose a draft is: a connection, or, of what comes by UDP, a machine, since from one port comes often but one message.
type client string

func clientOf(p server.Peer) client {
	if p.Stream() {
		return client(p.String())
	}
	return client(p.Addr().Addr().String())
}

// draft is one client's.
type draft struct {
	base  uint64 // the plan that it was made from
	patch *patch.Patch
	edits []edit
	at    time.Time
	gone  <-chan struct{} // closed with the connection
}

// ask sends a request on its way, if there are not too many.
func (d *drafts) ask(root *actor.RootContext, to *actor.PID, r request) error {
	if d.onWay.Add(1) > asksMost {
		d.onWay.Add(-1)
		return errBusy
	}
	root.Send(to, r)
	return nil
}

// synced: what was asked before is done. To the editor, from the conductor.
type synced struct{ answer func() }

// sync has answer called once all requests that are on their way now are done.
func (d *drafts) sync(root *actor.RootContext, to *actor.PID, s synced) error {
	if d.onWay.Add(1) > asksMost {
		d.onWay.Add(-1)
		return errBusy
	}
	root.Send(to, s)
	return nil
}

// Receive implements actor.Actor.
func (e *editor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case request:
		e.serve(m)
	case synced:
		e.drafts.onWay.Add(-1)
		m.answer()
	case fail:
		panic(m.reason)
	}
}

func (e *editor) serve(r request) {
	defer e.drafts.onWay.Add(-1)
	reply, err := r.verb.run(e, r)
	switch {
	case err != nil:
		_ = r.from.Fail(r.verb.address, err.Error())
	case reply != nil:
		_ = r.from.Reply(r.verb.address+".reply", reply...)
	default:
		_ = r.from.Reply("/done", r.verb.address)
	}
}

// open is a client's draft, begun from what plays if it has none.
func (e *editor) open(peer server.Peer) (*draft, error) {
	from := clientOf(peer)
	now := time.Now()
	e.drafts.mu.Lock()
	defer e.drafts.mu.Unlock()
	for p, d := range e.drafts.list {
		select {
		case <-d.gone:
			delete(e.drafts.list, p)
		default:
			if p != from && now.Sub(d.at) > draftKept {
				delete(e.drafts.list, p)
			}
		}
	}
	if d := e.drafts.list[from]; d != nil {
		d.at = now
		return d, nil
	}
	if len(e.drafts.list) >= draftsMost {
		return nil, errDrafts
	}
	base, p, err := e.rig.presentPatch()
	if err != nil {
		return nil, err
	}
	if e.drafts.list == nil {
		e.drafts.list = map[client]*draft{}
	}
	d := &draft{base: base, patch: p, at: now, gone: peer.Closed()}
	e.drafts.list[from] = d
	return d, nil
}

// close forgets a client's draft, and returns it.
func (e *editor) close(from client) *draft {
	e.drafts.mu.Lock()
	defer e.drafts.mu.Unlock()
	d := e.drafts.list[from]
	delete(e.drafts.list, from)
	return d
}

// presentPatch is what plays, to be edited.
func (r *rig) presentPatch() (number uint64, p *patch.Patch, err error) {
	r.mu.Lock()
	now := r.present
	r.mu.Unlock()
	if p, err = patch.Parse(now.name, now.text); err == nil {
		p.Modules = r.cfg.Modules
	}
	return now.number, p, err
}

// add adds a change to a client's draft.
func (e *editor) add(r request, change edit) ([]any, error) {
	d, err := e.open(r.from)
	if err != nil {
		return nil, err
	}
	if len(d.edits) >= editsMost {
		return nil, errEdits
	}
	if err := change(d.patch); err != nil {
		if len(d.edits) == 0 {
			e.close(clientOf(r.from))
		}
		return nil, err
	}
	d.edits = append(d.edits, change)
	return nil, nil
}

// commit has a client's draft played. If what plays has become another patch meanwhile, the changes are made to that one. With an error the draft
// stays, to be mended.
func (e *editor) commit(r request) ([]any, error) {
	e.drafts.mu.Lock()
	d := e.drafts.list[clientOf(r.from)]
	e.drafts.mu.Unlock()
	if d == nil {
		return nil, errNoDraft
	}
	base, p, err := e.rig.presentPatch()
	if err != nil {
		return nil, err
	}
	if base != d.base {
		for i, change := range d.edits {
			if err := change(p); err != nil {
				return nil, fmt.Errorf("change %d of %d: the patch has become another: %w", i+1, len(d.edits), err)
			}
		}
		d.base, d.patch = base, p
	}
	c, err := e.change(r, d.patch.File, d.patch.Format())
	if err == nil {
		e.close(clientOf(r.from))
	}
	return c, err
}

// changeLimit bounds a change of the patch.
const changeLimit = 30 * time.Second

func (e *editor) change(r request, name string, text []byte) ([]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), changeLimit)
	defer cancel()
	c, err := e.rig.change(ctx, name, text, false, func(err error) { _ = r.from.Fail(r.verb.address, err.Error()) })
	if err != nil {
		return nil, err
	}
	return []any{int64(c.Number), int64(c.Frame)}, nil
}

// wordMost bounds an argument in bytes: drafts keep them.
const wordMost = 256

// word is an argument that must be a string.
func (r request) word(i int) (string, error) {
	if i >= len(r.args) {
		return "", nil
	}
	s, ok := r.args[i].(string)
	if !ok {
		return "", fmt.Errorf("argument %d is a number, %v: it takes %s", i+1, r.args[i], r.verb.usage)
	}
	if len(s) > wordMost {
		return "", fmt.Errorf("argument %d has %d bytes; the most are %d", i+1, len(s), wordMost)
	}
	return s, nil
}

// words are all arguments as strings.
func (r request) words() (list []string, err error) {
	for i := range r.args {
		s, err := r.word(i)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return append(list, slices.Repeat([]string{""}, max(0, r.verb.most-len(list)))...), nil
}

// whole is an argument that must be a whole number, 0 if it is not there.
func (r request) whole(i int) (int, error) {
	if i >= len(r.args) {
		return 0, nil
	}
	x, ok := r.args[i].(float64)
	if !ok || x != math.Trunc(x) || math.Abs(x) > 1e6 {
		return 0, fmt.Errorf("argument %d must be a whole number: it takes %s", i+1, r.verb.usage)
	}
	return int(x), nil
}
