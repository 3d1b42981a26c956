package space

import (
	"fmt"
	"math"
	"strings"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// compatibilityRoutes lists the addresses of the program that Chronus succeeds. Their arguments
// name the track or pattern that the addresses of Chronus have in their path.
func compatibilityRoutes() []Route {
	return []Route{
		compatible("/seq/start", "", "starts at beat 0, like /seq/play start", 0, transport(patch.PlayStart)),
		compatible("/seq/reset", "", "starts at beat 0 again", 0, transport(patch.PlayStart)),
		compatible("/seq/stop", "", "stops, like /seq/play stop", 0, transport(patch.PlayStop)),
		compatible("/seq/pattern", "pattern steps", "gives a pattern its steps, like /pattern/<n>/steps", 2, patternSteps),
		compatible("/seq/assign", "track pattern", "gives a track a pattern at the next bar, like /seq/<track>/pattern",
			2, trackParam(patch.TrackPattern)),
		compatible("/seq/swing", "track swing", "like /seq/<track>/swing", 2, trackParam(patch.TrackSwing)),
		compatible("/seq/gate_len", "pattern gate",
			"how much of a step the notes of a pattern last, 0.05 to 1, like /pattern/<n>/gate", 2, gateLength),
	}
}

func compatible(address, usage, doc string, args int, resolve func(Call) ([]shm.Command, error)) Route {
	return Route{
		Entry:   osc.Entry{Address: address, Kind: osc.Words, Least: args, Most: args, Usage: usage, Doc: doc},
		Kind:    Compatibility,
		Resolve: resolve,
	}
}

// transport returns a Resolve that gives the sequencer's transport a value.
func transport(play float64) func(Call) ([]shm.Command, error) {
	return func(c Call) ([]shm.Command, error) {
		return []shm.Command{{Op: shm.OpSet, Node: uint16(c.Plan.SeqNode()), Param: patch.SeqPlay, Value: play}}, nil
	}
}

// patternNumber reads the argument that names a pattern.
func patternNumber(word any) (uint16, error) {
	x, ok := word.(float64)
	if !ok || x < 0 || x >= sequencer.Patterns || x != math.Trunc(x) {
		return 0, osc.Refuse(osc.CodeBadArgument, "pattern %v: want 0 to %d", word, sequencer.Patterns-1)
	}
	return uint16(x), nil
}

func patternSteps(c Call) ([]shm.Command, error) {
	n, err := patternNumber(c.Words[0])
	if err != nil {
		return nil, err
	}
	text, ok := c.Words[1].(string)
	if !ok {
		return nil, osc.Refuse(osc.CodeBadArgument, "steps: want a string: X an accent, x a hit, - a tie, . a rest")
	}
	return appendSteps(nil, shm.Command{Op: shm.OpSteps, Node: uint16(c.Plan.SeqNode()), Param: n << stepBits}, text)
}

func gateLength(c Call) (commands []shm.Command, err error) {
	n, err := patternNumber(c.Words[0])
	if err != nil {
		return nil, err
	}
	gate, ok := c.Words[1].(float64)
	if !ok || !(gate >= 0.05 && gate <= 1) {
		return nil, osc.Refuse(osc.CodeBadArgument, "gate %v: want 0.05 to 1 of a step", c.Words[1])
	}
	for k := range uint16(sequencer.MaxSteps) {
		commands = append(commands, shm.Command{
			Op: shm.OpStepGate, Node: uint16(c.Plan.SeqNode()), Param: n<<stepBits | k, Value: gate,
		})
	}
	return commands, nil
}

// trackParam returns a Resolve that sets a parameter of the track that the first argument names.
func trackParam(param int) func(Call) ([]shm.Command, error) {
	return func(c Call) ([]shm.Command, error) {
		var tracks []string
		for i := c.Plan.SeqNode() + 1; i < len(c.Plan.Nodes()); i++ {
			n := &c.Plan.Nodes()[i]
			id := strings.TrimPrefix(n.ID, "seq.")
			if tracks = append(tracks, id); id != c.Words[0] {
				continue
			}
			value, ok := c.Words[1].(float64)
			if !ok {
				return nil, osc.Refuse(osc.CodeBadArgument, "%s %v: want a number", n.Desc.Params[param].Name, c.Words[1])
			}
			if err := n.Desc.Params[param].Check(value, float64(c.Plan.Rate)); err != nil {
				return nil, osc.Refuse(osc.CodeBadArgument, "%v", err)
			}
			return []shm.Command{{Op: shm.OpSet, Node: uint16(i), Param: uint16(param), Value: value}}, nil
		}
		return nil, osc.Refuse(osc.CodeBadArgument, "no track %.40q; there are %s",
			fmt.Sprint(c.Words[0]), strings.Join(tracks, ", "))
	}
}
