package actors

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// heritage is what an engine left behind when it was killed: its processes, which play on, and the segments of
// which they hold the descriptors.
type heritage struct {
	audio   *heir
	workers []*heir
	control *shm.Segment
	journal *shm.Segment
	kept    *shm.Segment
	plans   *shm.Segment
	rings   []*shm.Segment // that the audio process plays, of dead workers too
}

// heir is a process that outlived its engine.
type heir struct {
	member
	proc sys.Process
	slot *shm.Segment // a worker's
	snap *shm.Segment // a worker's
}

// errUnusable: what was left behind cannot be taken over, and is ended.
var errUnusable = errors.New("it cannot be taken over")

// inherit opens the processes of a crew that still live, and what they hold. It takes their word for nothing: every
// segment is checked as it is mapped.
func inherit(crew []member) (*heritage, error) {
	h := &heritage{}
	for _, m := range crew {
		p, ok := m.open()
		if !ok {
			continue
		}
		x := &heir{member: m, proc: p}
		if m.Role == audioChild && h.audio == nil {
			h.audio = x // the first is the one that plays
		} else {
			h.workers = append(h.workers, x)
		}
		if err := h.take(x); err != nil {
			return h, err
		}
	}
	return h, nil
}

// take maps the segments that a process holds.
func (h *heritage) take(x *heir) error {
	fds, err := sys.OpenMemfds(x.PID, shm.MemfdPrefix)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnusable, err)
	}
	for i, fd := range fds {
		s, err := shm.Adopt(fd)
		if err != nil {
			sys.CloseAll(fds[i+1:])
			return fmt.Errorf("%w: process %d: %w", errUnusable, x.PID, err)
		}
		place := h.place(x, s.Kind())
		if place == nil || *place != nil {
			s.Close() // another process has brought it, or nobody needs it
			continue
		}
		*place = s
	}
	return nil
}

// place is where a segment of some kind belongs that process x holds; nil: nowhere.
func (h *heritage) place(x *heir, k shm.Kind) **shm.Segment {
	switch {
	case k == shm.KindEngine:
		return &h.control
	case k == shm.KindJournal:
		return &h.journal
	case k == shm.KindCheckpoint:
		return &h.kept
	case k == shm.KindPlans:
		return &h.plans
	case k == shm.KindSnapshot:
		return &x.snap
	case k == shm.KindSlot && x == h.audio:
		h.rings = append(h.rings, nil)
		return &h.rings[len(h.rings)-1]
	case k == shm.KindSlot:
		return &x.slot
	}
	return nil
}

// living tells whether there is any process.
func (h *heritage) living() bool { return h.audio != nil || len(h.workers) > 0 }

func (h *heritage) all() []*heir {
	if h.audio == nil {
		return h.workers
	}
	return append([]*heir{h.audio}, h.workers...)
}

// leave lets every process be.
func (h *heritage) leave() {
	for _, x := range h.all() {
		_ = x.proc.Close()
	}
	h.close()
}

// end asks every process to end. It is for what cannot, or shall not, be taken over.
func (h *heritage) end() (n int) {
	for _, x := range h.all() {
		if x.proc.Signal(syscall.SIGTERM) == nil {
			n++
		}
	}
	h.leave()
	return n
}

// close unmaps what nobody has taken.
func (h *heritage) close() {
	list := []**shm.Segment{&h.control, &h.journal, &h.kept, &h.plans}
	for i := range h.rings {
		list = append(list, &h.rings[i])
	}
	for _, x := range h.workers {
		list = append(list, &x.slot, &x.snap)
	}
	for _, s := range list {
		closeSegment(s)
	}
}

// adopt makes a rig of what another engine left. Until it returns without an error nothing has been changed.
func adopt(cfg Config, asked []byte, h *heritage, emit func(Event)) (*rig, error) {
	if h.control == nil || h.journal == nil || h.kept == nil || h.plans == nil {
		return nil, fmt.Errorf("%w: no process holds its words", errUnusable)
	}
	if len(h.rings) == 0 && !slices.ContainsFunc(h.workers, func(x *heir) bool { return x.slot != nil }) {
		return nil, fmt.Errorf("%w: none of its processes has any sound", errUnusable)
	}
	r := bareRig(cfg, h.control.Geometry(), emit)
	r.control, r.journal = shm.ControlFromSegment(h.control), shm.JournalFromSegment(h.journal)
	r.store, r.plans = shm.CheckpointStoreFromSegment(h.kept), shm.PlanStore{Segment: h.plans}
	if t := r.control.Transport(); t != shm.Play {
		return nil, fmt.Errorf("%w: it had not begun to play, or was about to end", errUnusable)
	}
	var err error
	if r.kept, err = r.store.Last(); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnusable, err)
	}
	if err := r.sameAs(cfg, asked); err != nil {
		return nil, err
	}
	if err = r.inheritPlans(); err != nil {
		return nil, err
	}
	r.control.SetEngine(ownPID())
	r.control.SetGrace(cfg.Grace)
	h.control, h.journal, h.kept, h.plans = nil, nil, nil, nil
	now := time.Now()
	for i := range int(r.geo.Slots) {
		r.slots = append(r.slots, r.inheritSlot(i, h, now))
	}
	r.inheritLog(h)
	r.finishBroadcast()
	r.inheritPresent()
	for _, s := range r.slots {
		if s.phase == empty {
			r.control.RemoveWorker(s.number, r.journal) // it died unseen
		}
	}
	r.control.RequestLead(r.cfg.Lead)
	r.active = r.control.Active()
	news := report.TookOver{Audio: h.audio != nil, Block: r.control.Clock()}
	for _, s := range r.slots {
		if s.phase != empty {
			news.Workers++
		}
	}
	r.adopted, r.news = true, append(r.news, news)
	r.inheritAudio(h)
	h.close()
	return r, nil
}

