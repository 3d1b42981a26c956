// Package drafts carries out the OSC addresses that change the patch. Each client edits a draft of
// the patch that plays. An edit is checked against the draft at once; /patch/commit plays all of
// them together, from one block on in every worker.
package drafts

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// The limits of drafts.
const (
	MaxInFlight = 256              // requests that wait for their turn
	maxDrafts   = 32               // clients that edit at a time
	maxEdits    = 2048             // edits of one draft
	maxIdle     = 10 * time.Minute // after its last edit another client's edit deletes a draft
	ChangeLimit = 30 * time.Second // how long a change of the patch may take
)

// The refusals of patch commands.
var (
	errBusy   = osc.Refuse(osc.CodeBusy, "server busy: %d requests are waiting; try again", MaxInFlight)
	errNone   = osc.Refuse(osc.CodeRejected, "no draft: send an edit first, like /patch/create or /patch/connect")
	errDrafts = osc.Refuse(osc.CodeBusy, "too many drafts: %d other clients edit the patch; try again later", maxDrafts)
	errEdits  = osc.Refuse(osc.CodeTooLarge, "too many edits: a draft holds %d; send /patch/commit", maxEdits)
	errOpen   = osc.Refuse(osc.CodeRejected, "edits are not committed: send /patch/commit or /patch/abort first")
)

// Engine is what patch commands need of the engine. Any goroutine may call it.
type Engine interface {
	// Current returns the number of the plan that plays, and its patch, for the caller to edit.
	Current() (number uint64, p *patch.Patch, err error)
	// Text returns the text of the patch that plays.
	Text() []byte
	// Values returns what addresses were set to, where the patch that plays says otherwise.
	Values() map[string]float64
	// Change plays another patch, and returns the number of the new plan and its first frame.
	// Should the change crash a worker later, rejected is called with the reason.
	Change(ctx context.Context, name string, text []byte, rejected func(error)) (number, frame uint64, err error)
}

// Peer is a client that sends patch commands.
type Peer interface {
	// Stream tells whether the client has a connection of its own.
	Stream() bool
	// Addr returns the address that it sends from.
	Addr() netip.AddrPort
	// String names the client by its transport and address.
	String() string
	// Closed is closed when nothing can be sent to it any more.
	Closed() <-chan struct{}
	// Reply sends it one message.
	Reply(address string, args ...any) error
	// Fail tells it why a message was refused.
	Fail(address string, err error) error
}

// Config says what the engine that has the drafts was started with.
type Config struct {
	Rate    int    // Hz
	Patches string // the directory for patches; "": none
	Samples string // the folder of the samples that patches name
}

// Store holds the drafts. Any number of goroutines may use it.
type Store struct {
	cfg      Config
	engine   Engine
	inFlight atomic.Int64

	mu   sync.Mutex // guards list, and of each draft the time
	list map[client]*draft
}

// NewStore returns a Store without drafts.
func NewStore(cfg Config, engine Engine) *Store {
	return &Store{cfg: cfg, engine: engine, list: map[client]*draft{}}
}

// edit is one change of a patch.
type edit func(p *patch.Patch) error

// client names whose a draft is: a connection, or a machine that sends by UDP, since many programs
// send each message from another port.
type client string

func clientOf(p Peer) client {
	if p.Stream() {
		return client(p.String())
	}
	return client(p.Addr().Addr().String())
}

// draft is one client's. Only the goroutine that serves requests uses patch, base and edits.
type draft struct {
	base   uint64 // the plan that it was made from
	patch  *patch.Patch
	edits  []edit
	at     time.Time
	closed <-chan struct{} // with the client's connection
}

// Admit makes room for one more request on its way to Serve or Release. It returns an error if
// there is no room.
func (s *Store) Admit() error {
	if s.inFlight.Add(1) > MaxInFlight {
		s.inFlight.Add(-1)
		return errBusy
	}
	return nil
}

// Release frees the room of one request.
func (s *Store) Release() { s.inFlight.Add(-1) }

// Reset frees the room of all requests: whatever was on its way is lost.
func (s *Store) Reset() { s.inFlight.Store(0) }

// InFlight returns how many requests are on their way.
func (s *Store) InFlight() int { return int(s.inFlight.Load()) }

// Serve carries out a request that Admit has let in, and answers it. Waiting for the workers is
// part of it.
func (s *Store) Serve(r Request) {
	defer s.Release()
	reply, err := r.Command.run(s, r)
	switch {
	case err != nil:
		_ = r.From.Fail(r.Command.address, err)
	case reply != nil:
		_ = r.From.Reply(r.Command.address+".reply", reply...)
	default:
		_ = r.From.Reply("/done", r.Command.address)
	}
}

// open returns a client's draft, or a new one of what plays.
func (s *Store) open(peer Peer) (*draft, error) {
	from, now := clientOf(peer), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, d := range s.list {
		select {
		case <-d.closed:
			delete(s.list, c)
		default:
			if c != from && now.Sub(d.at) > maxIdle {
				delete(s.list, c)
			}
		}
	}
	if d := s.list[from]; d != nil {
		d.at = now
		return d, nil
	}
	if len(s.list) >= maxDrafts {
		return nil, errDrafts
	}
	base, p, err := s.engine.Current()
	if err != nil {
		return nil, err
	}
	d := &draft{base: base, patch: p, at: now, closed: peer.Closed()}
	s.list[from] = d
	return d, nil
}

// get returns a client's draft; nil if it has none.
func (s *Store) get(from client) *draft {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list[from]
}

// remove deletes a client's draft, and returns it.
func (s *Store) remove(from client) *draft {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.list[from]
	delete(s.list, from)
	return d
}

// add makes an edit in a client's draft.
func (s *Store) add(r Request, change edit) ([]any, error) {
	d, err := s.open(r.From)
	if err != nil {
		return nil, err
	}
	if len(d.edits) >= maxEdits {
		return nil, errEdits
	}
	if err := change(d.patch); err != nil {
		if len(d.edits) == 0 {
			s.remove(clientOf(r.From))
		}
		return nil, err
	}
	d.edits = append(d.edits, change)
	return nil, nil
}

// commit plays a client's draft. If another patch plays than the draft was made from, commit makes
// the edits in that one. After an error the draft stays, so that the client can correct it.
func (s *Store) commit(r Request) ([]any, error) {
	d := s.get(clientOf(r.From))
	if d == nil {
		return nil, errNone
	}
	base, p, err := s.engine.Current()
	if err != nil {
		return nil, err
	}
	if base != d.base {
		for i, change := range d.edits {
			if err := change(p); err != nil {
				return nil, fmt.Errorf("edit %d of %d: another patch plays by now: %w", i+1, len(d.edits), err)
			}
		}
		d.base, d.patch = base, p
	}
	reply, err := s.change(r, d.patch.File, d.patch.Format())
	if err == nil {
		s.remove(clientOf(r.From))
	}
	return reply, err
}

func (s *Store) abort(r Request) ([]any, error) {
	if s.remove(clientOf(r.From)) == nil {
		return nil, errNone
	}
	return nil, nil
}

// change plays a patch, and returns the arguments of the reply.
func (s *Store) change(r Request, name string, text []byte) ([]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), ChangeLimit)
	defer cancel()
	rejected := func(err error) { _ = r.From.Fail(r.Command.address, err) }
	number, frame, err := s.engine.Change(ctx, name, text, rejected)
	if err != nil {
		return nil, err
	}
	return []any{int64(number), int64(frame)}, nil
}
