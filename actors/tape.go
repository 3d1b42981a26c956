package actors

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/music-chronus/chronus/shm"
)

// A tape is what was decided, and enough to hear it again: JSON lines, first a TapeHeader,
// then TapeLines in the order of time. Rendering the header's state through the lines gives, bit
// for bit, what was played; each block line has the hash of what was.

// TapeHeader is the first line.
type TapeHeader struct {
	Version  int    `json:"version"` // 1
	Patch    string `json:"patch"`   // the text
	Rate     int    `json:"rate"`
	Block    int    `json:"block"`
	Channels int    `json:"channels"`
	From     uint64 `json:"from"`            // the first block
	Seq      uint64 `json:"seq"`             // last command before it
	Plan     uint64 `json:"plan"`            // the number of the patch's plan
	State    []byte `json:"state,omitempty"` // of the stream at From; none: nothing was rendered before
}

// TapeLine is a command, in whose place a later one of the same Seq comes; a block that was played; a plan, before the command to go on with it; or another patch that
// plays from nothing.
type TapeLine struct {
	Command *shm.Command `json:"command,omitempty"`
	Block   *TapeBlock   `json:"block,omitempty"`
	Plan    *TapePlan    `json:"plan,omitempty"`
	Patch   *TapePatch   `json:"patch,omitempty"`
	Error   string       `json:"error,omitempty"` // the tape ends early, for this reason
}

// TapeBlock is one block: the last command that entered it, whether the new ones were left out,
// and the hash of its samples as they were played.
type TapeBlock struct {
	N     uint64 `json:"n"`
	Seq   uint64 `json:"seq"`
	Skip  bool   `json:"skip,omitempty"`
	Heard uint64 `json:"heard,string"`
}

// TapePatch is a patch that plays from block N on, from nothing, with the commands after Seq.
type TapePatch struct {
	Text string `json:"text"`
	Plan uint64 `json:"plan"` // the number of its plan
	N    uint64 `json:"n"`
	Seq  uint64 `json:"seq"`
}

// TapePlan is a patch that streams can go on with while they play.
type TapePlan struct {
	Number uint64 `json:"number"`
	Text   string `json:"text"`
}

var errStopped = errors.New("the engine has been stopped")

// tapeEvery is how often the journal is read: far more often than it laps.
const tapeEvery = 20 * time.Millisecond

// tape writes one tape.
type tape struct {
	rig *rig
	out *bufio.Writer
	enc *json.Encoder
	n   uint64 // next block
	seq uint64 // last command written

	amended int // of the rig's list, those that were written
	changes int // likewise
}

// record writes a tape to w until ctx ends, then up to the clock of that moment. begun, if not
// nil, is called once every command from then on will be on the tape.
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
	out := bufio.NewWriterSize(w, 1<<16)
	t := &tape{rig: r, out: out, enc: json.NewEncoder(out), n: kept.Block, seq: kept.Seq, amended: amended, changes: changes}
	err := t.enc.Encode(TapeHeader{
		Version: 1, Patch: string(kept.Text), Rate: r.cfg.Rate, Block: r.cfg.Block, Channels: r.cfg.Channels,
		From: kept.Block, Seq: kept.Seq, Plan: kept.Plan, State: kept.Bytes,
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

// catchUp writes what has come since, and flushes.
func (t *tape) catchUp() error {
	if err := t.write(); err != nil {
		_ = t.out.Flush()
		return err
	}
	return t.out.Flush()
}

// write writes the commands that have come, then the blocks that were played since.
func (t *tape) write() error {
	t.rig.mu.Lock()
	amended, changes := t.rig.log.Amended()[t.amended:], t.rig.changes[t.changes:]
	if len(changes) > 0 {
		t.seq = max(t.seq, changes[len(changes)-1].at.Seq) // commands before it have entered, or never will
	}
	commands, ok := t.rig.log.After(t.seq)
	t.rig.mu.Unlock()
	if !ok {
		return t.fail("commands are gone: the tape was read too slowly")
	}
	// The clock is read after the commands: what entered a played block is among them.
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
			if err := t.enc.Encode(TapeLine{Patch: &TapePatch{Text: string(c.text), Plan: c.at.Plan, N: t.n, Seq: c.at.Seq}}); err != nil {
				return err
			}
			changes = changes[1:]
			t.changes++
		}
		d, ok := t.rig.journal.Decision(t.n)
		hash, heard := t.rig.control.Heard(t.n)
		if !ok || !heard {
			return t.fail(fmt.Sprintf("block %d is gone: the tape was read too slowly", t.n))
		}
		if d.Seq() > t.seq {
			return nil // its command comes with the next look
		}
		if err := t.enc.Encode(TapeLine{Block: &TapeBlock{N: t.n, Seq: d.Seq(), Skip: d.Skip(), Heard: hash}}); err != nil {
			return err
		}
	}
	return nil
}

// command writes a command; before one to go on with another plan, that.
func (t *tape) command(c *shm.Command) error {
	if c.Op == shm.OpPlan {
		t.rig.mu.Lock()
		text, err := t.rig.textOf(uint64(c.Value))
		t.rig.mu.Unlock()
		if err != nil {
			return t.fail(err.Error())
		}
		if err := t.enc.Encode(TapeLine{Plan: &TapePlan{uint64(c.Value), string(text)}}); err != nil {
			return err
		}
	}
	return t.enc.Encode(TapeLine{Command: c})
}

func (t *tape) fail(why string) error {
	_ = t.enc.Encode(TapeLine{Error: why})
	return fmt.Errorf("tape: %s", why)
}