// sameAs says what differs between what plays and what was asked for. Who starts an engine anew with other wishes must
// say that the sound may end.
func (r *rig) sameAs(cfg Config, asked []byte) error {
	const way = "start it with what it was started with, or with --fresh to end that sound and begin anew"
	want, err := cfg.geometry()
	if err != nil {
		return err
	}
	want.Ring = r.geo.Ring // the lead can be changed, up to the rings that there are
	if want != r.geo {
		return fmt.Errorf("the sound of an engine that was lost goes on in %s, with %s; this one was to have %s: %s",
			cfg.RuntimeDir, geometryText(r.geo), geometryText(want), way)
	}
	if r.kept.Origin != xxhash.Sum64(asked) && !cfg.Resume {
		return fmt.Errorf("the sound of an engine that was lost goes on in %s, with another patch: %s", cfg.RuntimeDir, way)
	}
	return nil
}

func geometryText(g shm.Geometry) string {
	return fmt.Sprintf("%d Hz, block %d, %d channels, %d workers, guard %d, rings of %d blocks", g.Rate, g.Block, g.Channels, g.Slots, g.Guard, g.Ring)
}

// generationGap keeps the generations of a new engine from meeting one that the engine before had given and nobody has
// heard of yet.
const generationGap = 16

// inheritSlot is slot i with its worker, if it has one that was let go. One that was attached and not started is killed: nobody
// knows whether its ring has every command.
func (r *rig) inheritSlot(i int, h *heritage, now time.Time) *slot {
	s := &slot{number: i, gen: max(r.control.Mapped(i), r.journal.Status(i).Generation)}
	for _, x := range h.workers {
		if x.slot == nil || x.Role != workerChild {
			continue // a spare, or one that has just been started
		}
		number, gen := x.slot.Slot()
		if number != i {
			continue
		}
		s.gen = max(s.gen, gen)
		if s.phase != empty || x.snap == nil || !shm.CommandsFromSegment(x.slot).Started() {
			continue
		}
		s.gen, s.proc, s.handed = gen, x.proc, r.control.Mapped(i) == gen
		s.ring, s.cmds, s.snap = x.slot, shm.CommandsFromSegment(x.slot), x.snap
		s.snaps, s.asked = shm.SnapshotsFromSegment(x.snap), s.cmds.RequestedSnapshot()
		x.slot, x.snap = nil, nil
		head := r.journal.Head(i)
		s.progress = head.Published()
		s.compared, s.want.state.Block, s.want.done = s.progress, s.progress, true
		s.enter(joining, now)
		if r.control.Active().Ready(i) && head.Of(gen) {
			s.enter(ready, now)
		}
	}
	if s.phase == empty {
		s.gen += generationGap
		s.retired = r.journal.Published(i)
		s.ring = h.takeRing(i)
	}
	return s
}

// takeRing is the ring of slot i's dead worker, which may still be played.
func (h *heritage) takeRing(i int) (ring *shm.Segment) {
	for k, s := range h.rings {
		if s == nil {
			continue
		}
		if number, gen := s.Slot(); number == i {
			if ring != nil {
				if _, has := ring.Slot(); has >= gen {
					continue
				}
				ring.Close()
			}
			ring, h.rings[k] = s, nil
		}
	}
	return ring
}

// finishBroadcast puts the commands that the engine before had put into some rings into all, and commits them: a worker
// may have been told of them by nobody, but the next command must have a number that no ring has.
func (r *rig) finishBroadcast() {
	var rings []shm.CommandWriter
	for _, s := range r.slots {
		if s.attached() {
			rings = append(rings, s.cmds)
		}
	}
	before := r.log.Last()
	for {
		half, ok := peek(rings, r.log.Last()+1)
		if !ok {
			break
		}
		for _, s := range r.slots {
			if s.attached() && s.cmds.Tail() == r.log.Last() {
				_ = s.cmds.Put(half)
			}
		}
		r.log.Append(half, nil)
	}
	for _, s := range r.slots {
		// A joiner may be behind: it is fed. Who may be named must have all.
		if s.attached() && s.phase == ready && s.cmds.Tail() < r.log.Last() {
			r.condemn(s, "lacks commands after the take-over")
		}
	}
	if r.log.Last() > before {
		r.log.Join(r.log.Last() - before)
		r.control.Commit(r.log.Last())
	}
}

// inheritAudio connects to the audio process, and kills what has no place.
func (r *rig) inheritAudio(h *heritage) {
	for _, x := range h.workers {
		if !slices.ContainsFunc(r.slots, func(s *slot) bool { return s.phase != empty && s.proc == x.proc }) {
			_ = x.proc.Signal(killSignal)
			_ = x.proc.Close()
		}
	}
	r.audioGen, r.audio.gen = 2, 2 // it has played: that it cannot play is no reason any more not to start
	if h.audio != nil {
		r.audio.proc, r.audio.running = h.audio.proc, true
		r.connectAudio(&r.audio, r.audioSocket(), r.openOrder())
	}
}
