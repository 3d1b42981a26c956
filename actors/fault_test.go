package actors_test

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/osc"
)

// bombPatch has a tone that must go on, and a bomb beside it.
const bombPatch = `
version: 1
name: bombs
nodes:
  - {id: tone, type: sine, params: {freq: 330, gain: 0.25}}
  - {id: fuel, type: sine, params: {freq: 220, gain: 0.25}}
  - {id: bomb1, type: bomb}
cables: [tone > out, fuel > bomb1 > out]
freq: tone.freq
`

func withPatch(text string) func(*actors.Config) {
	return func(c *actors.Config) { c.Patch, c.PatchName = []byte(text), "bombs" }
}

// client is an OSC client that keeps every reply.
type client struct {
	t    *testing.T
	conn net.Conn
}

func dial(t *testing.T, e *actors.Engine) client {
	t.Helper()
	c, err := net.Dial("udp", status(t, e).OSC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return client{t, c}
}

func (c client) send(address string, args ...any) {
	c.t.Helper()
	packet, err := osc.Encode(address, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.conn.Write(packet); err != nil {
		c.t.Fatal(err)
	}
}

// await reads replies until one contains want.
func (c client) await(want string) {
	c.t.Helper()
	buf := make([]byte, 1<<16)
	var got []string
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			c.t.Fatalf("no reply with %q: %v; replies %q", want, err, got)
		}
		var d osc.Decoder
		d.Decode(buf[:n], func(m *osc.Message) { got = append(got, m.String()) }, func(*osc.DecodeError) {})
		if strings.Contains(got[len(got)-1], want) {
			return
		}
	}
}

// said tells whether some event contains every one of the words.
func said(st actors.Status, words ...string) bool {
	return slices.ContainsFunc(st.Events, func(e string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e, w) })
	})
}

// A command that ends the worker that takes it is left out by the next, or by all when they begin
// again: its sender is told, and the sound is that of the stream without it.
func TestPoisonCommand(t *testing.T) {
	for _, tt := range []struct {
		kind     string
		replicas int
		silent   bool // it may be: every worker ends of it before it is known for what it is
	}{{"panic", 2, false}, {"fault", 2, false}, {"panic", 3, false}, {"exit", 2, true}, {"hang", 2, true}, {"panic", 1, true}} {
		t.Run(fmt.Sprint(tt.kind, tt.replicas), func(t *testing.T) {
			e := start(t, withPatch(bombPatch), func(c *actors.Config) { c.Replicas = tt.replicas })
			c := dial(t, e)
			before := status(t, e)
			taped(t, e, func() {
				for range 2 {
					until(t, e, "redundant", redundant)
					c.send("/mod/bomb1/kind", tt.kind)
					c.await(`/fail "/mod/bomb1/kind" "quarantined: the command crashed a worker in node \"bomb1\"`)
					c.send("/engine/freq", float32(300))
					c.await(`/done "/engine/freq"`)
				}
				until(t, e, "redundant", redundant)
			})
			after := status(t, e)
			if lost := after.Concealed - before.Concealed; lost > 0 && !tt.silent {
				t.Errorf("%d blocks concealed", lost)
			}
			if !said(after, "quarantined 1 commands", "bomb1") || after.Patch != "bombs" {
				t.Errorf("patch %s, events %q", after.Patch, after.Events)
			}
		})
	}
}

// A node that ends every worker, of no command that has just come, is left out; the rest plays on.
func TestPoisonState(t *testing.T) {
	for _, kind := range []string{"panic", "hang"} {
		t.Run(kind, func(t *testing.T) {
			e := start(t, withPatch(bombPatch))
			c := dial(t, e)
			taped(t, e, func() {
				c.send("/mod/bomb1/fuse", float32(0.3))
				c.send("/mod/bomb1/kind", kind)
				until(t, e, "the bomb has gone off", func(st actors.Status) bool { return said(st, "node bomb1 is bypassed") })
				st := until(t, e, "plays again", redundant)
				until(t, e, "plays on", func(now actors.Status) bool { return now.Redundant && now.Clock > st.Clock+500 })
			})
			if st := status(t, e); st.FallbackReason != "" || st.Patch != "bombs" {
				t.Errorf("patch %s: %s", st.Patch, st.FallbackReason)
			}
		})
	}
}

// A patch that ends every worker as it is loaded, or again and again whatever is left out, is given
// up for the default patch, aloud, and never loaded again.
func TestStepDown(t *testing.T) {
	atLoad := strings.Replace(bombPatch, "type: bomb}", "type: bomb, params: {kind: panic}}", 1)
	again := "version: 1\nname: bombs\nnodes:\n  - {id: tone, type: sine}\n"
	cables := "cables:\n  - tone"
	for i := range 8 {
		again += fmt.Sprintf("  - {id: b%d, type: bomb, params: {fuse: 0.3, kind: panic}}\n", i)
		cables += fmt.Sprintf(" > b%d", i)
	}
	for name, text := range map[string]string{"at load": atLoad, "again and again": again + cables + " > out\n"} {
		t.Run(name, func(t *testing.T) {
			e := start(t, withPatch(text))
			st := until(t, e, "another patch plays", func(st actors.Status) bool { return st.Patch == "the default patch" && st.Redundant })
			taped(t, e, func() {
				if got := ask(t, e, "/gate/adsr1", "on"); got != `/done "/gate/adsr1"` {
					t.Errorf("the default patch does not answer: %s", got)
				}
				if got := ask(t, e, "/mod/tone/freq", 300); !strings.HasPrefix(got, `/fail "/mod/tone/freq"`) {
					t.Errorf("the patch that was given up still answers: %s", got)
				}
				until(t, e, "plays on", func(now actors.Status) bool { return now.Clock > st.Clock+500 && now.Redundant })
			})
			if !said(st, "patch bombs is abandoned, the default patch plays") || st.FallbackReason == "" {
				t.Errorf("it is not said: %q, %q", st.FallbackReason, st.Events)
			}
		})
	}
}

