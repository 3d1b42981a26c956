package space_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

const musicText = `version: 1
voices:
  - {id: bass, count: 1, nodes: [{id: a, type: sine}, {id: e, type: env}]}
cables: [bass > a > out]
patterns: [{number: 3, steps: "x..."}]
tracks: [{id: low, voices: bass, pattern: 3}]
`

// Resolve returns the commands of a message, or an error that says what would be right.
func TestMusicAddresses(t *testing.T) {
	p, err := patch.Parse("test", []byte(musicText))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	a, err := space.New(plan, space.Route{Entry: osc.Entry{Address: "/engine/status", Kind: osc.Query}, Kind: space.Query, Handler: "status"})
	if err != nil {
		t.Fatal(err)
	}
	seq := uint16(plan.SeqNode())
	for _, tt := range []struct {
		address string
		args    []any
		count   int
		first   shm.Command
		err     string
	}{
		{"/note/bass/on", []any{int32(40), float32(0.5)}, 1, shm.Command{Op: shm.OpNote, Node: 1, Param: 40, Value: 0.5}, ""},
		{"/note/bass/off", nil, 1, shm.Command{Op: shm.OpNote, Node: 1, Param: 128}, ""},
		{"/engine/bend", []any{float32(-2)}, 1, shm.Command{Op: shm.OpSet, Param: patch.EngineBend, Value: -2}, ""},
		{"/seq/bpm", []any{int32(97)}, 1, shm.Command{Op: shm.OpSet, Node: seq, Param: patch.SeqBPM, Value: 97}, ""},
		{"/seq/play", []any{"start"}, 1, shm.Command{Op: shm.OpSet, Node: seq, Param: patch.SeqPlay, Value: 1}, ""},
		{"/seq/ramp", []any{float32(140), float32(2.5)}, 1, shm.Command{Op: shm.OpRamp, Node: seq, Param: 25, Value: 140}, ""},
		{"/seq/low/pattern", []any{int32(7)}, 1, shm.Command{Op: shm.OpSet, Node: seq + 1, Param: patch.TrackPattern, Value: 7}, ""},
		{"/pattern/3/steps", []any{"Xx-. x"}, 6, shm.Command{Op: shm.OpSteps, Node: seq, Param: 3 << 6, Value: 5}, ""},
		{"/pattern/3/notes", []any{int32(0), int32(7)}, 64, shm.Command{Op: shm.OpStepNote, Node: seq, Param: 3 << 6}, ""},
		{"/pattern/127/gate", []any{float32(0.5)}, 64, shm.Command{Op: shm.OpStepGate, Node: seq, Param: 127 << 6, Value: 0.5}, ""},
		{"/pattern/3/steps", []any{"Xq"}, 0, shm.Command{}, "step 2 is 'q'"},
		{"/pattern/128/steps", []any{"X"}, 0, shm.Command{}, "unknown; the nearest is"},
		{"/seq/low/pattern", []any{float32(1.5)}, 0, shm.Command{}, "1.5 is not a whole number from -1 to 127"},
		{"/seq/bpm", []any{int32(5)}, 0, shm.Command{}, "5 is not a number from 20 to 400"},
		{"/note/bass/on", []any{int32(200)}, 0, shm.Command{}, "200 is not a note"},
		{"/gate/e", []any{int32(1)}, 0, shm.Command{}, "unknown"},
		{"/seq/ramp", []any{int32(500), int32(2)}, 0, shm.Command{}, "tempo 500: want 20 to 400 bpm"},
		{"/engine/status", nil, 0, shm.Command{}, ""},
		{"/seq/start", nil, 1, shm.Command{Op: shm.OpSet, Node: seq, Param: patch.SeqPlay, Value: patch.PlayStart}, ""},
		{"/seq/assign", []any{"low", 7}, 1, shm.Command{Op: shm.OpSet, Node: seq + 1, Param: patch.TrackPattern, Value: 7}, ""},
		{"/seq/assign", []any{"high", 7}, 0, shm.Command{}, `no track "high"; there are low`},
		{"/seq/assign", []any{"low", "x"}, 0, shm.Command{}, "pattern x: want a number"},
		{"/seq/pattern", []any{3, "X."}, 3, shm.Command{Op: shm.OpSteps, Node: seq, Param: 3 << 6, Value: 2}, ""},
		{"/seq/pattern", []any{128, "X."}, 0, shm.Command{}, "pattern 128: want 0 to 127"},
		{"/seq/pattern", []any{3, 4}, 0, shm.Command{}, "steps: want a string"},
		{"/seq/gate_len", []any{3, 0.5}, 64, shm.Command{Op: shm.OpStepGate, Node: seq, Param: 3 << 6, Value: 0.5}, ""},
		{"/seq/gate_len", []any{3, 2}, 0, shm.Command{}, "gate 2: want 0.05 to 1 of a step"},
	} {
		packet, err := osc.Encode(tt.address, tt.args...)
		if err != nil {
			t.Fatal(err)
		}
		var d osc.Decoder
		d.Decode(packet, func(m *osc.Message) {
			commands, err := a.Resolve(m)
			switch {
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("%s %v: %v, want %s", tt.address, tt.args, err, tt.err)
			case tt.err == "" && (err != nil || len(commands) != tt.count || tt.count > 0 && commands[0] != tt.first):
				t.Errorf("%s %v: %+v, %v", tt.address, tt.args, commands, err)
			}
		}, func(e *osc.DecodeError) { t.Error(e) })
	}
}

