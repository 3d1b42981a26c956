package tape_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/shm"
)

const (
	rate, block, channels = 48000, 64, 1

	sine  = "version: 1\nnodes: [{id: a, type: sine}]\ncables: [a > out]\n"
	quiet = "version: 1\nnodes: [{id: a, type: sine, params: {gain: 0.1}}]\ncables: [a > out]\n"
)

func compile(t *testing.T, text string) *patch.Plan {
	t.Helper()
	p, err := patch.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, rate, block, channels)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func open(t *testing.T, text string) *stream.Stream {
	t.Helper()
	s, err := stream.New(compile(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// recording is a tape that the test records, as an engine would.
type recording struct {
	t   *testing.T
	s   *stream.Stream
	w   *tape.Writer
	out bytes.Buffer
	n   uint64
	seq uint64
}

func record(t *testing.T) *recording {
	r := &recording{t: t, s: open(t, sine)}
	w, err := tape.NewWriter(&r.out, tape.Header{Patch: sine, Rate: rate, Block: block, Channels: channels, Plan: 1})
	if err != nil {
		t.Fatal(err)
	}
	r.w = w
	r.s.Start(0, 0)
	return r
}

func (r *recording) write(l tape.Line) {
	r.t.Helper()
	if err := r.w.Write(l); err != nil {
		r.t.Fatal(err)
	}
}

// frequency sets the parameter 0 of node 0 by a command of a plan. A stream of another plan drops
// the command.
func (r *recording) frequency(hz float64, plan uint64, drop bool) {
	r.seq++
	r.write(tape.Line{Command: &tape.Command{Seq: r.seq, Plan: plan, Op: uint16(shm.OpSet), Value: hz}})
	if drop {
		r.s.Drop(r.seq)
		return
	}
	r.s.Push(stream.Command{Seq: r.seq, Kind: stream.Kind(shm.OpSet), Value: hz})
}

func (r *recording) blocks(count int) {
	samples := make([]float32, block*channels)
	for range count {
		r.s.Render(samples)
		r.write(tape.Line{Block: &tape.Block{N: r.n, Seq: r.seq, Heard: shm.Hash(samples)}})
		r.n++
	}
}

// text returns the lines of the tape.
func (r *recording) text() []string {
	r.t.Helper()
	if err := r.w.Flush(); err != nil {
		r.t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(r.out.String(), "\n"), "\n")
}

func song(t *testing.T) []string {
	r := record(t)
	r.blocks(10)
	r.frequency(330, 1, false)
	r.frequency(500, 7, true) // of another plan
	r.blocks(10)
	// A change of the patch while it plays.
	next, err := r.s.PrepareTransition(compile(t, quiet))
	if err != nil {
		t.Fatal(err)
	}
	r.seq++
	r.write(tape.Line{Plan: &tape.Plan{Number: 2, Text: quiet}})
	r.write(tape.Line{Command: &tape.Command{Seq: r.seq, Op: uint16(shm.OpPlan), Value: 2}})
	r.s.Switch(next, r.seq)
	r.s = next
	r.blocks(20)
	// Another patch from its initial state.
	r.write(tape.Line{Patch: &tape.Patch{Text: sine, Plan: 3, N: r.n, Seq: r.seq}})
	r.s = open(t, sine)
	r.s.Start(r.n, r.seq)
	r.frequency(220, 3, false)
	r.blocks(10)
	return r.text()
}

func verify(lines []string) (tape.Result, error) {
	return tape.Verify(strings.NewReader(strings.Join(lines, "")), tape.Options{}, nil)
}

func TestReaderRendersWhatWasRecorded(t *testing.T) {
	lines := song(t)
	got, err := verify(lines)
	if want := (tape.Result{Blocks: 50}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	var numbers []uint64
	r, err := tape.NewReader(strings.NewReader(strings.Join(lines, "")), tape.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || !p.Same || len(p.Samples) != block*channels {
			t.Fatalf("block %d: %v, same %t, %d samples", p.N, err, p.Same, len(p.Samples))
		}
		numbers = append(numbers, p.N)
	}
	if len(numbers) != 50 || numbers[49] != 49 || r.Stream().Block() != 50 {
		t.Errorf("blocks %v, then %d", numbers, r.Stream().Block())
	}
}

// A tape that begins in the middle carries the state of its stream.
func TestReaderContinuesFromState(t *testing.T) {
	s := open(t, sine)
	s.Start(0, 0)
	samples := make([]float32, block*channels)
	for range 7 {
		s.Render(samples)
	}
	state, err := s.Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	h := tape.Header{Patch: sine, Rate: rate, Block: block, Channels: channels, From: 7, Plan: 1, State: state}
	w, err := tape.NewWriter(&out, h)
	if err != nil {
		t.Fatal(err)
	}
	s.Render(samples)
	if err := errors.Join(w.Write(tape.Line{Block: &tape.Block{N: 7, Heard: shm.Hash(samples)}}), w.Flush()); err != nil {
		t.Fatal(err)
	}
	if got, err := tape.Verify(&out, tape.Options{}, nil); err != nil || got != (tape.Result{Blocks: 1, First: 7}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReaderFindsDamage(t *testing.T) {
	lines := song(t)
	edit := func(f func([]string) []string) []string { return f(append([]string(nil), lines...)) }
	for _, tt := range []struct {
		name, err string
		changed   uint64
		lines     []string
	}{
		{"a changed block", "", 1, edit(func(l []string) []string {
			l[5] = regexp.MustCompile(`"heard":"\d+"`).ReplaceAllString(l[5], `"heard":"1"`)
			return l
		})},
		{"a missing block", "missing or there twice", 0, append(edit(func(l []string) []string { return l[:5] }), lines[6:]...)},
		{"a duplicate block", "missing or there twice", 0, append(edit(func(l []string) []string { return l[:6] }), lines[5:]...)},
		{"a missing command", "command 1 is not on the tape", 0, append(edit(func(l []string) []string { return l[:11] }), lines[12:]...)},
		{"a missing plan", "plan 2 is not on the tape", 0, append(edit(func(l []string) []string { return l[:23] }), lines[24:]...)},
		{"an early end", "line 6: no disk", 0, append(edit(func(l []string) []string { return l[:5] }), `{"error":"no disk"}`)},
		{"a line that is not JSON", "tape line 6", 0, append(edit(func(l []string) []string { return l[:5] }), "{\n", lines[5])},
		{"another version", "version 2", 0, []string{strings.Replace(lines[0], `"version":1`, `"version":2`, 1)}},
		{"nothing", "no header", 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := verify(tt.lines)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if tt.err == "" && got.Changed != tt.changed {
				t.Errorf("%d blocks changed, want %d", got.Changed, tt.changed)
			}
		})
	}
	// A writer that was killed leaves half a line. The tape ends before it.
	cut := append(edit(func(l []string) []string { return l[:6] }), lines[6][:20])
	if got, err := verify(cut); err != nil || got.Blocks != 5 || got.Changed != 0 {
		t.Errorf("half a line: %+v, %v", got, err)
	}
}

func TestWriterFail(t *testing.T) {
	r := record(t)
	r.blocks(1)
	if err := r.w.Fail("no disk"); err == nil || err.Error() != "tape: no disk" {
		t.Error(err)
	}
	var last tape.Line
	lines := r.text()
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Error != "no disk" {
		t.Errorf("%+v, %v", last, err)
	}
}

// Tapes that earlier programs wrote stay readable: the names of a command are those of shm.Command.
func TestCommandFormat(t *testing.T) {
	c := shm.Command{Seq: 1, Plan: 2, Frame: 3, Op: 4, Node: 5, Param: 6, Value: 7.5}
	old, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	now, err := json.Marshal(tape.Command{Seq: 1, Plan: 2, Frame: 3, Op: 4, Node: 5, Param: 6, Value: 7.5})
	if err != nil || !bytes.Equal(old, now) {
		t.Errorf("%s, before %s; %v", now, old, err)
	}
}
