//go:build sim

package replica

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// simTraces opens the file named by CHRONUS_SIM_TRACES. TestSim writes one line a run into it: the
// seed, and the hash of the run's trace. Equal files before and after a change of the code show
// that the behaviour is the same.
func simTraces(t *testing.T) io.Writer {
	name := os.Getenv("CHRONUS_SIM_TRACES")
	if name == "" {
		return io.Discard
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatalf("CHRONUS_SIM_TRACES: %v", err)
	}
	out := bufio.NewWriter(f)
	t.Cleanup(func() {
		if err := out.Flush(); err != nil {
			t.Errorf("CHRONUS_SIM_TRACES: %v", err)
		}
		_ = f.Close()
	})
	return out
}

// simTrace hashes what an observer of a run can see. The hash contains neither texts nor names of
// Go identifiers, except those of events.
type simTrace struct{ hash *xxhash.Digest }

func (s *simTrace) number(list ...uint64) {
	for _, x := range list {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], x)
		_, _ = s.hash.Write(b[:])
	}
}

// simEventFields are the numbers of events that belong to the trace.
var simEventFields = []string{"Slot", "Generation", "Block", "Epoch", "From", "To", "Commands", "First", "Commit", "Workers"}

// add hashes the kind of an event and its numbers.
func (s *simTrace) add(e report.Event) {
	kind := fmt.Sprintf("%T", e)
	_, _ = s.hash.WriteString(kind[strings.LastIndexByte(kind, '.')+1:])
	v := reflect.ValueOf(e)
	for _, name := range simEventFields {
		switch f := v.FieldByName(name); {
		case !f.IsValid():
		case f.CanInt():
			s.number(uint64(f.Int()))
		case f.CanUint():
			s.number(f.Uint())
		}
	}
}

// trace hashes the run: who ran when, events, decisions, blocks, commands, and the final state.
func (w *simWorld) trace() uint64 {
	t := &w.seenEvents
	t.number(w.digest, uint64(w.steps), uint64(w.turns), uint64(w.ticks))
	for i, d := range w.decided {
		t.number(uint64(d), shm.Hash(w.blocks[i]))
	}
	for _, c := range w.commands {
		t.number(c.Plan, c.Frame, uint64(c.Op), uint64(c.Node), uint64(c.Param), uint64(c.Value))
	}
	if w.failure != nil {
		return t.hash.Sum64()
	}
	r := w.set
	t.number(uint64(r.mem.Control.Active()), r.mem.Control.Clock(), r.mem.Control.Committed(), r.failovers.Count(), r.failovers.Flips(),
		r.plans.Current().Number, r.log.Last(), uint64(r.log.Len()), r.checkpoint.last.Block, r.checkpoint.last.Seq, r.checkpoint.last.Plan, uint64(len(r.log.Amended())))
	for _, s := range r.slots {
		t.number(s.Generation, uint64(s.Phase), s.Compared, uint64(s.Agreed), s.Retired.Head)
	}
	for _, f := range r.failovers.List() {
		t.number(uint64(f.Slot), f.Generation)
	}
	return t.hash.Sum64()
}
