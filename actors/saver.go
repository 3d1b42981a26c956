package actors

import (
	"bytes"
	"time"

	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// The times between saved states: while commands arrive, and while only time passes.
const (
	saveEvery  = 500 * time.Millisecond
	saveSlowly = 2 * time.Second
)

// goodAfter is how long a patch must play before the engine can fall back to it.
const goodAfter = 10 * time.Second

// saver writes the state to disk on a goroutine of its own, because a disk may be slow.
type saver struct {
	rig      *rig
	path     string
	lastGood []byte
	since    time.Time // of the patch that plays
	text     []byte
	seq      uint64
	at       time.Time
	failing  bool
	quit     chan struct{}
	done     chan struct{}
}

func startSaver(r *rig, path string) *saver {
	s := &saver{rig: r, path: path, lastGood: r.lastGood, quit: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return s
}

// stop saves once more and ends the goroutine.
func (s *saver) stop() {
	close(s.quit)
	<-s.done
}

func (s *saver) run() {
	defer close(s.done)
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			s.save(time.Now(), true)
			return
		case now := <-tick.C:
			s.save(now, false)
		}
	}
}

// save writes the checkpoint if it has changed.
func (s *saver) save(now time.Time, last bool) {
	s.rig.mu.Lock()
	kept, name, plays := s.rig.kept, s.rig.present.name, s.rig.plays
	if s.rig.log.Last() > kept.Seq {
		s.rig.keepSoon = true
	}
	s.rig.mu.Unlock()
	if !plays || !last && kept.Seq == s.seq && bytes.Equal(kept.Text, s.text) && now.Sub(s.at) < saveSlowly {
		return
	}
	if !bytes.Equal(kept.Text, s.text) {
		s.text, s.since = kept.Text, now
	}
	if now.Sub(s.since) > goodAfter {
		s.lastGood = kept.Text
		s.rig.mu.Lock()
		s.rig.lastGood = kept.Text
		s.rig.mu.Unlock()
	}
	saved := statefile.State{
		At: now, Rate: s.rig.cfg.Rate, Block: s.rig.cfg.Block, Channels: s.rig.cfg.Channels,
		Name: name, Patch: string(kept.Text), LastGood: string(s.lastGood), N: kept.Block, Seq: kept.Seq, Bytes: kept.Bytes,
		Values: s.rig.valued(), Muted: s.rig.mutedFrom(),
	}
	err := saved.Write(s.path)
	if err != nil && !s.failing {
		s.rig.emit(report.SaveFailed{What: "state on disk", Err: err})
	}
	s.failing = err != nil
	if err == nil {
		s.seq, s.at = kept.Seq, now
	}
}

// resume makes a rig that has not started continue from a saved state.
func (r *rig) resume(s *statefile.State) error {
	r.kept.State = shm.State{Block: s.N, Seq: s.Seq, Plan: r.present.number, Bytes: s.Bytes}
	r.log.Restore(s.Seq, nil)
	r.control.BeginAt(s.N, s.Seq)
	r.news = append(r.news, report.Resumed{Block: s.N, Saved: s.At})
	return r.store.Put(r.kept)
}