// Append allocates nothing for numbers, gates and patterns.
func TestNoAllocs(t *testing.T) {
	p, err := patch.Parse("default", patch.Default())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	a, err := space.New(plan)
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for address, arg := range map[string]any{"/mod/filter1/cutoff": float32(440), "/gate/adsr1": "on", "/mod/*/gain": 0.5, "//q": int32(1)} {
		m, err := osc.Encode(address, arg)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	packet, err := osc.EncodeBundle(osc.Immediately, list...)
	if err != nil {
		t.Fatal(err)
	}
	var d osc.Decoder
	var patterns osc.Patterns
	commands := make([]shm.Command, 0, 64)
	visit := func(m *osc.Message) {
		var err error
		if commands, _, err = a.Append(commands, m, &patterns); err != nil {
			t.Error(err)
		}
	}
	wrong := func(e *osc.DecodeError) { t.Error(e) }
	n := testing.AllocsPerRun(100, func() {
		commands = commands[:0]
		patterns.Reset()
		d.Decode(packet, visit, wrong)
	})
	if n != 0 || len(commands) != 5 {
		t.Errorf("%v allocations for %d commands", n, len(commands))
	}
}

// A route's Handler gets the message, or its Resolve makes the commands. Resolve may keep state.
// Patterns reach neither.
func TestRoutes(t *testing.T) {
	taps := 0
	tap := func(c space.Call) ([]shm.Command, error) {
		if taps++; taps == 1 {
			return nil, errors.New("one more")
		}
		return []shm.Command{{Op: shm.OpSet, Param: uint16(taps), Value: c.Waited.Seconds()}}, nil
	}
	s, err := space.New(planOf(t, valuePatch),
		space.Route{Entry: osc.Entry{Address: "/engine/tempo/tap", Kind: osc.Words}, Resolve: tap},
		space.Route{Entry: osc.Entry{Address: "/patch/load", Kind: osc.Words, Least: 1, Most: 1}, Kind: space.PatchCommand, Handler: "load"},
		space.Route{Entry: osc.Entry{Address: "/ping", Kind: osc.Words, Most: 9}, Kind: space.Query, Handler: "ping"},
	)
	if err != nil {
		t.Fatal(err)
	}
	send := func(address string, args ...osc.Arg) ([]shm.Command, space.Match, error) {
		var p osc.Patterns
		p.Reset()
		return s.Append(nil, &osc.Message{Address: []byte(address), Args: args, Waited: time.Second}, &p)
	}
	if _, m, err := send("/engine/tempo/tap"); err == nil || m.Route.Kind != space.Command {
		t.Errorf("the first tap: %v", err)
	}
	if list, _, err := send("/engine/tempo/tap"); err != nil || len(list) != 1 || list[0].Param != 2 || list[0].Value != 1 {
		t.Errorf("the second tap: %v, %v", list, err)
	}
	if list, m, err := send("/patch/load", osc.Arg{Tag: 's', Bytes: []byte("x")}); err != nil || len(list) != 0 || m.Route.Handler != "load" || fmt.Sprint(m.Words) != "[x]" {
		t.Errorf("a patch command: %v, %+v, %v", list, m, err)
	}
	if _, m, err := send("/patch/load"); err == nil || m.Route.Kind != space.PatchCommand {
		t.Errorf("a patch command without its argument: %v", err)
	}
	if list, m, err := send("/ping", osc.Arg{Tag: 'b'}); err != nil || len(list) != 0 || m.Route.Handler != "ping" {
		t.Errorf("a query, whose arguments are its handler's: %v, %+v, %v", list, m, err)
	}
	for _, pattern := range []string{"/patch/*", "/p?ng", "/engine/tempo/*"} {
		if _, _, err := send(pattern, osc.Arg{Tag: 'i'}); err == nil {
			t.Errorf("%s reaches something", pattern)
		}
	}
	if taps != 2 {
		t.Errorf("%d taps", taps)
	}
}
