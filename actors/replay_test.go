package actors_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// replay renders a tape and compares every block with what was played. It shares no code with
// tape.Reader, so that neither hides a mistake of the other.
func replay(r io.Reader) error {
	in := bufio.NewReader(r)
	dec := json.NewDecoder(in)
	var h tape.Header
	if err := dec.Decode(&h); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	s, err := streamOf(h.Patch, h)
	if err != nil {
		return err
	}
	if h.State != nil {
		if err := s.Restore(h.State); err != nil {
			return err
		}
	} else {
		s.Start(h.From, h.Seq)
	}
	p := player{header: h, str: s, n: h.From, seq: h.Seq, plan: h.Plan, commands: map[uint64]tape.Command{}, texts: map[uint64]string{}}
	for {
		var l tape.Line
		if err := dec.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if err := p.line(l); err != nil {
			return err
		}
	}
	if p.n < h.From+20 {
		return fmt.Errorf("only %d blocks are on the tape", p.n-h.From)
	}
	return nil
}

// player is the state of a replay.
type player struct {
	header       tape.Header
	str          *stream.Stream
	n, seq, plan uint64
	commands     map[uint64]tape.Command
	texts        map[uint64]string // of plans
}

func (p *player) line(l tape.Line) (err error) {
	switch {
	case l.Error != "":
		return fmt.Errorf("the tape ends: %s", l.Error)
	case l.Command != nil:
		p.commands[l.Command.Seq] = *l.Command
	case l.Plan != nil:
		p.texts[l.Plan.Number] = l.Plan.Text
	case l.Patch != nil:
		if p.str, err = streamOf(l.Patch.Text, p.header); err != nil {
			return err
		}
		p.str.Start(l.Patch.N, l.Patch.Seq)
		p.seq, p.plan = l.Patch.Seq, l.Patch.Plan
	default:
		return p.block(l.Block)
	}
	return nil
}

func (p *player) block(b *tape.Block) error {
	if b.N != p.n {
		return fmt.Errorf("block %d where %d should be", b.N, p.n)
	}
	for ; p.seq < b.Seq; p.seq++ {
		c, ok := p.commands[p.seq+1]
		if !ok {
			return fmt.Errorf("command %d is missing in block %d", p.seq+1, p.n)
		}
		if b.Skip {
			continue
		}
		if shm.Op(c.Op) == shm.OpPlan {
			next, err := planOf(p.texts[uint64(c.Value)], p.header)
			if err != nil {
				return err
			}
			to, err := p.str.PrepareTransition(next)
			if err != nil {
				return err
			}
			p.str.Switch(to, c.Seq)
			p.str, p.plan = to, uint64(c.Value)
			continue
		}
		if c.Plan != p.plan && shm.Op(c.Op) != shm.OpNone {
			c.Op = shm.Ops // streams ignore commands of other plans
		}
		p.str.Push(stream.Command{Seq: c.Seq, Frame: c.Frame, Kind: stream.Kind(c.Op), Node: c.Node, Param: c.Param, Value: c.Value})
	}
	out := make([]float32, p.header.Block*p.header.Channels)
	p.str.Render(out)
	if shm.Hash(out) != b.Heard {
		return fmt.Errorf("block %d was heard otherwise than it renders", p.n)
	}
	p.n++
	return nil
}

func planOf(text string, h tape.Header) (*patch.Plan, error) {
	p, err := patch.Parse("tape", []byte(text))
	if err != nil {
		return nil, err
	}
	return patch.Compile(p, h.Rate, h.Block, h.Channels)
}

func streamOf(text string, h tape.Header) (*stream.Stream, error) {
	plan, err := planOf(text, h)
	if err != nil {
		return nil, err
	}
	return stream.New(plan)
}
