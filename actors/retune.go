package actors

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/cespare/xxhash/v2"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/shm"
)

// ErrStructure: a patch is another in more than its values.
var ErrStructure = errors.New("nodes, cables, voices, lanes, bars and divisions change only with a new start; parameters, patterns, tempo and tracks at once")

// Retune takes a later form of the patch that plays: what has another value in it than in the form before, parameters, steps of patterns, tempo, what
// tracks do, is changed, as if by OSC; what was changed by OSC meanwhile and is the same in both stays. It returns how many commands that took. With an
// error nothing has changed, unless the rings were full. One goroutine at a time.
func (e *Engine) Retune(text []byte) (commands int, err error) {
	number := e.desk.directory.Load().plan
	was, err := e.rig.compile(e.cfg.PatchName, e.cfg.Patch)
	if err != nil {
		return 0, err
	}
	plan, err := e.rig.compile(e.cfg.PatchName, text)
	if err != nil {
		return 0, err
	}
	changes, err := changesOf(was, plan)
	if err != nil {
		return 0, fmt.Errorf("patch %s: %w", e.cfg.PatchName, err)
	}
	for _, c := range changes {
		if _, err := e.rig.broadcast(c, number, nil); err != nil {
			return commands, err
		}
		commands++
	}
	e.cfg.Patch = text
	return commands, e.rig.askedFor(text)
}

// askedFor puts on record which text was asked for, so that an engine after this one may be started with it.
func (r *rig) askedFor(text []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept.Origin = xxhash.Sum64(text)
	return r.store.Put(r.kept)
}

// changesOf are the commands that lead from one plan's values to another's.
func changesOf(was, is *patch.Plan) (changes []shm.Command, err error) {
	if was.Hash != is.Hash || !reflect.DeepEqual(fixed(was.Music), fixed(is.Music)) || !reflect.DeepEqual(was.Voices, is.Voices) {
		return nil, ErrStructure
	}
	for n, node := range is.Nodes() {
		for p, v := range node.Values {
			if v != was.Nodes()[n].Values[p] {
				changes = append(changes, shm.Command{Op: shm.OpSet, Node: uint16(n), Param: uint16(p), Value: v})
			}
		}
	}
	for i := range is.Music.Patterns {
		changes = append(changes, stepsOf(uint16(is.SeqNode()), &was.Music.Patterns[i], &is.Music.Patterns[i])...)
	}
	return changes, nil
}

// fixed is music without what commands can change.
func fixed(m patch.Music) patch.Music {
	m.Tempo, m.Play = 0, false
	patterns := make([]patch.Pattern, len(m.Patterns))
	for i, p := range m.Patterns {
		p.Pos, p.N = patch.Pos{}, 0
		for k := range p.Steps {
			s := &p.Steps[k]
			s.Trig, s.Note, s.Gate, s.Probability = 0, 0, 0, 0
		}
		patterns[i] = p
	}
	tracks := make([]patch.Track, len(m.Tracks))
	for i, t := range m.Tracks {
		t.Pos, t.Pattern, t.Swing, t.Transpose, t.Mute, t.Lanes = patch.Pos{}, 0, 0, 0, false, nil
		tracks[i] = t
	}
	m.Patterns, m.Tracks = patterns, tracks
	return m
}

// stepsOf are the commands that make one pattern another.
func stepsOf(node uint16, was, is *patch.Pattern) (changes []shm.Command) {
	param := uint16(is.Number) << 6
	if was.N != is.N {
		changes = append(changes, shm.Command{Op: shm.OpSteps, Node: node, Param: param, Value: float64(is.N)})
	}
	for k := range is.Steps[:is.N] {
		a, b := &was.Steps[k], &is.Steps[k]
		for _, c := range []struct {
			op       shm.Op
			from, to float64
		}{
			{shm.OpTrig, float64(a.Trig), float64(b.Trig)}, {shm.OpStepNote, float64(a.Note), float64(b.Note)},
			{shm.OpStepGate, float64(a.Gate) / sequencer.Whole, float64(b.Gate) / sequencer.Whole},
			{shm.OpChance, float64(a.Probability) / sequencer.Whole, float64(b.Probability) / sequencer.Whole},
		} {
			if c.from != c.to {
				changes = append(changes, shm.Command{Op: c.op, Node: node, Param: param | uint16(k), Value: c.to})
			}
		}
	}
	return changes
}
