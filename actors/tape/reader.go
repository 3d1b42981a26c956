package tape

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// Options says what the patches of a tape need.
type Options struct {
	Samples samples.Store // of the sound files that the patches play
	Modules []*dsp.Desc   // besides Chronus's own
}

// Reader renders, without interruption, what an engine played from the same decisions.
type Reader struct {
	header  Header
	options Options
	in      *bufio.Scanner
	line    int
	stream  *stream.Stream
	block   []float32
	pending []Command // read, but in no block yet
	seq     uint64
	next    uint64
	plan    uint64            // that the stream plays
	plans   map[uint64]string // texts of plans to switch to
}

// Played is one block of a tape.
type Played struct {
	N       uint64
	Samples []float32 // as rendered: interleaved, good until the next call of the Reader
	Same    bool      // whether the samples that were played are the same
}

// lineMax bounds a line of a tape, in bytes. The header holds a whole state.
const lineMax = 2 * shm.StateMax

// NewReader reads the header of a tape. Errors name the line.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	t := &Reader{in: bufio.NewScanner(r), options: o, plans: map[uint64]string{}}
	t.in.Buffer(make([]byte, 64<<10), lineMax)
	if !t.in.Scan() {
		err := t.in.Err()
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("tape: no header: %w", err)
	}
	t.line = 1
	h := &t.header
	if err := json.Unmarshal(t.in.Bytes(), h); err != nil {
		return nil, fmt.Errorf("tape line 1: %w", err)
	}
	if h.Version != Version {
		return nil, fmt.Errorf("tape line 1: version %d; this program reads %d", h.Version, Version)
	}
	var err error
	if t.stream, err = t.open(h.Patch); err != nil {
		return nil, err
	}
	if len(h.State) > 0 {
		if err := t.stream.Restore(h.State); err != nil {
			return nil, fmt.Errorf("tape line 1: %w", err)
		}
	} else {
		t.stream.Start(h.From, h.Seq)
	}
	if t.stream.Block() != h.From {
		return nil, fmt.Errorf("tape line 1: tape starts at block %d, its state at %d", h.From, t.stream.Block())
	}
	t.seq, t.next, t.plan = h.Seq, h.From, h.Plan
	t.block = make([]float32, h.Block*h.Channels)
	return t, nil
}

// Header returns the first line.
func (r *Reader) Header() Header { return r.header }

// Stream returns the stream that renders the current patch. A change of the patch replaces the
// stream.
func (r *Reader) Stream() *stream.Stream { return r.stream }

// Next renders the next block. It returns io.EOF at the end of the tape, also if the last line is
// cut off. A block that is missing or duplicate is an error, a block that differs is not.
func (r *Reader) Next() (Played, error) {
	for r.in.Scan() {
		r.line++
		var l Line
		if err := json.Unmarshal(r.in.Bytes(), &l); err != nil {
			if !r.in.Scan() {
				break // the writer ended in the middle of the last line
			}
			return Played{}, fmt.Errorf("tape line %d: %w", r.line, err)
		}
		if err := r.enter(l); err != nil {
			return Played{}, fmt.Errorf("tape line %d: %w", r.line, err)
		}
		if l.Block != nil {
			return Played{N: l.Block.N, Samples: r.block, Same: shm.Hash(r.block) == l.Block.Heard}, nil
		}
	}
	if err := r.in.Err(); err != nil {
		return Played{}, fmt.Errorf("tape line %d: %w", r.line, err)
	}
	return Played{}, io.EOF
}

// Compare renders the tape to its end. It calls f with the number of each block, its samples, which
// are good until f returns, and whether the samples that were played are the same.
func (r *Reader) Compare(f func(n uint64, samples []float32, same bool)) error {
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f(p.N, p.Samples, p.Same)
	}
}

// enter carries out one line.
func (r *Reader) enter(l Line) error {
	switch {
	case l.Error != "":
		return errors.New(l.Error)
	case l.Command != nil:
		r.command(*l.Command)
	case l.Plan != nil:
		r.plans[l.Plan.Number] = l.Plan.Text
	case l.Patch != nil:
		return r.restart(*l.Patch)
	case l.Block != nil:
		return r.render(*l.Block)
	}
	return nil
}

// command adds a command to the pending ones, or replaces the quarantined one of the same Seq.
func (r *Reader) command(c Command) {
	for i := range r.pending {
		if r.pending[i].Seq == c.Seq {
			r.pending[i] = c
			return
		}
	}
	if c.Seq > r.seq {
		r.pending = append(r.pending, c)
	}
}

// restart continues with another patch in its initial state.
func (r *Reader) restart(p Patch) (err error) {
	if p.N != r.next {
		return fmt.Errorf("another patch from block %d on, but block %d is next", p.N, r.next)
	}
	if r.stream, err = r.open(p.Text); err != nil {
		return err
	}
	r.stream.Start(p.N, p.Seq)
	r.seq, r.plan = p.Seq, p.Plan
	for len(r.pending) > 0 && r.pending[0].Seq <= p.Seq {
		r.pending = r.pending[1:]
	}
	return nil
}

func (r *Reader) render(b Block) error {
	if b.N != r.next {
		return fmt.Errorf("block %d where %d should be: a block is missing or there twice", b.N, r.next)
	}
	for r.seq < b.Seq {
		if len(r.pending) == 0 || r.pending[0].Seq != r.seq+1 {
			return fmt.Errorf("block %d: command %d is not on the tape", b.N, r.seq+1)
		}
		c := r.pending[0]
		r.pending = r.pending[1:]
		r.seq++
		switch op := shm.Op(c.Op); {
		case b.Skip:
		case op == shm.OpPlan:
			if err := r.switchTo(uint64(c.Value), c.Seq); err != nil {
				return fmt.Errorf("block %d: %w", b.N, err)
			}
		case c.Plan != r.plan && op != shm.OpNone:
			r.stream.Drop(c.Seq)
		default:
			r.stream.Push(stream.Command{
				Seq: c.Seq, Frame: c.Frame, Kind: stream.Kind(c.Op), Node: c.Node, Param: c.Param, Value: c.Value,
			})
		}
	}
	r.stream.Render(r.block)
	r.next++
	return nil
}

// switchTo continues with the plan of a number, at a command.
func (r *Reader) switchTo(plan, seq uint64) error {
	text, ok := r.plans[plan]
	if !ok {
		return fmt.Errorf("plan %d is not on the tape", plan)
	}
	p, err := r.compile(text)
	if err != nil {
		return err
	}
	next, err := r.stream.PrepareTransition(p)
	if err != nil {
		return err
	}
	r.stream.Switch(next, seq)
	r.stream, r.plan = next, plan
	return nil
}

func (r *Reader) open(text string) (*stream.Stream, error) {
	plan, err := r.compile(text)
	if err != nil {
		return nil, err
	}
	return stream.New(plan)
}

func (r *Reader) compile(text string) (*patch.Plan, error) {
	p, err := patch.Parse("tape", []byte(text))
	if err != nil {
		return nil, err
	}
	p.Modules = r.options.Modules
	plan, err := patch.Compile(p, r.header.Rate, r.header.Block, r.header.Channels)
	if err != nil {
		return nil, err
	}
	return plan.WithSamples(r.options.Samples.Open)
}
