package patch

import (
	"errors"
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

// Music is what the sequencer plays. A patch without tracks has no sequencer.
type Music struct {
	Tempo    float64 // bpm
	Bar      [2]int  // count and unit, like 4/4
	Play     bool    // from the first frame
	Patterns []Pattern
	Tracks   []Track
}

// The defaults of a patch that states no tempo or bar.
const defaultTempo = 120 // bpm

var defaultBar = [2]int{4, 4}

// Pattern is one of the sequencer's 128 patterns.
type Pattern struct {
	Pos    Pos
	Number int
	sequencer.Pattern
}

// Track plays patterns on a voice group.
type Track struct {
	Pos       Pos
	ID        string
	Voices    string // the group's id; "": the track plays lanes only
	Pattern   int    // sequencer.None: none
	Division  sequencer.Division
	Steps     int // of the cycle; 0: as many as the pattern has
	Swing     float64
	Transpose int
	Mute      bool
	Lanes     []Target // the parameters that the pattern's lanes set

	Group   int      // index of the voice group, or NoGroup; set by Compile
	Targets [][2]int // node and parameter of each lane; set by Compile
}

// seq describes the pseudo node of the sequencer.
var seq = dsp.Desc{
	Type: "seq",
	Doc:  "The sequencer's tempo and transport.",
	Params: []dsp.Param{
		{Name: "bpm", Min: 20, Max: 400, Default: 120,
			Doc: "tempo, beats a minute; the position goes on from where it is"},
		{Name: "play", Max: 2, Names: []string{"stop", "start", "continue"},
			Doc: "stop ends all notes; start begins at beat 0; continue where the last stop was"},
	},
}

// The parameters of the sequencer's node, and the values of play.
const (
	SeqBPM = iota
	SeqPlay

	PlayStop     = 0
	PlayStart    = 1
	PlayContinue = 2
)

// track describes the pseudo nodes of the sequencer's tracks.
var track = dsp.Desc{
	Type: "track",
	Doc:  "One track of the sequencer.",
	Params: []dsp.Param{
		{Name: "pattern", Min: -1, Max: sequencer.Patterns - 1, Whole: true,
			Doc: "the pattern that it takes at the next bar; -1: none"},
		{Name: "now", Min: -1, Max: sequencer.Patterns - 1, Whole: true, Doc: "the pattern that it takes at once"},
		{Name: "mute", Max: 1, Names: []string{"off", "on"}, Doc: "it plays no notes while it is on"},
		{Name: "swing", Min: 0.5, Max: 0.75, Default: 0.5, Doc: "part of two steps that the first takes"},
		{Name: "transpose", Unit: "st", Min: -60, Max: 60, Whole: true, Doc: "added to its notes"},
	},
}

// The parameters of a track's node.
const (
	TrackPattern = iota
	TrackNow
	TrackMute
	TrackSwing
	TrackTranspose
)

// SeqNode returns the index of the sequencer's node, or 0 if there is none. The nodes of the tracks
// follow it.
func (p *Plan) SeqNode() int {
	return max(0, slices.IndexFunc(p.nodes, func(n PlanNode) bool { return n.Desc == &seq }))
}

// Pseudo tells whether the node is the sequencer or a track, which have parameters but no signals.
func (n *PlanNode) Pseudo() bool { return n.Desc == &seq || n.Desc == &track }

// Track tells whether the node is a track of the sequencer.
func (n *PlanNode) Track() bool { return n.Desc == &track }

func (r *reader) pattern(n ast.Node) Pattern {
	number, p := patterntext.Read(r.Reader, n)
	return Pattern{Pos: yaml.PosOf(n), Number: number, Pattern: p}
}

// newTrack makes a track with the defaults of a patch's text.
func newTrack(pos Pos) Track {
	return Track{Pos: pos, Pattern: sequencer.None, Division: sequencer.Division{Num: 1, Den: 4}, Swing: 0.5}
}

func (r *reader) track(n ast.Node) Track {
	t := newTrack(yaml.PosOf(n))
	r.Fields(n, "a track", trackKeys, func(key string, _, v ast.Node) {
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

// bar reads a signature like 4/4.
func (r *reader) bar(v ast.Node) (bar [2]int) {
	w := r.Word(v, "bar")
	count, unit, _ := strings.Cut(w, "/")
	var errs [2]error
	bar[0], errs[0] = strconv.Atoi(count)
	bar[1], errs[1] = strconv.Atoi(unit)
	valid := errors.Join(errs[:]...) == nil && bar[0] >= 1 && bar[0] <= 32 && slices.Contains([]int{1, 2, 4, 8, 16,
		32}, bar[1])
	if r.Err == nil && !valid {
		r.Fail(v, "bar is %q; it must be a count of 1 to 32 and a unit of 1, 2, 4, 8, 16 or 32, like 4/4", clip(w))
	}
	return bar
}

// addMusic checks the tracks and adds the nodes of the sequencer and of each track.
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
				err = fmt.Errorf("lane %s.%s: a lane cannot set the sequencer; name a parameter of a node",
					clip(l.Node), clip(l.Param))
			}
			if err != nil {
				return at(c.File, l.Pos, "track %q: %w", t.ID, err)
			}
			t.Targets = append(t.Targets, [2]int{n, p})
		}
		values := defaults(&track)
		values[TrackPattern], values[TrackNow] = float64(t.Pattern), float64(t.Pattern)
		values[TrackSwing], values[TrackTranspose] = t.Swing, float64(t.Transpose)
		if t.Mute {
			values[TrackMute] = 1
		}
		c.plan.nodes = append(c.plan.nodes, PlanNode{ID: "seq." + t.ID, Desc: &track, Values: values, Group: NoGroup,
			Width: 1})
		c.pos = append(c.pos, t.Pos)
	}
	return nil
}
