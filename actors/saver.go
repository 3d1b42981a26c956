package actors

import (
	"bytes"
	"time"

	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/report"
)

// The times between saved states: while commands arrive, and while only time passes.
const (
	saveEvery  = 500 * time.Millisecond
	saveSlowly = 2 * time.Second
)

// goodAfter is how long a patch must play before the engine can fall back to it.
const goodAfter = 10 * time.Second

// saver keeps the saved state up to date. It is a goroutine of its own, since a disk may be slow.
type saver struct {
	engine   *Engine
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

func startSaver(e *Engine) *saver {
	s := &saver{engine: e, path: e.cfg.StateFile, quit: make(chan struct{}), done: make(chan struct{})}
	if e.saved != nil && e.saved.LastGood != "" {
		s.lastGood = []byte(e.saved.LastGood)
	}
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
	set, cfg := s.engine.set, s.engine.cfg
	c, name, playing := set.Checkpoint()
	if !playing || !last && c.Seq == s.seq && bytes.Equal(c.Text, s.text) && now.Sub(s.at) < saveSlowly {
		return
	}
	if !bytes.Equal(c.Text, s.text) {
		s.text, s.since = c.Text, now
	}
	if now.Sub(s.since) > goodAfter {
		s.lastGood = c.Text
		set.SetLastGood(c.Text)
	}
	saved := statefile.State{
		At: now, Rate: cfg.Rate, Block: cfg.Block, Channels: cfg.Channels,
		Name: name, Patch: string(c.Text), LastGood: string(s.lastGood), N: c.Block, Seq: c.Seq, Bytes: c.Bytes,
		Values: s.engine.frontend.View().Changed(), Muted: s.engine.meter.MutedFrom(),
	}
	err := saved.Write(s.path)
	if err != nil && !s.failing {
		s.engine.emit(report.SaveFailed{What: "state on disk", Err: err})
	}
	s.failing = err != nil
	if err == nil {
		s.seq, s.at = c.Seq, now
	}
}
