package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// reel plays a tape: it renders, uninterrupted, what the engine played from the same decisions.
type reel struct {
	header  actors.TapeHeader
	samples samples.Store
	in      *bufio.Scanner
	line    int
	str     *stream.Stream
	block   []float32
	pending []shm.Command // read, not entered yet
	seq     uint64
	next    uint64
	plan    uint64            // that the stream plays
	plans   map[uint64]string // texts of plans to go on with
}

// lineMax bounds a line of a tape: the header carries the whole state.
const lineMax = 2 * shm.StateMax

// newReel reads a tape whose samples are in the user's store.
func newReel(r io.Reader) (*reel, error) { return newReelFrom(r, samples.In(samples.DefaultDir())) }

func newReelFrom(r io.Reader, store samples.Store) (*reel, error) {
	t := &reel{in: bufio.NewScanner(r), samples: store, plans: map[uint64]string{}}
	t.in.Buffer(make([]byte, 64<<10), lineMax)
	if !t.in.Scan() {
		return nil, fmt.Errorf("tape: no header: %w", orEOF(t.in.Err()))
	}
	t.line = 1
	h := &t.header
	if err := json.Unmarshal(t.in.Bytes(), h); err != nil {
		return nil, fmt.Errorf("tape line 1: %w", err)
	}
	if h.Version != 1 {
		return nil, fmt.Errorf("tape line 1: version %d; this program reads 1", h.Version)
	}
	var err error
	if t.str, err = openStream("tape", []byte(h.Patch), h.Rate, h.Block, h.Channels, store); err != nil {
		return nil, err
	}
	if len(h.State) > 0 {
		if err := t.str.Restore(h.State); err != nil {
			return nil, fmt.Errorf("tape line 1: %w", err)
		}
	} else {
		t.str.Start(h.From, h.Seq)
	}
	if t.str.Block() != h.From {
		return nil, fmt.Errorf("tape line 1: it begins at block %d, its state at %d", h.From, t.str.Block())
	}
	t.seq, t.next, t.plan = h.Seq, h.From, h.Plan
	t.block = make([]float32, h.Block*h.Channels)
	return t, nil
}

