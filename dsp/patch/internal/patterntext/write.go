package patterntext

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

// Write writes a pattern as an item of a patch's list of patterns. Read reads it as the same
// pattern.
func Write(w io.Writer, number int, p *sequencer.Pattern) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	steps := func(key string, value func(*sequencer.Step) string) { line("    %s: [%s]", key, perStep(p, value)) }
	line("  - number: %d", number)
	line("    steps: %q", p.String())
	line("    base: %d", p.Base)
	line("    velocity: [%s, %s]", decimal(p.Soft), decimal(p.Loud))
	line("    seed: %d", p.Seed)
	steps("notes", func(s *sequencer.Step) string { return strconv.Itoa(int(s.Note)) })
	steps("gate", func(s *sequencer.Step) string { return decimal(int(s.Gate)) })
	steps("chance", func(s *sequencer.Step) string { return decimal(int(s.Probability)) })
	lanes := lanes(p)
	if lanes > 0 {
		line("    lanes:")
	}
	for lane := range lanes {
		line("      - [%s]", perStep(p, func(s *sequencer.Step) string {
			if s.Has>>lane&1 == 0 {
				return `"."`
			}
			return strconv.FormatFloat(float64(s.Values[lane]), 'f', -1, 32)
		}))
	}
}

// decimal is a number of thousandths as a decimal.
func decimal(n int) string { return strconv.FormatFloat(float64(n)/sequencer.Whole, 'f', -1, 64) }

func perStep(p *sequencer.Pattern, value func(*sequencer.Step) string) string {
	var values []string
	for i := range p.Steps[:p.N] {
		values = append(values, value(&p.Steps[i]))
	}
	return strings.Join(values, ", ")
}

// lanes is the number of lanes that a pattern has values for.
func lanes(p *sequencer.Pattern) (n int) {
	for i := range p.Steps[:p.N] {
		for lane := range sequencer.Lanes {
			if p.Steps[i].Has>>lane&1 != 0 {
				n = max(n, lane+1)
			}
		}
	}
	return n
}
