package actors

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// Saved is the state of an engine on disk: the kept snapshot with its patch, so that an engine after a loss of power, or of every
// process, goes on from there. In the file it is a line of JSON, then the state's bytes.
type Saved struct {
	Version  int                `json:"chronus_state"` // 1
	At       time.Time          `json:"saved"`
	Rate     int                `json:"rate"`
	Block    int                `json:"block"`
	Channels int                `json:"channels"`
	Name     string             `json:"name"`
	Patch    string             `json:"patch"`
	LastGood string             `json:"last_good,omitempty"` // the last patch that has played for a while
	N        uint64             `json:"n"`                   // the next block
	Seq      uint64             `json:"seq"`                 // the last command before it
	Size     int                `json:"size"`                // bytes that follow
	Hash     uint64             `json:"hash,string"`         // of patch and bytes
	Values   map[string]float64 `json:"values,omitempty"`    // what addresses were set to, if it is not what the patch says: to be told, not to be played
	Muted    *float64           `json:"muted,omitempty"`     // the amp before it was muted; nil: it is not
	bytes    []byte
}

const savedVersion = 1

func (s *Saved) hash() uint64 {
	h := xxhash.New()
	_, _ = h.WriteString(s.Patch)
	_, _ = h.Write(s.bytes)
	return h.Sum64()
}

// write puts the state in place of the one that is there: whole or not at all, and on the disk when it returns.
func (s *Saved) write(path string) error {
	s.Version, s.Size, s.Hash = savedVersion, len(s.bytes), s.hash()
	head, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(append(head, '\n'), s.bytes...))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path + ".tmp")
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// ReadSaved reads a saved state and checks that it is whole.
func ReadSaved(path string) (s Saved, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, fmt.Errorf("saved state: %w", err)
	}
	defer f.Close()
	in := bufio.NewReader(io.LimitReader(f, shm.StateMax+4*shm.TextMax))
	head, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(head, &s)
	}
	if err != nil {
		return s, fmt.Errorf("saved state %s: its first line is no description: %w", path, err)
	}
	if s.Version != savedVersion {
		return s, fmt.Errorf("saved state %s: version %d; this program reads %d", path, s.Version, savedVersion)
	}
	if s.bytes, err = io.ReadAll(in); err != nil {
		return s, fmt.Errorf("saved state %s: %w", path, err)
	}
	if len(s.bytes) != s.Size || s.hash() != s.Hash {
		return s, fmt.Errorf("saved state %s: it is damaged: %d bytes of %d, or others than were written", path, len(s.bytes), s.Size)
	}
	return s, nil
}

// check says whether an engine of this geometry, whose samples are in that folder, and which has these modules of its own, can go on from the state.
func (s *Saved) check(g shm.Geometry, folder string, own []*dsp.Desc) (err error) {
	if s.Rate != int(g.Rate) || s.Block != int(g.Block) || s.Channels != int(g.Channels) {
		return fmt.Errorf("it is of %d Hz, block %d, %d channels: start with --rate %d --block %d, or without --resume",
			s.Rate, s.Block, s.Channels, s.Rate, s.Block)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("its patch cannot be loaded: %v", r)
		}
	}()
	p, err := patch.Parse(s.Name, []byte(s.Patch))
	if err != nil {
		return err
	}
	p.Modules = own
	plan, err := patch.Compile(p, s.Rate, s.Block, s.Channels)
	if err != nil {
		return err
	}
	if plan, err = plan.WithSamples(samples.In(folder).Open); err != nil {
		return err
	}
	str, err := stream.New(plan)
	if err == nil && len(s.bytes) > 0 {
		err = str.Restore(s.bytes)
	}
	return err
}

// DefaultStateFile is where an engine of a runtime directory saves its state: XDG_STATE_HOME/chronus, else ~/.local/state/chronus; "" if there
// is no home.
func DefaultStateFile(runtimeDir string) string {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "state")
	}
	name := strings.ReplaceAll(strings.Trim(filepath.ToSlash(runtimeDir), "/"), "/", "-")
	return filepath.Join(base, "chronus", name+".state")
}

// A state is saved this often while commands come, and less often while only the time passes.
const (
	saveEvery  = 500 * time.Millisecond
	saveSlowly = 2 * time.Second
)

// goodAfter is how long a patch must have played to be one to go back to.
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

// stop saves once more, and ends.
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

// save writes the checkpoint, if there is something new about it.
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
	saved := Saved{
		At: now, Rate: cfg.Rate, Block: cfg.Block, Channels: cfg.Channels,
		Name: name, Patch: string(c.Text), LastGood: string(s.lastGood), N: c.Block, Seq: c.Seq, bytes: c.Bytes,
		Values: s.engine.frontend.View().Changed(), Muted: s.engine.meter.MutedFrom(),
	}
	err := saved.write(s.path)
	if err != nil && !s.failing {
		s.engine.emit(report.SaveFailed{What: "state on disk", Err: err})
	}
	s.failing = err != nil
	if err == nil {
		s.seq, s.at = c.Seq, now
	}
}
