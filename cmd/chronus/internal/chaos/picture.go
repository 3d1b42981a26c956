package chaos

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
)

// Positions and sizes in the picture, in pixels.
const (
	pictureWide  = 1600
	pictureLeft  = 90
	pictureRight = 20
	waveTop      = 96 // three rows of labels above
	waveHigh     = 300
	laneHigh     = 20
	labelRows    = 3
	labelWide    = 58
	linesMost    = 200 // faults; more lines would hide the waveform, so then each stays in its lane
)

// picture draws a report as SVG: the outline of the sound as it was heard, the concealed time
// shaded, and each fault as a line that leads down into the lane of its kind.
type picture struct {
	bytes.Buffer
	report Report
	gaps   []placedGap
	blocks float64 // the width of the picture: played and concealed
}

// placedGap is a gap before a block of the whole run.
type placedGap struct{ at, blocks float64 }

// Draw writes the picture as SVG. The picture needs no font, script or other file.
func (p Report) Draw(out io.Writer) error {
	d := &picture{report: p}
	for _, g := range p.Gaps {
		if g.Blocks > 0 {
			d.gaps = append(d.gaps, placedGap{d.block(g.Segment, g.Before), float64(g.Blocks)})
		}
	}
	slices.SortStableFunc(d.gaps, func(a, b placedGap) int { return cmp.Compare(a.at, b.at) })
	d.blocks = float64(max(1, p.wave.end()))
	for _, g := range d.gaps {
		d.blocks += g.blocks
	}
	high := waveTop + waveHigh + laneHigh*len(p.Kinds) + 110
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" `+
		`font-family="sans-serif" font-size="12">`+"\n",
		pictureWide, high, pictureWide, high)
	fmt.Fprintf(d, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", pictureWide, high)
	d.text(pictureLeft, 24, "title", `font-size="16" font-weight="bold"`,
		"The sound as it was heard, and each fault done to the engine meanwhile")
	d.wave()
	d.shade()
	d.lanes()
	d.faults()
	d.axis(waveTop + waveHigh + laneHigh*len(p.Kinds) + 8)
	d.captions(high)
	d.WriteString("</svg>\n")
	_, err := d.WriteTo(out)
	return err
}

// block returns the place in the whole run of a block of a segment.
func (d *picture) block(segment int, n uint64) float64 {
	return float64(max(0, d.report.base[segment]+int64(n)))
}

// heardAt returns the time at which a block was heard, in blocks: the concealed blocks before it
// are added.
func (d *picture) heardAt(block float64) float64 {
	t := block
	for _, g := range d.gaps {
		if g.at > block {
			break
		}
		t += g.blocks
	}
	return t
}

func (d *picture) x(heard float64) float64 {
	return pictureLeft + heard/d.blocks*(pictureWide-pictureLeft-pictureRight)
}

// shade shades the concealed time. A gap that is narrower than a pixel is drawn a pixel wide, and
// paler: in a long run a block of silence must not look like a second of it.
func (d *picture) shade() {
	before := 0.0
	for _, g := range d.gaps {
		from := d.x(g.at + before)
		before += g.blocks
		wide := d.x(g.at+before) - from
		fmt.Fprintf(d, `<rect class="concealed" x="%.1f" y="%d" width="%.1f" height="%d" fill="#e74c3c" fill-opacity="%.2f">`+
			"<title>%.0f blocks concealed</title></rect>\n",
			from, waveTop, max(1, wide), waveHigh, 0.5*min(1, max(0.3, wide)), g.blocks)
	}
}

// wave draws the outline: a path with one point above and one below for each column of pixels.
func (d *picture) wave() {
	w := d.report.wave
	columns := make([]bin, pictureWide-pictureLeft-pictureRight+1)
	drawn := make([]bool, len(columns))
	peak := float32(0)
	for i, b := range w.bins {
		peak = max(peak, -b.lo, b.hi)
		from := float64(int64(i) * w.span)
		to := min(from+float64(w.span), float64(w.end()))
		// The bin is drawn after a gap that lies within it.
		heard := d.heardAt(from)
		first, last := int(d.x(heard))-pictureLeft, int(math.Ceil(d.x(heard+to-from)))-pictureLeft
		for c := max(0, first); c < min(max(last, first+1), len(columns)); c++ {
			columns[c].join(b)
			drawn[c] = true
		}
	}
	if peak == 0 {
		peak = 1
	}
	y := func(v float32) float64 { return waveTop + waveHigh/2 - float64(v/peak)*(waveHigh/2-4) }
	var upper, lower []string
	for c, b := range columns {
		if !drawn[c] {
			b = bin{}
		}
		upper = append(upper, fmt.Sprintf("%d %.1f", c+pictureLeft, y(b.hi)-0.3))
		lower = append(lower, fmt.Sprintf("%d %.1f", c+pictureLeft, y(b.lo)+0.3))
	}
	slices.Reverse(lower)
	fmt.Fprintf(d, `<path class="wave" fill="#2b6ca3" d="M%sZ"/>`+"\n", strings.Join(append(upper, lower...), "L"))
}

