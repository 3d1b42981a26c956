package statefile

import (
	"bytes"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// The times between saved states.
const (
	saveEvery  = 500 * time.Millisecond // while commands arrive
	saveSlowly = 2 * time.Second        // while only time passes
)

// goodAfter is the time that a patch must play before the engine can fall back to it.
const goodAfter = 10 * time.Second

// Source is an engine whose state a Saver saves. replica.Set implements it.
type Source interface {
	// Checkpoint returns the last checkpoint and the name of the patch.
	Checkpoint() (c shm.Checkpoint, name string, playing bool)
	// SetLastGood sets the patch to fall back to.
	SetLastGood(text []byte)
}

// Saver keeps the saved state up to date. It is a goroutine of its own, since a disk may be slow.
type Saver struct {
	source   Source
	path     string
	describe func(*State)
	failed   func(error)

	lastGood []byte
	since    time.Time // start of the patch that plays
	text     []byte
	seq      uint64
	at       time.Time
	failing  bool
	quit     chan struct{}
	done     chan struct{}
}

// StartSaver starts a Saver that writes to a file. lastGood is the last good patch of an earlier
// engine, or empty. describe adds to a State the values that the Source does not know. failed
// receives the first error of a series.
func StartSaver(source Source, path, lastGood string, describe func(*State), failed func(error)) *Saver {
	s := &Saver{
		source: source, path: path, describe: describe, failed: failed,
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	if lastGood != "" {
		s.lastGood = []byte(lastGood)
	}
	go s.run()
	return s
}

// Stop saves once more and ends the goroutine.
func (s *Saver) Stop() {
	close(s.quit)
	<-s.done
}

func (s *Saver) run() {
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
func (s *Saver) save(now time.Time, last bool) {
	c, name, playing := s.source.Checkpoint()
	if !playing || !last && c.Seq == s.seq && bytes.Equal(c.Text, s.text) && now.Sub(s.at) < saveSlowly {
		return
	}
	if !bytes.Equal(c.Text, s.text) {
		s.text, s.since = c.Text, now
	}
	if now.Sub(s.since) > goodAfter {
		s.lastGood = c.Text
		s.source.SetLastGood(c.Text)
	}
	saved := State{
		At: now, Name: name, Patch: string(c.Text), LastGood: string(s.lastGood),
		N: c.Block, Seq: c.Seq, Bytes: c.Bytes,
	}
	s.describe(&saved)
	err := saved.Write(s.path)
	if err != nil && !s.failing {
		s.failed(err)
	}
	s.failing = err != nil
	if err == nil {
		s.seq, s.at = c.Seq, now
	}
}
