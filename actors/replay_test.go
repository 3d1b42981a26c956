package actors_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

// replay renders a tape and compares every block with what was heard. It is written apart from the
// command's own reader of tapes, so that neither hides a mistake of the other.
func replay(r io.Reader) error {
	in := bufio.NewReader(r)
	dec := json.NewDecoder(in)
	var h actors.TapeHeader
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
	commands := map[uint64]shm.Command{}
	out := make([]float32, h.Block*h.Channels)
	n, seq, plan := h.From, h.Seq, h.Plan
	texts := map[uint64]string{}
	for {
		var l actors.TapeLine
		if err := dec.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if l.Error != "" {
			return fmt.Errorf("the tape ends: %s", l.Error)
		}
		if l.Command != nil {
			commands[l.Command.Seq] = *l.Command
			continue
		}
		if l.Patch != nil {
			if s, err = streamOf(l.Patch.Text, h); err != nil {
				return err
			}
			s.Start(l.Patch.N, l.Patch.Seq)
			seq, plan = l.Patch.Seq, l.Patch.Plan
			continue
		}
		if l.Plan != nil {
			texts[l.Plan.Number] = l.Plan.Text
			continue
		}
		if l.Block.N != n {
			return fmt.Errorf("block %d where %d should be", l.Block.N, n)
		}
		for ; seq < l.Block.Seq; seq++ {
			c, ok := commands[seq+1]
			if !ok {
				return fmt.Errorf("command %d is missing in block %d", seq+1, n)
			}
			if l.Block.Skip {
				continue
			}
			if c.Op == shm.OpPlan {
				p, err := planOf(texts[uint64(c.Value)], h)
				if err != nil {
					return err
				}
				next, err := s.Follow(p)
				if err != nil {
					return err
				}
				s.HandOver(next, c.Seq)
				s, plan = next, uint64(c.Value)
				continue
			}
			if c.Plan != plan && c.Op != shm.OpNone {
				c.Op = shm.Ops // what is of another plan is ignored
			}
			s.Push(stream.Command{Seq: c.Seq, Frame: c.Frame, Kind: stream.Kind(c.Op), Node: c.Node, Param: c.Param, Value: c.Value})
		}
		s.Render(out)
		if shm.Hash(out) != l.Block.Heard {
			return fmt.Errorf("block %d was heard otherwise than it renders", n)
		}
		n++
	}
	if n < h.From+20 {
		return fmt.Errorf("only %d blocks are on the tape", n-h.From)
	}
	return nil
}

func planOf(text string, h actors.TapeHeader) (*patch.Plan, error) {
	p, err := patch.Parse("tape", []byte(text))
	if err != nil {
		return nil, err
	}
	return patch.Compile(p, h.Rate, h.Block, h.Channels)
}

func streamOf(text string, h actors.TapeHeader) (*stream.Stream, error) {
	plan, err := planOf(text, h)
	if err != nil {
		return nil, err
	}
	return stream.New(plan)
}