// laneColors are the colors of plan.Kinds, in their order.
var laneColors = []string{
	"#c0392b", "#d35400", "#b7950b", "#7d3c98", "#a569bd", "#117864",
	"#922b21", "#000000", "#1a5276", "#6e2c00", "#616a6b", "#2e4053",
}

func laneColor(kind string) string {
	for i, k := range plan.Kinds {
		if k.Name == kind {
			return laneColors[i%len(laneColors)]
		}
	}
	return "#000"
}

// lane returns the middle of a kind's lane.
func (d *picture) lane(kind string) int {
	i := slices.IndexFunc(d.report.Kinds, func(k Kind) bool { return k.Kind == kind })
	return waveTop + waveHigh + 8 + laneHigh*i + laneHigh/2
}

func (d *picture) lanes() {
	for _, k := range d.report.Kinds {
		y := d.lane(k.Kind)
		fmt.Fprintf(d, `<path class="lane" stroke="#ddd" d="M%d %dH%d"><title>`, pictureLeft, y, pictureWide-pictureRight)
		if kind, ok := plan.KindOf(k.Kind); ok {
			d.escape(kind.Doc)
		}
		d.WriteString("</title></path>\n")
		style := fmt.Sprintf(`text-anchor="end" fill="%s"`, laneColor(k.Kind))
		d.text(pictureLeft-6, y+4, "kind", style, fmt.Sprintf("%s %d", k.Kind, k.Count))
	}
}

// faults draws each fault. Its label stands above if there is room. All that is known is in the
// tooltip.
func (d *picture) faults() {
	top := waveTop
	if len(d.report.Faults) > linesMost {
		top = 0 // each in its lane
	}
	var free [labelRows]float64 // where each row begins to be free
	for _, f := range d.report.Faults {
		x, y, color := d.x(d.heardAt(d.block(f.Segment, f.Block))), d.lane(f.Kind), laneColor(f.Kind)
		from := top
		if from == 0 {
			from = y - laneHigh/2 + 3
		}
		row := slices.IndexFunc(free[:], func(to float64) bool { return to <= x })
		if top != 0 && row >= 0 {
			free[row] = x + labelWide
			from = 46 + 16*row
			d.text(int(x)+3, from+8, "label", fmt.Sprintf(`fill="%s"`, color), f.Kind)
		}
		fmt.Fprintf(d, `<line class="fault" x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s" stroke-opacity="0.75"><title>`,
			x, from, x, y+laneHigh/2-3, color)
		d.escape(f.String())
		d.WriteString("</title></line>\n")
	}
}

// axis draws the time in steps of 1, 2 or 5.
func (d *picture) axis(y int) {
	seconds := d.blocks * float64(d.report.Engine.Block) / float64(d.report.Engine.Rate)
	step := 1e-3
	for i := 0; seconds/step > 16; i++ {
		step *= []float64{2, 2.5, 2}[i%3]
	}
	for t := 0.0; t <= seconds; t += step {
		x := d.x(t / seconds * d.blocks)
		fmt.Fprintf(d, `<path class="tick" stroke="#888" d="M%.1f %dv5"/>`+"\n", x, y)
		d.text(int(x), y+18, "time", `text-anchor="middle" fill="#555"`, fmt.Sprintf("%.4g s", t))
	}
}

// captions sum up below in numbers what the picture shows.
func (d *picture) captions(high int) {
	p := d.report
	d.text(pictureLeft, high-50, "caption", `font-size="14"`, p.Summary())
	d.text(pictureLeft, high-30, "caption", `fill="#555"`, fmt.Sprintf(
		"%d blocks of %d frames at %d Hz compared with the uninterrupted render of the same decisions; "+
			"shaded: concealed (%d of it between the faults); seed %d; %s, patch %s, %d workers, lead %d",
		p.Compared, p.Engine.Block, p.Engine.Rate, p.Elsewhere, p.Seed, p.Began.Format("2006-01-02 15:04:05"),
		p.Engine.Patch, p.Engine.Workers, p.Engine.Lead))
	if p.Failure != "" {
		d.text(pictureLeft, high-10, "caption", `fill="#c0392b"`, "failed: "+p.Failure)
	}
}

func (d *picture) text(x, y int, class, style, text string) {
	fmt.Fprintf(d, `<text class="%s" x="%d" y="%d" %s>`, class, x, y, style)
	d.escape(text)
	d.WriteString("</text>\n")
}

func (d *picture) escape(s string) { _ = xml.EscapeText(d, []byte(s)) }
