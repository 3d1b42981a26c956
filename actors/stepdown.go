package actors

import (
	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/shm"
)

// change is another patch from a block on: what a tape needs to know of it.
type change struct {
	text []byte
	at   shm.State // the block that it begins with, and the last command before
}

// stepDown gives up the patch that plays, and plays the last one that was good, else the default patch, else
// nothing. What has ended the workers is never loaded again. Every worker has ended.
func (r *rig) stepDown(why string) {
	from := r.present.name
	r.failed[xxhash.Sum64(r.present.text)] = true
	var before []byte // a patch that was changed while it played
	if p := r.planned[r.present.before]; p != nil && r.present.seq > 0 {
		before = p.text
	}
	for _, next := range []struct {
		name string
		text []byte
	}{{"the patch before", before}, {"the last good patch", r.lastGood}, {"the default patch", patch.Default()}} {
		if next.text == nil || r.failed[xxhash.Sum64(next.text)] {
			continue
		}
		if err := r.install(next.name, next.text); err != nil {
			r.failed[xxhash.Sum64(next.text)] = true
			continue
		}
		r.stepped = why
		r.emit(report.PatchAbandoned{From: from, To: next.name, Reason: why})
		return
	}
	r.silent = why
	r.emit(report.PatchAbandoned{From: from, To: "silence", Reason: why})
}

// install makes every worker begin with another patch, at the first block that none of them has published.
func (r *rig) install(name string, text []byte) error {
	plan, err := r.compile(name, text)
	if err != nil {
		return err
	}
	r.log.Trim(r.log.Last()) // all begin anew: nothing of it is needed, nor what it names
	p, err := r.addPlan(name, text, plan)
	if err != nil {
		return err
	}
	at := shm.State{Block: max(r.control.Clock(), r.poison.top), Seq: r.log.Last(), Plan: p.number}
	r.kept.Text, r.kept.State = text, at
	r.changes = append(r.changes, change{text, at})
	r.keeping = ask{}
	for _, s := range r.slots {
		s.want = ask{state: at, done: true}
		if s.phase == starting {
			r.condemn(s, "its patch was abandoned")
		}
	}
	restarts := r.poison.top
	r.poison = poison{deaths: map[uint64]int{}, top: restarts}
	r.play(p)
	return r.store.Put(r.kept)
}

// bereft tells whether commands since the kept snapshot are gone: this engine has taken over, no ring had them any more, and no other snapshot has
// been kept yet.
func (r *rig) bereft() bool {
	_, ok := r.log.After(r.kept.Seq)
	return !ok
}

// beginAnew plays the present patch from nothing: there is no worker that has its state, and no way to it from the kept snapshot.
func (r *rig) beginAnew() {
	const why = "no worker was left, and commands since the kept snapshot were gone"
	name := r.present.name
	if err := r.install(name, r.present.text); err != nil {
		r.stepDown(why)
		return
	}
	r.stepped = why
	r.emit(report.PatchAbandoned{From: name, To: name + " from its beginning", Reason: why})
}
