package replica

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/shm"
)

// tapeEvery is the time between reads of the journal. The journal keeps its entries for longer.
const tapeEvery = 20 * time.Millisecond

// recorder writes one tape.
type recorder struct {
	set *Set
	out *tape.Writer
	n   uint64 // next block
	seq uint64 // last command written

	amended  int // commands of the log's amended list that were written
	restarts int // of the Set's list, those that were written
}

// Record writes a tape to w until ctx ends, then up to the clock of that moment. It calls begun,
// unless nil, once every later command will be on the tape.
func (r *Set) Record(ctx context.Context, w io.Writer, begun func()) error {
	r.mu.Lock()
	from, over := r.checkpoint.last, r.life.stopping
	t := &recorder{set: r, n: from.Block, seq: from.Seq, amended: len(r.log.Amended()), restarts: len(r.restarts)}
	if !over {
		r.tapes.Add(1)
		defer r.tapes.Done()
	}
	r.mu.Unlock()
	if over {
		return ErrStopped
	}
	g := r.mem.Geometry
	var err error
	t.out, err = tape.NewWriter(w, tape.Header{
		Patch: string(from.Text), Rate: int(g.Rate), Block: int(g.Block), Channels: int(g.Channels),
		From: from.Block, Seq: from.Seq, Plan: from.Plan, State: from.Bytes,
	})
	if begun != nil {
		begun()
	}
	tick := time.NewTicker(tapeEvery)
	defer tick.Stop()
	for err == nil {
		select {
		case <-ctx.Done():
			return t.catchUp()
		case <-r.quit:
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
	t.set.mu.Lock()
	amended, restarts := t.set.log.Amended()[t.amended:], t.set.restarts[t.restarts:]
	if len(restarts) > 0 {
		t.seq = max(t.seq, restarts[len(restarts)-1].at.Seq) // earlier commands have entered, or never will
	}
	commands, ok := t.set.log.After(t.seq)
	t.set.mu.Unlock()
	if !ok {
		return t.out.Fail("commands are gone: the tape was read too slowly")
	}
	// Read the clock after the commands, so that the commands of every played block are among them.
	clock := t.set.mem.Control.Clock()
	for _, list := range [][]shm.Command{amended, commands} {
		for i := range list {
			if err := t.command(&list[i]); err != nil {
				return err
			}
			t.seq = max(t.seq, list[i].Seq)
		}
	}
	t.amended += len(amended)
	return t.blocks(clock, restarts)
}

// blocks writes the blocks before the clock, and the restarts among them.
func (t *recorder) blocks(clock uint64, restarts []restart) error {
	for ; t.n < clock; t.n++ {
		if len(restarts) > 0 && restarts[0].at.Block == t.n {
			x := restarts[0]
			p := &tape.Patch{Text: string(x.text), Plan: x.at.Plan, N: t.n, Seq: x.at.Seq}
			if err := t.out.Write(tape.Line{Patch: p}); err != nil {
				return err
			}
			restarts = restarts[1:]
			t.restarts++
		}
		d, ok := t.set.mem.Journal.Decision(t.n)
		hash, heard := t.set.mem.Control.Heard(t.n)
		if !ok || !heard {
			return t.out.Fail(fmt.Sprintf("block %d is gone: the tape was read too slowly", t.n))
		}
		if d.Seq() > t.seq {
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
		t.set.mu.Lock()
		text, err := t.set.plans.Text(uint64(c.Value))
		t.set.mu.Unlock()
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
