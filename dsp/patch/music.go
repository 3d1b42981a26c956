package patch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch/internal/patterntext"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/dsp/yaml"
)

// Music is what the sequencer plays. Without tracks there is no sequencer.
type Music struct {
	Tempo    float64 // bpm
	Bar      [2]int  // count and unit: 4/4
	Play     bool    // from the first frame on
	Patterns []Pattern
	Tracks   []Track
}

// What a patch plays at that does not say.
const defaultTempo = 120 // bpm

var defaultBar = [2]int{4, 4}

// Pattern is one of the sequencer's 128.
type Pattern struct {
	Pos    Pos
	Number int
	sequencer.Pattern
}

// Track plays patterns on a group of voices.
type Track struct {
	Pos       Pos
	ID        string
	Voices    string // the group's id; "": no notes, only lanes
	Pattern   int    // sequencer.None: none
	Division  sequencer.Division
	Steps     int // of the track; 0: as many as the pattern
	Swing     float64
	Transpose int
	Mute      bool
	Lanes     []Target // the parameters that the pattern's lanes set

	Group   int      // of voices; NoGroup: none. Compile's
	Targets [][2]int // the nodes and parameters of Lanes. Compile's
}

// seq describes the pseudo node that is the sequencer.
var seq = dsp.Desc{
	Type: "seq",
	Doc:  "The sequencer's tempo and transport.",
	Params: []dsp.Param{
		{Name: "bpm", Min: 20, Max: 400, Default: 120, Doc: "tempo, beats a minute; the position goes on from where it is"},
		{Name: "play", Max: 2, Names: []string{"stop", "start", "continue"}, Doc: "stop ends all notes; start begins at beat 0; continue where the last stop was"},
	},
}

// The sequencer node's parameters, and what play can be.
const (
	SeqBPM = iota
	SeqPlay

	PlayStop     = 0
	PlayStart    = 1
	PlayContinue = 2
)

// track describes the pseudo nodes that are the sequencer's tracks.
var track = dsp.Desc{
	Type: "track",
	Doc:  "One track of the sequencer.",
	Params: []dsp.Param{
		{Name: "pattern", Min: -1, Max: sequencer.Patterns - 1, Whole: true, Doc: "the pattern that it takes at the next bar; -1: none"},
		{Name: "now", Min: -1, Max: sequencer.Patterns - 1, Whole: true, Doc: "the pattern that it takes at once"},
		{Name: "mute", Max: 1, Names: []string{"off", "on"}, Doc: "it plays no notes while it is on"},
		{Name: "swing", Min: 0.5, Max: 0.75, Default: 0.5, Doc: "part of two steps that the first takes"},
		{Name: "transpose", Unit: "st", Min: -60, Max: 60, Whole: true, Doc: "added to its notes"},
	},
}

// A track node's parameters.
const (
	TrackPattern = iota
	TrackNow
	TrackMute
	TrackSwing
	TrackTranspose
)

// SeqNode is the sequencer's node, 0 if there is none; those of the tracks follow it.
func (p *Plan) SeqNode() int {
	return max(0, slices.IndexFunc(p.nodes, func(n PlanNode) bool { return n.Desc == &seq }))
}

// Pseudo tells whether the node is the sequencer or one of its tracks: it has parameters, but no signal.
func (n *PlanNode) Pseudo() bool { return n.Desc == &seq || n.Desc == &track }

// Track tells whether the node is one of the sequencer's tracks.
func (n *PlanNode) Track() bool { return n.Desc == &track }

// pattern reads one of the patterns.
func (r *reader) pattern(n ast.Node) Pattern {
	number, p := patterntext.Read(r.Reader, n)
	return Pattern{Pos: yaml.PosOf(n), Number: number, Pattern: p}
}