// A tape runs over the change of the patch.
func TestStepDownOnTape(t *testing.T) {
	e := start(t, withPatch(bombPatch))
	c := dial(t, e)
	taped(t, e, func() {
		c.send("/mod/bomb1/fuse", float32(0.2))
		c.send("/mod/bomb1/kind", "panic")
		until(t, e, "the bomb has gone off", func(st actors.Status) bool { return said(st, "node bomb1 is bypassed") && st.Redundant })
		actors.StepDown(e, "a test's reason")
		st := until(t, e, "another patch plays", func(st actors.Status) bool { return st.Patch == "the default patch" && st.Redundant })
		ask(t, e, "/gate/adsr1", "on")
		until(t, e, "plays on", func(now actors.Status) bool { return now.Clock > st.Clock+500 && now.Redundant })
	})
}

// A node that puts out what is no sound is silenced and reset, and said; nothing is louder than
// full scale, an offset is taken away; no worker is lost.
func TestBadSound(t *testing.T) {
	e := start(t, withPatch(bombPatch))
	before := status(t, e)
	taped(t, e, func() {
		for _, tt := range []struct{ kind, want string }{
			{"nan", "node bomb1 produced NaN, infinity"}, {"inf", "node bomb1 produced NaN, infinity"},
			{"huge", "the output was limited"}, {"offset", "an offset removed"},
		} {
			was := status(t, e).Sound
			ask(t, e, "/mod/bomb1/kind", tt.kind)
			st := until(t, e, tt.kind, func(st actors.Status) bool { return st.Sound != was && said(st, tt.want) })
			if st.Sound.Faults > 0 && st.Sound.FaultNode != 3 {
				t.Errorf("%s: node %d is blamed", tt.kind, st.Sound.FaultNode)
			}
			ask(t, e, "/mod/bomb1/kind", "none")
		}
	})
	after := status(t, e)
	if after.FailoversTotal != before.FailoversTotal || after.Concealed != before.Concealed {
		t.Errorf("%d failovers, %d blocks concealed", after.FailoversTotal-before.FailoversTotal, after.Concealed-before.Concealed)
	}
}

// flipFile is where workers queue up to flip a bit: the one that comes as number flipTurn does.
const (
	flipFile = "CHRONUS_TEST_FLIP_FILE"
	flipTurn = "CHRONUS_TEST_FLIP_TURN"
)

func flips() bool {
	for i := 0; ; i++ {
		f, err := os.OpenFile(fmt.Sprint(os.Getenv(flipFile), i), os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			f.Close()
			return os.Getenv(flipTurn) == fmt.Sprint(i)
		}
		if i > 8 {
			return false
		}
	}
}

// A bit that flips in one worker's memory is found in its very block, and that worker is replaced,
// whether it is heard (it is the first to render a block) or stands by; of three by the vote of the
// others, of two by a witness.
func TestFlippedBit(t *testing.T) {
	for _, tt := range []struct {
		replicas int
		turn     string
	}{{2, "0"}, {2, "1"}, {3, "0"}, {3, "2"}, {4, "1"}} {
		t.Run(fmt.Sprint(tt.turn, " of ", tt.replicas), func(t *testing.T) {
			t.Setenv(flipFile, t.TempDir()+"/turn")
			t.Setenv(flipTurn, tt.turn)
			e := start(t, withPatch(bombPatch), func(c *actors.Config) { c.Replicas = tt.replicas })
			before := until(t, e, "redundant", redundant)
			ask(t, e, "/mod/bomb1/kind", "flip")
			st := until(t, e, "found", func(st actors.Status) bool { return st.Mismatches > 0 })
			st = until(t, e, "replaced", func(now actors.Status) bool {
				return now.Redundant && now.FailoversTotal > before.FailoversTotal && now.Clock > st.Clock+200
			})
			replaced := 0
			for i, w := range st.Workers {
				if w.PID != before.Workers[i].PID {
					replaced++
				}
			}
			heard := before.Workers[before.Active.Slot].PID
			if lost := st.Workers[before.Active.Slot].PID != heard; lost != (tt.turn == "0") {
				t.Errorf("the worker that was heard was replaced: %t", lost)
			}
			if want := 1; replaced != want && !(tt.replicas == 2 && tt.turn == "0" && replaced == 2) {
				t.Errorf("%d workers were replaced", replaced)
			}
			if st.Concealed != before.Concealed || !said(st, "diverged in block") {
				t.Errorf("%d blocks concealed, events %q", st.Concealed-before.Concealed, st.Events)
			}
		})
	}
}
