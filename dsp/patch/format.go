package patch

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/music-chronus/chronus/dsp/patch/internal/patterntext"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

// Format returns a text that Parse reads as this patch. Comments and the order of keys of the
// original text are lost. Ids are quoted, since true and null are valid ids.
func (p *Patch) Format() []byte {
	f := &formatter{}
	f.line("version: 1")
	if p.Name != "" {
		f.line("name: %s", strconv.Quote(p.Name))
	}
	if len(p.Samples) > 0 {
		f.line("samples:")
	}
	for _, s := range p.Samples {
		file := s.File
		if s.Sum != "" {
			file = sumForm + s.Sum
		}
		f.line("  %q: %q", s.Name, file)
	}
	f.music(p)
	f.voices(p)
	f.nodes(p, NoGroup, "")
	if len(p.Runs) > 0 {
		f.line("cables:")
	}
	for _, r := range p.Runs {
		var ends []string
		for _, e := range r.Ends {
			ends = append(ends, e.String())
		}
		f.line("  - %s", strings.Join(ends, " > "))
	}
	if p.Freq != (Target{}) {
		f.line("freq: %s.%s", p.Freq.Node, p.Freq.Param)
	}
	f.patterns(p)
	f.tracks(p)
	return []byte(f.String())
}

type formatter struct{ strings.Builder }

func (f *formatter) line(format string, args ...any) { fmt.Fprintf(f, format+"\n", args...) }

func number64(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func (f *formatter) music(p *Patch) {
	m := &p.Music
	if m.Tempo != defaultTempo {
		f.line("tempo: %s", number64(m.Tempo))
	}
	if m.Bar != defaultBar {
		f.line("bar: %d/%d", m.Bar[0], m.Bar[1])
	}
	if m.Play {
		f.line("play: true")
	}
}

func (f *formatter) voices(p *Patch) {
	if len(p.Voices) > 0 {
		f.line("voices:")
	}
	for g, v := range p.Voices {
		f.line("  - id: %q", v.ID)
		f.line("    count: %d", v.Count)
		if v.Steal != StealOldest {
			f.line("    steal: %s", steals[v.Steal])
		}
		if v.Glide > 0 {
			f.line("    glide: %s", number64(v.Glide))
		}
		if v.Unison > 1 {
			f.line("    unison: %d", v.Unison)
		}
		if v.Detune > 0 {
			f.line("    detune: %s", number64(v.Detune))
		}
		f.nodes(p, g, "    ")
	}
}

// nodes writes the nodes of a group.
func (f *formatter) nodes(p *Patch, group int, indent string) {
	first := true
	for _, n := range p.Nodes {
		if n.Group != group {
			continue
		}
		if first {
			f.line("%snodes:", indent)
			first = false
		}
		fields := []string{"id: " + strconv.Quote(n.ID), "type: " + strconv.Quote(n.Type)}
		if n.Sample != "" {
			fields = append(fields, "sample: "+strconv.Quote(n.Sample))
		}
		if len(n.Params) > 0 {
			var params []string
			for _, s := range n.Params {
				value := number64(s.Number)
				if s.Word != "" {
					value = strconv.Quote(s.Word)
				}
				params = append(params, s.Name+": "+value)
			}
			fields = append(fields, "params: {"+strings.Join(params, ", ")+"}")
		}
		f.line("%s  - {%s}", indent, strings.Join(fields, ", "))
	}
}

func (f *formatter) patterns(p *Patch) {
	if len(p.Music.Patterns) > 0 {
		f.line("patterns:")
	}
	for i := range p.Music.Patterns {
		patterntext.Write(f, p.Music.Patterns[i].Number, &p.Music.Patterns[i].Pattern)
	}
}

func (f *formatter) tracks(p *Patch) {
	if len(p.Music.Tracks) > 0 {
		f.line("tracks:")
	}
	for _, t := range p.Music.Tracks {
		fields := []string{"id: " + strconv.Quote(t.ID)}
		add := func(format string, args ...any) { fields = append(fields, fmt.Sprintf(format, args...)) }
		if t.Voices != "" {
			add("voices: %q", t.Voices)
		}
		if t.Pattern != sequencer.None {
			add("pattern: %d", t.Pattern)
		}
		add("division: %s", t.Division)
		if t.Steps > 0 {
			add("steps: %d", t.Steps)
		}
		add("swing: %s", number64(t.Swing))
		if t.Transpose != 0 {
			add("transpose: %d", t.Transpose)
		}
		if t.Mute {
			add("mute: true")
		}
		if len(t.Lanes) > 0 {
			var lanes []string
			for _, l := range t.Lanes {
				lanes = append(lanes, l.Node+"."+l.Param)
			}
			add("lanes: [%s]", strings.Join(lanes, ", "))
		}
		f.line("  - {%s}", strings.Join(fields, ", "))
	}
}
