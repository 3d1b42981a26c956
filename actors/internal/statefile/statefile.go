// Package statefile reads and writes the state of an engine on disk, from which an engine resumes
// after a power loss, or after the loss of every process. The file is one line of JSON, then the
// bytes of the stream's state.
package statefile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// State is a checkpoint with its patch.
type State struct {
	Version  int       `json:"chronus_state"` // 1
	At       time.Time `json:"saved"`
	Rate     int       `json:"rate"`  // Hz
	Block    int       `json:"block"` // frames
	Channels int       `json:"channels"`
	Name     string    `json:"name"` // of the patch
	Patch    string    `json:"patch"`
	LastGood string    `json:"last_good,omitempty"` // last patch that played long enough to fall back to
	N        uint64    `json:"n"`                   // next block
	Seq      uint64    `json:"seq"`                 // last command before it
	Size     int       `json:"size"`                // length of Bytes
	Hash     uint64    `json:"hash,string"`         // xxHash64 of Patch and Bytes
	// Values are those values of addresses that differ from the patch. They are reported, not
	// played.
	Values map[string]float64 `json:"values,omitempty"`
	Muted  *float64           `json:"muted,omitempty"` // amp before the engine was muted; nil: not muted
	Bytes  []byte             `json:"-"`               // state of the stream
}

const version = 1

func (s *State) hash() uint64 {
	h := xxhash.New()
	_, _ = h.WriteString(s.Patch)
	_, _ = h.Write(s.Bytes)
	return h.Sum64()
}

// Write replaces the file as a whole or not at all. When Write returns, the state is on the disk.
// Write sets Version, Size and Hash.
func (s *State) Write(path string) error {
	s.Version, s.Size, s.Hash = version, len(s.Bytes), s.hash()
	head, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(append(head, '\n'), s.Bytes...))
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

// Read reads a state and checks that it is complete.
func Read(path string) (s State, err error) {
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
		return s, fmt.Errorf("saved state %s: invalid first line: %w", path, err)
	}
	if s.Version != version {
		return s, fmt.Errorf("saved state %s: version %d; this program reads %d", path, s.Version, version)
	}
	if s.Bytes, err = io.ReadAll(in); err != nil {
		return s, fmt.Errorf("saved state %s: %w", path, err)
	}
	if len(s.Bytes) != s.Size {
		return s, fmt.Errorf("saved state %s: damaged: %d bytes of %d", path, len(s.Bytes), s.Size)
	}
	if s.hash() != s.Hash {
		return s, fmt.Errorf("saved state %s: damaged: its hash differs", path)
	}
	return s, nil
}

// Check reports why an engine cannot resume from the state. folder has the engine's samples, own
// are the modules that it has besides Chronus's.
func (s *State) Check(g shm.Geometry, folder string, own []*dsp.Desc) (err error) {
	if s.Rate != int(g.Rate) || s.Block != int(g.Block) || s.Channels != int(g.Channels) {
		return fmt.Errorf("state of %d Hz, block %d, %d channels: the engine has %d Hz, block %d, %d channels",
			s.Rate, s.Block, s.Channels, g.Rate, g.Block, g.Channels)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("patch of the state cannot be loaded: %v", r)
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
	if err == nil && len(s.Bytes) > 0 {
		err = str.Restore(s.Bytes)
	}
	return err
}
