package actors

import (
	"strings"
	"testing"

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

// A message becomes the commands that it means, or says what would be right.
func TestMusicAddresses(t *testing.T) {
	p, err := patch.Parse("test", []byte(musicText))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAddresses(plan)
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
		{"/note/bass/on", []any{int32(200)}, 0, shm.Command{}, "200 is no note"},
		{"/gate/e", []any{int32(1)}, 0, shm.Command{}, "unknown"},
		{"/seq/ramp", []any{int32(500), int32(2)}, 0, shm.Command{}, "500 is no tempo: it takes 20 to 400 bpm"},
		{"/engine/status", nil, 0, shm.Command{}, ""},
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

// From a packet to its commands nothing is allocated, whether it has numbers, gates, notes or patterns.
func TestNoAllocs(t *testing.T) {
	p, err := patch.Parse("default", patch.Default())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAddresses(plan)
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
