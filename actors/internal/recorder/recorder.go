// Package recorder writes tapes while an engine plays: every command, and every block that was
// played, from a checkpoint on.
package recorder

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/shm"
)

// every is the time between reads of the journal. The journal keeps its entries for longer.
const every = 20 * time.Millisecond

// Restart is another patch that all workers began, at a state.
type Restart struct {
	Text []byte
	At   shm.State // the first block, and the last command before
}

// Position is how much of a Source a tape has.
type Position struct {
	Seq      uint64 // last command written
	Amended  int    // commands of the amended ones
	Restarts int
}

// News is what a Source has beyond a Position.
type News struct {
	Amended  []shm.Command // commands that took the place of others
	Commands []shm.Command
	Restarts []Restart
}

// Source is what a tape is written of.
type Source interface {
	// BeginTape returns the checkpoint to begin with, and its Position. The Source stays usable until
	// EndTape. The error says that the engine has been stopped.
	BeginTape() (shm.Checkpoint, Position, error)
	EndTape()
	// TapeNews returns what is new. ok is false if commands are gone.
	TapeNews(Position) (n News, ok bool)
	// PlanText returns the text of a plan.
	PlanText(number uint64) ([]byte, error)
	// Stopping returns a channel that is closed when the engine is stopped.
	Stopping() <-chan struct{}
	// Memory returns the journal and the clock.
	Memory() memory.Memory
}

// recorder writes one tape.
type recorder struct {
	src Source
	out *tape.Writer
	n   uint64 // next block
	at  Position
}

// Record writes a tape to w until ctx ends, then up to the clock of that moment. It calls begun,
// unless nil, once every later command will be on the tape.
func Record(ctx context.Context, src Source, w io.Writer, begun func()) error {
	from, at, err := src.BeginTape()
	if err != nil {
		return err
	}
	defer src.EndTape()
	t := &recorder{src: src, n: from.Block, at: at}
	g := src.Memory().Geometry
	t.out, err = tape.NewWriter(w, tape.Header{
		Patch: string(from.Text), Rate: int(g.Rate), Block: int(g.Block), Channels: int(g.Channels),
		From: from.Block, Seq: from.Seq, Plan: from.Plan, State: from.Bytes,
	})
	if begun != nil {
		begun()
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for err == nil {
		select {
		case <-ctx.Done():
			return t.catchUp()
		case <-src.Stopping():
			return t.catchUp()
		case <-tick.C:
			err = t.catchUp()
		}
	}
	return err
}

// catchUp writes everything that is new, and flushes.
func (t *recorder) catchUp() error {
	if err := t.write(); err != nil {
		_ = t.out.Flush()
		return err
	}
	return t.out.Flush()
}

// write writes the new commands, then the blocks that were played since the last call.
func (t *recorder) write() error {
	news, ok := t.src.TapeNews(t.at)
	if !ok {
		return t.out.Fail("commands are gone: the tape was read too slowly")
	}
	if n := len(news.Restarts); n > 0 {
		t.at.Seq = max(t.at.Seq, news.Restarts[n-1].At.Seq)
	}
	// Read the clock after the commands, so that the commands of every played block are among them.
	clock := t.src.Memory().Control.Clock()
	for _, list := range [][]shm.Command{news.Amended, news.Commands} {
		for i := range list {
			if err := t.command(&list[i]); err != nil {
				return err
			}
			t.at.Seq = max(t.at.Seq, list[i].Seq)
		}
	}
	t.at.Amended += len(news.Amended)
	return t.blocks(clock, news.Restarts)
}

// blocks writes the blocks before the clock, and the restarts among them.
func (t *recorder) blocks(clock uint64, restarts []Restart) error {
	mem := t.src.Memory()
	for ; t.n < clock; t.n++ {
		if len(restarts) > 0 && restarts[0].At.Block == t.n {
			x := restarts[0]
			p := &tape.Patch{Text: string(x.Text), Plan: x.At.Plan, N: t.n, Seq: x.At.Seq}
			if err := t.out.Write(tape.Line{Patch: p}); err != nil {
				return err
			}
			restarts = restarts[1:]
			t.at.Restarts++
		}
		d, ok := mem.Journal.Decision(t.n)
		hash, heard := mem.Control.Heard(t.n)
		if !ok || !heard {
			return t.out.Fail(fmt.Sprintf("block %d is gone: the tape was read too slowly", t.n))
		}
		if d.Seq() > t.at.Seq {
			return nil // the next call has the command
		}
		b := &tape.Block{N: t.n, Seq: d.Seq(), Skip: d.Skip(), Heard: hash}
		if err := t.out.Write(tape.Line{Block: b}); err != nil {
			return err
		}
	}
	return nil
}

// command writes a command. Before a command that switches to another plan, it writes the plan.
func (t *recorder) command(c *shm.Command) error {
	if c.Op == shm.OpPlan {
		text, err := t.src.PlanText(uint64(c.Value))
		if err != nil {
			return t.out.Fail(err.Error())
		}
		p := &tape.Plan{Number: uint64(c.Value), Text: string(text)}
		if err := t.out.Write(tape.Line{Plan: p}); err != nil {
			return err
		}
	}
	return t.out.Write(tape.Line{Command: &tape.Command{
		Seq: c.Seq, Plan: c.Plan, Frame: c.Frame, Op: uint16(c.Op), Node: c.Node, Param: c.Param, Value: c.Value,
	}})
}
