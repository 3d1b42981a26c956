package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/shm"
)

var errStopped = errors.New("the engine has been stopped")

// tapeEvery is the time between reads of the journal. The journal keeps its entries for longer.
const tapeEvery = 20 * time.Millisecond

// recorder writes one tape.
type recorder struct {
	rig *rig
	out *tape.Writer
	n   uint64 // next block
	seq uint64 // last command written

	amended int // commands of the log's amended list that were written
	changes int // changes of the rig's list that were written
}

// record writes a tape to w until ctx ends, then up to the clock of that moment. It calls begun, if not
// nil, once every later command will be on the tape.
func (r *rig) record(ctx context.Context, w io.Writer, begun func()) error {
	r.mu.Lock()
	kept, over := r.kept, r.stopping
	amended, changes := len(r.log.Amended()), len(r.changes)
	if !over {
		r.tapes.Add(1)
		defer r.tapes.Done()
	}
	r.mu.Unlock()
	if over {
		return errStopped
	}
	out, err := tape.NewWriter(w, tape.Header{
		Patch: string(kept.Text), Rate: r.cfg.Rate, Block: r.cfg.Block, Channels: r.cfg.Channels,
		From: kept.Block, Seq: kept.Seq, Plan: kept.Plan, State: kept.Bytes,
	})
	t := &recorder{rig: r, out: out, n: kept.Block, seq: kept.Seq, amended: amended, changes: changes}
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
	t.rig.mu.Lock()
	amended, changes := t.rig.log.Amended()[t.amended:], t.rig.changes[t.changes:]
	if len(changes) > 0 {
		t.seq = max(t.seq, changes[len(changes)-1].at.Seq) // earlier commands have entered, or never will
	}
	commands, ok := t.rig.log.After(t.seq)
	t.rig.mu.Unlock()
	if !ok {
		return t.out.Fail("commands are gone: the tape was read too slowly")
	}
	// Read the clock after the commands, so that the commands of every played block are among them.
	clock := t.rig.control.Clock()
	for _, list := range [][]shm.Command{amended, commands} {
		for i := range list {
			if err := t.command(&list[i]); err != nil {
				return err
			}
			t.seq = max(t.seq, list[i].Seq)
		}
	}
	t.amended += len(amended)
	for ; t.n < clock; t.n++ {
		if len(changes) > 0 && changes[0].at.Block == t.n {
			c := changes[0]
			p := &tape.Patch{Text: string(c.text), Plan: c.at.Plan, N: t.n, Seq: c.at.Seq}
			if err := t.out.Write(tape.Line{Patch: p}); err != nil {
				return err
			}
			changes = changes[1:]
			t.changes++
		}
		d, ok := t.rig.journal.Decision(t.n)
		hash, heard := t.rig.control.Heard(t.n)
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
		t.rig.mu.Lock()
		text, err := t.rig.textOf(uint64(c.Value))
		t.rig.mu.Unlock()
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
