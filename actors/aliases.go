package actors

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// alias is an address of the ancestor that says in its arguments what ours say in their names.
type alias struct {
	address, usage, doc string
	args                int
	resolve             func(plan *patch.Plan, words []any) ([]shm.Command, error)
}

var aliases = []alias{
	{"/seq/start", "", "starts at beat 0, like /seq/play start", 0, transport(patch.PlayStart)},
	{"/seq/reset", "", "starts at beat 0 again", 0, transport(patch.PlayStart)},
	{"/seq/stop", "", "stops, like /seq/play stop", 0, transport(patch.PlayStop)},
	{"/seq/pattern", "pattern steps", "gives a pattern its steps, like /pattern/<n>/steps", 2, patternSteps},
	{"/seq/assign", "track pattern", "gives a track a pattern at the next bar, like /seq/<track>/pattern", 2, ofTrack(patch.TrackPattern)},
	{"/seq/swing", "track swing", "like /seq/<track>/swing", 2, ofTrack(patch.TrackSwing)},
	{"/seq/gate_len", "pattern gate", "how much of a step the notes of a pattern last, 0.05 to 1, like /pattern/<n>/gate", 2, gateLength},
}

func (a *alias) entry() osc.Entry {
	return osc.Entry{Address: a.address, Kind: osc.Words, Least: a.args, Most: a.args, Usage: a.usage, Doc: a.doc}
}

// transport is a command for the sequencer.
func transport(play float64) func(*patch.Plan, []any) ([]shm.Command, error) {
	return func(plan *patch.Plan, _ []any) ([]shm.Command, error) {
		return []shm.Command{{Op: shm.OpSet, Node: uint16(plan.SeqNode()), Param: patch.SeqPlay, Value: play}}, nil
	}
}

// patternNumber is the argument that names a pattern.
func patternNumber(word any) (uint16, error) {
	x, ok := word.(float64)
	if !ok || x < 0 || x >= sequencer.Patterns || x != math.Trunc(x) {
		return 0, fmt.Errorf("%v is no pattern: they are 0 to %d", word, sequencer.Patterns-1)
	}
	return uint16(x), nil
}

func patternSteps(plan *patch.Plan, words []any) ([]shm.Command, error) {
	n, err := patternNumber(words[0])
	if err != nil {
		return nil, err
	}
	text, ok := words[1].(string)
	if !ok {
		return nil, errors.New("steps are a string: X an accent, x a hit, - a tie, . a rest")
	}
	return steps(nil, shm.Command{Op: shm.OpSteps, Node: uint16(plan.SeqNode()), Param: n << 6}, text)
}

func gateLength(plan *patch.Plan, words []any) (commands []shm.Command, err error) {
	n, err := patternNumber(words[0])
	if err != nil {
		return nil, err
	}
	gate, ok := words[1].(float64)
	if !ok || !(gate >= 0.05 && gate <= 1) {
		return nil, fmt.Errorf("%v is no gate: it is 0.05 to 1 of a step", words[1])
	}
	for k := range uint16(sequencer.MaxSteps) {
		commands = append(commands, shm.Command{Op: shm.OpStepGate, Node: uint16(plan.SeqNode()), Param: n<<6 | k, Value: gate})
	}
	return commands, nil
}

// ofTrack sets a parameter of the track that the first argument names.
func ofTrack(param int) func(*patch.Plan, []any) ([]shm.Command, error) {
	return func(plan *patch.Plan, words []any) ([]shm.Command, error) {
		var tracks []string
		for i := plan.SeqNode() + 1; i < len(plan.Nodes()); i++ {
			n := &plan.Nodes()[i]
			id := strings.TrimPrefix(n.ID, "seq.")
			if tracks = append(tracks, id); id != words[0] {
				continue
			}
			value, ok := words[1].(float64)
			if !ok {
				return nil, fmt.Errorf("%v must be a number", words[1])
			}
			if err := n.Desc.Params[param].Check(value, float64(plan.Rate)); err != nil {
				return nil, err
			}
			return []shm.Command{{Op: shm.OpSet, Node: uint16(i), Param: uint16(param), Value: value}}, nil
		}
		return nil, fmt.Errorf("no track %.40q; there are %s", fmt.Sprint(words[0]), strings.Join(tracks, ", "))
	}
}
