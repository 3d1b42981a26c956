package chaos

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
)

// Report says which faults a plan injected and what was heard. Counts are in blocks.
type Report struct {
	Version   int       `json:"version"` // of this form: 1
	Seed      uint64    `json:"seed"`
	Plan      string    `json:"plan"`
	Began     time.Time `json:"began"`
	Seconds   float64   `json:"seconds"`
	Engine    Setup     `json:"engine"`
	Count     int       `json:"count"`
	Compared  uint64    `json:"compared"` // with the uninterrupted render
	Unknown   uint64    `json:"unknown"`  // while no engine recorded a tape
	Lost      uint64    `json:"lost"`
	Doubled   uint64    `json:"doubled"`
	Changed   uint64    `json:"changed"`
	Concealed uint64    `json:"concealed"`
	AllDead   uint64    `json:"concealed_all_dead"`  // of them, where all workers died at once
	Elsewhere uint64    `json:"concealed_elsewhere"` // of them, between the faults: by this machine
	Kinds     []Kind    `json:"kinds"`
	Faults    []Fault   `json:"faults"`
	Gaps      []Gap     `json:"gaps,omitempty"`
	Failure   string    `json:"failure,omitempty"` // why the run ended early, or did not pass

	wave *waveform
	base []int64 // of each segment
}

// Setup describes the engine under test.
type Setup struct {
	Patch   string `json:"patch"`
	Backend string `json:"backend"`
	Device  string `json:"device"`
	Rate    int    `json:"rate"`
	Block   int    `json:"block"`
	Lead    uint64 `json:"lead"`
	Guard   int    `json:"guard"`
	Workers int    `json:"workers"`
}

// Milliseconds returns the length of so many blocks in ms.
func (s Setup) Milliseconds(blocks uint64) float64 {
	return float64(blocks) * float64(s.Block) * 1000 / float64(s.Rate)
}

// Fault is one injected fault: when, its targets, and what it did to the sound.
type Fault struct {
	N           int     `json:"n"`
	Kind        string  `json:"fault"`
	At          float64 `json:"at_s"`
	Segment     int     `json:"segment"` // counts the engine processes, from 0
	Block       uint64  `json:"block"`   // the clock at the injection
	PIDs        []int   `json:"pids,omitempty"`
	For         float64 `json:"for_ms,omitempty"`
	FlipUS      float64 `json:"flip_us,omitempty"`      // from the signal; 0: not measured, or nothing flipped
	RedundantUS float64 `json:"redundant_us,omitempty"` // from the signal to full redundancy
	Lost        uint64  `json:"lost"`
	Doubled     uint64  `json:"doubled"`
	Changed     uint64  `json:"changed"`
	Concealed   uint64  `json:"concealed"` // until redundant again
	Rescued     uint64  `json:"rescued"`
	Silent      uint64  `json:"silent,omitempty"` // the time without an audio process, in blocks
	Note        string  `json:"note,omitempty"`
}

// String describes a fault in one line.
func (f Fault) String() string {
	s := fmt.Sprintf("%d: %s at %.3f s, block %d", f.N, f.Kind, f.At, f.Block)
	if f.For > 0 {
		s += fmt.Sprintf(", for %.0f ms", f.For)
	}
	if f.FlipUS > 0 {
		s += fmt.Sprintf("; flip after %.2f ms", f.FlipUS/1e3)
	}
	s += fmt.Sprintf("; redundant after %.1f ms; %d lost, %d doubled, %d changed, %d concealed",
		f.RedundantUS/1e3, f.Lost, f.Doubled, f.Changed, f.Concealed)
	if f.Note != "" {
		s += "; " + f.Note
	}
	return s
}

// remark adds to the note, which stays short.
func (f *Fault) remark(s string) {
	switch {
	case f.Note == "":
		f.Note = s
	case len(f.Note) < 200:
		f.Note += "; " + s
	}
}

// Gap is a time for which nothing was there to be played, before a block of a segment.
type Gap struct {
	Segment int    `json:"segment"`
	Before  uint64 `json:"before"` // block
	Blocks  uint64 `json:"blocks"` // long
}

// Kind sums up the faults of one kind.
type Kind struct {
	Kind        string    `json:"fault"`
	Silence     bool      `json:"silence_expected"`
	Count       int       `json:"count"`
	Lost        uint64    `json:"lost"`
	Doubled     uint64    `json:"doubled"`
	Changed     uint64    `json:"changed"`
	Concealed   uint64    `json:"concealed"`
	Silent      uint64    `json:"silent"`
	FlipUS      Quantiles `json:"flip_us"`
	RedundantUS Quantiles `json:"redundant_us"`
	SilenceMS   Quantiles `json:"concealed_ms"` // of the faults after which anything was concealed
}

