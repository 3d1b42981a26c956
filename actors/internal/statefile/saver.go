package statefile

import (
	"bytes"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// The times between saved states: while commands arrive, and while only time passes.
const (
	saveEvery  = 500 * time.Millisecond
	saveSlowly = 2 * time.Second
)

// goodAfter is how long a patch must play before the engine can fall back to it.
const goodAfter = 10 * time.Second

// Source is what a Saver saves.
type Source interface {
	// Checkpoint returns the checkpoint, the name of the patch, and whether the engine plays.
	Checkpoint() (c shm.Checkpoint, name string, playing bool)
	// SetLastGood records a patch that has played for long enough to fall back to it.
	SetLastGood(text []byte)
	// Describe adds to a State what the checkpoint does not have.
	Describe(*State)
	// SaveFailed reports the first of several failures in a row.
	SaveFailed(err error)
}

// Saver keeps the saved state up to date. A Saver has a goroutine of its own, since a disk may be
// slow.
type Saver struct {
	src      Source
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

// StartSaver starts a Saver. lastGood is the last good patch that an earlier engine saved; "":
// none.
func StartSaver(path, lastGood string, src Source) *Saver {
	s := &Saver{src: src, path: path, quit: make(chan struct{}), done: make(chan struct{})}
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
	c, name, playing := s.src.Checkpoint()
	if !playing || !last && c.Seq == s.seq && bytes.Equal(c.Text, s.text) && now.Sub(s.at) < saveSlowly {
		return
	}
	if !bytes.Equal(c.Text, s.text) {
		s.text, s.since = c.Text, now
	}
	if now.Sub(s.since) > goodAfter {
		s.lastGood = c.Text
		s.src.SetLastGood(c.Text)
	}
	saved := State{
		At: now, Name: name, Patch: string(c.Text), LastGood: string(s.lastGood), N: c.Block, Seq: c.Seq, Bytes: c.Bytes,
	}
	s.src.Describe(&saved)
	err := saved.Write(s.path)
	if err != nil && !s.failing {
		s.src.SaveFailed(err)
	}
	s.failing = err != nil
	if err == nil {
		s.seq, s.at = c.Seq, now
	}
}