func orEOF(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// openStream compiles a patch into a stream.
func openStream(name string, text []byte, rate, block, channels int, store samples.Store) (*stream.Stream, error) {
	plan, err := openPlan(name, text, rate, block, channels, store)
	if err != nil {
		return nil, err
	}
	return stream.New(plan)
}

// openPlan compiles a patch, with its samples.
func openPlan(name string, text []byte, rate, block, channels int, store samples.Store) (*patch.Plan, error) {
	p, err := patch.Parse(name, text)
	if err != nil {
		return nil, err
	}
	plan, err := patch.Compile(p, rate, block, channels)
	if err != nil {
		return nil, err
	}
	return plan.WithSamples(store.Open)
}

// read renders the next block: its number, its samples (good until the next call), and the
// hash of what was heard. io.EOF at the end of the tape.
func (t *reel) read() (n uint64, samples []float32, heard uint64, err error) {
	for t.in.Scan() {
		t.line++
		var l actors.TapeLine
		if err := json.Unmarshal(t.in.Bytes(), &l); err != nil {
			if !t.in.Scan() {
				break // the last line was cut off where the tape ended
			}
			return 0, nil, 0, fmt.Errorf("tape line %d: %w", t.line, err)
		}
		switch {
		case l.Error != "":
			return 0, nil, 0, fmt.Errorf("tape line %d: %s", t.line, l.Error)
		case l.Command != nil:
			t.take(*l.Command)
		case l.Plan != nil:
			t.plans[l.Plan.Number] = l.Plan.Text
		case l.Patch != nil:
			if err := t.change(*l.Patch); err != nil {
				return 0, nil, 0, fmt.Errorf("tape line %d: %w", t.line, err)
			}
		case l.Block != nil:
			if err := t.render(*l.Block); err != nil {
				return 0, nil, 0, fmt.Errorf("tape line %d: %w", t.line, err)
			}
			return l.Block.N, t.block, l.Block.Heard, nil
		}
	}
	if err := t.in.Err(); err != nil {
		return 0, nil, 0, fmt.Errorf("tape line %d: %w", t.line, err)
	}
	return 0, nil, 0, io.EOF
}

// take adds a command to those that have not entered yet, or puts it in the place of the one of its Seq, which was quarantined.
func (t *reel) take(c shm.Command) {
	for i := range t.pending {
		if t.pending[i].Seq == c.Seq {
			t.pending[i] = c
			return
		}
	}
	if c.Seq > t.seq {
		t.pending = append(t.pending, c)
	}
}

// change goes on with another patch.
func (t *reel) change(p actors.TapePatch) (err error) {
	if p.N != t.next {
		return fmt.Errorf("another patch from block %d on, where %d is next", p.N, t.next)
	}
	if t.str, err = openStream("tape", []byte(p.Text), t.header.Rate, t.header.Block, t.header.Channels, t.samples); err != nil {
		return err
	}
	t.str.Start(p.N, p.Seq)
	t.seq, t.plan = p.Seq, p.Plan
	for len(t.pending) > 0 && t.pending[0].Seq <= p.Seq {
		t.pending = t.pending[1:]
	}
	return nil
}

func (t *reel) render(b actors.TapeBlock) error {
	if b.N != t.next {
		return fmt.Errorf("block %d where %d should be: a block is missing or there twice", b.N, t.next)
	}
	for t.seq < b.Seq {
		if len(t.pending) == 0 || t.pending[0].Seq != t.seq+1 {
			return fmt.Errorf("block %d: command %d is not on the tape", b.N, t.seq+1)
		}
		c := t.pending[0]
		t.pending = t.pending[1:]
		t.seq++
		switch {
		case b.Skip:
		case c.Op == shm.OpPlan:
			if err := t.goOn(uint64(c.Value), c.Seq); err != nil {
				return fmt.Errorf("block %d: %w", b.N, err)
			}
		case c.Plan != t.plan && c.Op != shm.OpNone:
			t.str.Drop(c.Seq)
		default:
			t.str.Push(stream.Command{Seq: c.Seq, Frame: c.Frame, Kind: stream.Kind(c.Op), Node: c.Node, Param: c.Param, Value: c.Value})
		}
	}
	t.str.Render(t.block)
	t.next++
	return nil
}

// goOn goes on with the plan of a number, at a command.
func (t *reel) goOn(plan, seq uint64) error {
	text, ok := t.plans[plan]
	if !ok {
		return fmt.Errorf("plan %d is not on the tape", plan)
	}
	p, err := openPlan("tape", []byte(text), t.header.Rate, t.header.Block, t.header.Channels, t.samples)
	if err != nil {
		return err
	}
	next, err := t.str.PrepareTransition(p)
	if err != nil {
		return err
	}
	t.str.Switch(next, seq)
	t.str, t.plan = next, plan
	return nil
}

// verdict is the comparison of what was heard with the uninterrupted render of the same decisions.
type verdict struct {
	Blocks  uint64 `json:"blocks"`  // compared
	Changed uint64 `json:"changed"` // blocks whose samples differ in a bit
	First   uint64 `json:"first"`   // the first block of the tape
}

// verify plays a tape to its end. A block missing or there twice is an error, a changed one is counted. at, if
// not nil, always has the number of the block after the last one compared.
func verify(r io.Reader, at *atomic.Uint64) (v verdict, err error) {
	t, err := newReel(r)
	if err != nil {
		return v, err
	}
	v.First = t.header.From
	return v, t.compare(func(n uint64, _ []float32, same bool) {
		v.Blocks++
		if !same {
			v.Changed++
		}
		if at != nil {
			at.Store(n + 1)
		}
	})
}

// compare plays the tape to its end and tells, of each block, its samples (good until the return) and whether what was
// heard is the same. A block missing or there twice is an error.
func (t *reel) compare(each func(n uint64, samples []float32, same bool)) error {
	for {
		n, samples, heard, err := t.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		each(n, samples, shm.Hash(samples) == heard)
	}
}