// report makes the report of what was done until now.
func (r *run) report(failure error) Report {
	p := Report{
		Version: 1, Seed: r.Seed, Plan: r.Plan.Text, Began: r.began, Seconds: time.Since(r.began).Seconds(),
		Engine: Setup{r.start.Patch, r.start.Backend, r.start.Device, r.start.Rate, r.start.Block,
			r.start.Lead, r.start.Guard, len(r.start.Workers)},
		Count: len(r.faults), Changed: r.changed.Load(), Elsewhere: r.elsewhere, Faults: r.faults,
		Gaps: r.gaps, wave: &r.wave,
	}
	for _, s := range r.segments {
		p.Compared += s.blocks
		p.Unknown += s.unknown
		p.base = append(p.base, s.base)
	}
	r.attribute(p.Faults)
	p.sum()
	if failure != nil {
		p.Failure = failure.Error()
	}
	return p
}

// sum adds the faults up, by kind and as a whole.
func (p *Report) sum() {
	sums := map[string]*Kind{}
	flips, redundant, silences := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for _, f := range p.Faults {
		k := sums[f.Kind]
		if k == nil {
			k = &Kind{Kind: f.Kind}
			sums[f.Kind] = k
		}
		k.Count++
		k.Lost, k.Doubled, k.Changed = k.Lost+f.Lost, k.Doubled+f.Doubled, k.Changed+f.Changed
		k.Concealed, k.Silent = k.Concealed+f.Concealed, k.Silent+f.Silent
		p.Lost, p.Doubled, p.Concealed = p.Lost+f.Lost, p.Doubled+f.Doubled, p.Concealed+f.Concealed
		if f.Kind == "all" || p.Engine.Workers == 1 {
			p.AllDead += f.Concealed
		}
		if f.FlipUS > 0 {
			flips[f.Kind] = append(flips[f.Kind], f.FlipUS)
		}
		if f.Concealed > 0 {
			silences[f.Kind] = append(silences[f.Kind], p.Engine.Milliseconds(f.Concealed))
		}
		if f.RedundantUS > 0 {
			redundant[f.Kind] = append(redundant[f.Kind], f.RedundantUS)
		}
	}
	p.Concealed += p.Elsewhere
	for _, k := range plan.Kinds {
		s := sums[k.Name]
		if s == nil {
			continue
		}
		s.Silence = k.Silence || k.SilenceAlone && p.Engine.Workers == 1
		s.FlipUS, s.RedundantUS = QuantilesOf(flips[k.Name]), QuantilesOf(redundant[k.Name])
		s.SilenceMS = QuantilesOf(silences[k.Name])
		p.Kinds = append(p.Kinds, *s)
	}
}

// attribute counts each changed block for the last fault before it.
func (r *run) attribute(faults []Fault) {
	for number, s := range r.segments {
		i := 0
		for i < len(faults) && faults[i].Segment < number {
			i++
		}
		for _, n := range s.changed {
			for i+1 < len(faults) && faults[i+1].Segment == number && faults[i+1].Block <= n {
				i++
			}
			if i < len(faults) && faults[i].Segment == number && faults[i].Block <= n {
				faults[i].Changed++
			}
		}
	}
}

// OK says that no block was lost, doubled or changed, and that nothing failed.
func (p Report) OK() bool { return p.Lost+p.Doubled+p.Changed == 0 && p.Failure == "" }

// Summary is the report in one line.
func (p Report) Summary() string {
	return fmt.Sprintf("%d faults: %d lost, %d doubled, %d changed; %d blocks concealed, of them %d where all workers died at once",
		p.Count, p.Lost, p.Doubled, p.Changed, p.Concealed, p.AllDead)
}

// Print writes the report as a table.
func (p Report) Print(out io.Writer) error {
	var b bytes.Buffer
	head, _, more := strings.Cut(p.Plan, "\n")
	if more {
		head += " ..."
	}
	fmt.Fprintf(&b, "%s; seed %d; %.1f s, %d blocks compared\n", head, p.Seed, p.Seconds, p.Compared)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "fault\tcount\tlost\tdoubled\tchanged\tconcealed\tflip, ms: median\tp99\tmax\t"+
		"redundant, ms: median\tp99\tmax\tsilence, ms: median\tmax\t")
	for _, k := range p.Kinds {
		note := ""
		if k.Silence {
			note = "*"
		}
		fmt.Fprintf(w, "%s%s\t%d\t%d\t%d\t%d\t%d", k.Kind, note, k.Count, k.Lost, k.Doubled, k.Changed, k.Concealed)
		for _, q := range []Quantiles{k.FlipUS, k.RedundantUS} {
			if q.Count == 0 {
				fmt.Fprint(w, "\t\t\t")
				continue
			}
			fmt.Fprintf(w, "\t%.2f\t%.2f\t%.2f", q.Median/1e3, q.P99/1e3, q.Max/1e3)
		}
		if q := k.SilenceMS; q.Count == 0 {
			fmt.Fprint(w, "\t\t")
		} else {
			fmt.Fprintf(w, "\t%.1f\t%.1f", q.Median, q.Max)
		}
		fmt.Fprintln(w, "\t")
	}
	fmt.Fprintf(w, "elsewhere\t\t\t\t\t%d\t\t\t\t\t\t\t\t\t\n", p.Elsewhere)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(&b, "* silence is expected: no process is left that could play")
	if p.Failure != "" {
		fmt.Fprintln(&b, "failed:", p.Failure)
	}
	fmt.Fprintln(&b, p.Summary())
	_, err := b.WriteTo(out)
	return err
}
