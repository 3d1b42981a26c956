package stream

import (
	"fmt"
	"math"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream/internal/limiter"
)

// stateVersion is the version of the layout of a saved state.
const stateVersion = 4

// commandBytes is the size of a saved command.
const commandBytes = 36

// Size returns an upper bound of a saved state in bytes. A state with the most waiting commands
// reaches it.
func (s *Stream) Size() int { return s.size }

// measureSize computes Size. The size of each module's state is known, so modules that another
// goroutine renders stay untouched.
func (s *Stream) measureSize() {
	e := dsp.NewCounter()
	s.save(e)
	s.size = e.Count() + pendingMax*commandBytes
}

// Save appends the complete state at this block boundary to dst: version, plan, block, Seq, waiting
// commands and every node. Save allocates nothing if dst has room for Size, and fails during a
// transition.
func (s *Stream) Save(dst []byte) ([]byte, error) {
	if s.transition != nil {
		return dst, errInTransition
	}
	e := s.encoder(dst)
	s.save(e)
	b := e.Bytes()
	if n := len(b) - len(dst); s.size > 0 && n > s.size {
		return dst, fmt.Errorf("save: patch %s: the state has %d bytes, more than the computed %d", s.plan.Name, n,
			s.size)
	}
	return b, nil
}

func (s *Stream) save(e *dsp.Encoder) {
	e.Uint32(stateVersion)
	e.Uint64(s.plan.Hash)
	e.Uint64(s.block)
	e.Uint64(s.seq)
	e.Uint64(s.faults)
	e.Uint32(uint32(s.faulty))
	e.Uint64(s.ignored)
	e.Uint32(uint32(s.pending.n))
	for _, c := range s.pending.list[:s.pending.n] {
		e.Uint64(c.Seq)
		e.Uint64(c.Frame)
		e.Uint32(uint32(c.Kind))
		e.Uint32(uint32(c.Node))
		e.Uint32(uint32(c.Param))
		e.Float64(c.Value)
	}
	s.amp.Save(e)
	s.limiter.Save(e)
	s.controls.Save(e)
	for g := range s.voices {
		s.voices[g].Save(e)
	}
	if s.music.seq != nil {
		s.music.seq.Save(e)
	}
	for i := range s.nodes {
		s.nodes[i].save(e)
	}
}

// encoder reuses the stream's encoder, so that Save allocates nothing.
func (s *Stream) encoder(dst []byte) *dsp.Encoder {
	s.enc = *dsp.NewEncoder(dst)
	return &s.enc
}

// Restore replaces the stream's state by one that Save made, of the same patch, rate, block and
// channels. On an error the stream is as New made it. Restore allocates nothing but the error.
func (s *Stream) Restore(src []byte) error {
	s.dec = *dsp.NewDecoder(src)
	if err := s.decode(&s.dec); err != nil {
		s.reset()
		return fmt.Errorf("restore: patch %s: %w", s.plan.Name, err)
	}
	return nil
}

func (s *Stream) decode(d *dsp.Decoder) error {
	if v := d.Uint32(); d.Err() == nil && v != stateVersion {
		return fmt.Errorf("the saved state has version %d; this program reads version %d", v, stateVersion)
	}
	if h := d.Uint64(); d.Err() == nil && h != s.plan.Hash {
		return fmt.Errorf("the saved state is of another patch, rate, block or channel count (hash %x, not %x)", h,
			s.plan.Hash)
	}
	s.restore(d)
	if d.Err() == nil && d.Remaining() > 0 {
		return fmt.Errorf("%w: %d bytes too many", dsp.ErrState, d.Remaining())
	}
	return d.Err()
}

func (s *Stream) restore(d *dsp.Decoder) {
	s.block, s.seq = d.Uint64(), d.Uint64()
	s.faults, s.faulty, s.ignored = d.Uint64(), uint16(d.Uint32()), d.Uint64()
	count := d.Uint32()
	if count > pendingMax {
		d.Fail()
		return
	}
	s.pending.n = int(count)
	for i := range s.pending.n {
		c := Command{Seq: d.Uint64(), Frame: d.Uint64()}
		kind, node, param := d.Uint32(), d.Uint32(), d.Uint32()
		if max(kind, node, param) > math.MaxUint16 {
			d.Fail()
			return
		}
		c.Kind, c.Node, c.Param, c.Value = Kind(kind), uint16(node), uint16(param), d.Float64()
		s.pending.list[i] = c
		if i > 0 && s.pending.before(i, (i-1)/2) {
			d.Fail()
			return
		}
	}
	s.amp.Restore(d)
	s.limiter.Restore(d)
	s.controls.Restore(d)
	for g := range s.voices {
		s.voices[g].Restore(d)
	}
	if s.music.seq != nil {
		s.music.seq.Restore(d)
	}
	for i := range s.nodes {
		s.nodes[i].restore(d)
	}
}

// unitBytes is the size of a unit's state.
func (n *node) unitBytes(u *unit) int {
	switch {
	case n.feedback:
		return 4 * len(u.next)
	case n.note:
		return 4 * len(u.out)
	}
	return n.bytes + 4*len(u.out)
}

func (n *node) save(e *dsp.Encoder) {
	e.Bool(n.bypass)
	for i := range n.units {
		u := &n.units[i]
		if e.Skip(n.unitBytes(u)) {
			continue
		}
		switch {
		case n.feedback:
			e.Float32s(u.out[0])
			continue
		case !n.note:
			u.Save(e)
		}
		for _, out := range u.out {
			e.Float32(out[len(out)-1]) // a transition may hold this value
		}
	}
}

func (n *node) restore(d *dsp.Decoder) {
	n.bypass = d.Bool()
	for i := range n.units {
		u := &n.units[i]
		switch {
		case n.feedback:
			d.Float32s(u.out[0])
			continue
		case !n.note:
			u.Restore(d)
		}
		for _, out := range u.out {
			out[len(out)-1] = d.Float32()
		}
	}
}

// reset makes the stream as New made it, with new modules, since an invalid state may have left any
// values in them.
func (s *Stream) reset() {
	s.block, s.seq, s.faults, s.faulty, s.ignored, s.pending.n = 0, 0, 0, 0, 0, 0
	s.limiter = limiter.New(float64(s.plan.Rate))
	s.amp.Jump(s.plan.Nodes()[0].Values[patch.EngineAmp])
	s.controls = newControls(s.plan)
	for g := range s.voices {
		s.voices[g].Reset()
	}
	if s.music.seq != nil {
		s.loadMusic(0)
	}
	for i := range s.nodes {
		n := &s.nodes[i]
		n.bypass = false
		for k := range n.units {
			u := &n.units[k]
			if !n.feedback && !n.note {
				u.Module = newModule(&s.plan.Nodes()[i], s.plan)
			}
			for _, out := range u.out {
				clear(out)
			}
		}
	}
}