// track reads one of the tracks.
func (r *reader) track(n ast.Node) Track {
	t := Track{Pos: yaml.PosOf(n), Pattern: sequencer.None, Division: sequencer.Division{Num: 1, Den: 4}, Swing: 0.5}
	r.Fields(n, "a track", []string{"id", "voices", "pattern", "division", "steps", "swing", "transpose", "mute", "lanes"}, func(key string, _, v ast.Node) {
		switch key {
		case "id":
			t.Pos, t.ID = yaml.PosOf(v), r.id(v)
		case "voices":
			t.Voices = r.Word(v, key)
		case "pattern":
			t.Pattern = int(r.Number(v, key, -1, sequencer.Patterns-1, true))
		case "division":
			d, err := sequencer.ParseDivision(r.Word(v, key))
			if err != nil && r.Err == nil {
				r.Fail(v, "%v", err)
			}
			t.Division = d
		case "steps":
			t.Steps = int(r.Number(v, key, 1, sequencer.MaxSteps, true))
		case "swing":
			t.Swing = r.Number(v, key, 0.5, 0.75, false)
		case "transpose":
			t.Transpose = int(r.Number(v, key, -60, 60, true))
		case "mute":
			t.Mute = r.Bool(v, key)
		case "lanes":
			r.List(v, key, sequencer.Lanes, func(n ast.Node) { t.Lanes = append(t.Lanes, r.target(n, "a lane")) })
		}
	})
	if r.Err == nil && t.ID == "" {
		r.Fail(n, "a track needs an id")
	}
	return t
}

// bar reads a signature, like 4/4.
func (r *reader) bar(v ast.Node) (bar [2]int) {
	w := r.Word(v, "bar")
	count, unit, _ := strings.Cut(w, "/")
	var errs [2]error
	bar[0], errs[0] = strconv.Atoi(count)
	bar[1], errs[1] = strconv.Atoi(unit)
	if r.Err == nil && (errs[0] != nil || errs[1] != nil || bar[0] < 1 || bar[0] > 32 || !slices.Contains([]int{1, 2, 4, 8, 16, 32}, bar[1])) {
		r.Fail(v, "bar is %q; it must be a count of 1 to 32 and a unit of 1, 2, 4, 8, 16 or 32, like 4/4", clip(w))
	}
	return bar
}

// addMusic checks the tracks and gives the sequencer and each of them a node.
func (c *compiler) addMusic() error {
	m := c.Music
	used := map[int]bool{}
	for _, p := range m.Patterns {
		if used[p.Number] {
			return at(c.File, p.Pos, "pattern %d: another pattern has this number; choose another", p.Number)
		}
		used[p.Number] = true
		if len(m.Tracks) == 0 {
			return at(c.File, p.Pos, "pattern %d: no track can play it; add tracks", p.Number)
		}
	}
	if len(m.Tracks) == 0 {
		return nil
	}
	seen := map[string]bool{}
	values := defaults(&seq)
	values[SeqBPM] = m.Tempo
	if m.Play {
		values[SeqPlay] = PlayStart
	}
	c.plan.nodes = append(c.plan.nodes, PlanNode{ID: "seq", Desc: &seq, Values: values, Group: NoGroup, Width: 1})
	c.pos = append(c.pos, Pos{})
	c.plan.Music = m
	c.plan.Music.Tracks = slices.Clone(m.Tracks)
	for i := range c.plan.Music.Tracks {
		t := &c.plan.Music.Tracks[i]
		if seen[t.ID] {
			return at(c.File, t.Pos, "track %q: another track has this id; choose another id", t.ID)
		}
		seen[t.ID] = true
		t.Group = slices.IndexFunc(c.Voices, func(v Voices) bool { return v.ID == t.Voices })
		if t.Group < 0 && t.Voices != "" {
			var ids []string
			for _, v := range c.Voices {
				ids = append(ids, v.ID)
			}
			return at(c.File, t.Pos, "track %q: no voices %q%s", t.ID, clip(t.Voices), orNearest(t.Voices, ids))
		}
		for _, l := range t.Lanes {
			n, p, err := c.plan.Lookup(l.Node, l.Param)
			if err == nil && c.plan.nodes[n].Pseudo() {
				err = fmt.Errorf("lane %s.%s: a lane cannot set the sequencer; name a parameter of a node", clip(l.Node), clip(l.Param))
			}
			if err != nil {
				return at(c.File, l.Pos, "track %q: %w", t.ID, err)
			}
			t.Targets = append(t.Targets, [2]int{n, p})
		}
		values := defaults(&track)
		values[TrackPattern], values[TrackNow], values[TrackSwing], values[TrackTranspose] = float64(t.Pattern), float64(t.Pattern), t.Swing, float64(t.Transpose)
		if t.Mute {
			values[TrackMute] = 1
		}
		c.plan.nodes = append(c.plan.nodes, PlanNode{ID: "seq." + t.ID, Desc: &track, Values: values, Group: NoGroup, Width: 1})
		c.pos = append(c.pos, t.Pos)
	}
	return nil
}
