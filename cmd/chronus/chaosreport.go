package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors"
)

// planReport is what was done by a plan and what was heard. Counts are in blocks.
type planReport struct {
	Version   int           `json:"version"` // of this form: 1
	Seed      uint64        `json:"seed"`
	Plan      string        `json:"plan"`
	Began     time.Time     `json:"began"`
	Seconds   float64       `json:"seconds"`
	Engine    engineReport  `json:"engine"`
	Count     int           `json:"count"`
	Compared  uint64        `json:"compared"` // with the uninterrupted render
	Unknown   uint64        `json:"unknown"`  // while no engine kept a tape
	Lost      uint64        `json:"lost"`
	Doubled   uint64        `json:"doubled"`
	Changed   uint64        `json:"changed"`
	Concealed uint64        `json:"concealed"`
	AllDead   uint64        `json:"concealed_all_dead"`  // of them, where all workers died at once
	Elsewhere uint64        `json:"concealed_elsewhere"` // of them, between the faults: by this machine
	Kinds     []kindReport  `json:"kinds"`
	Faults    []faultRecord `json:"faults"`
	Gaps      []gapRecord   `json:"gaps,omitempty"`
	Failure   string        `json:"failure,omitempty"` // why it ended early, or did not pass

	wave *waveform
	base []int64 // of each take
}

// engineReport says what was tormented.
type engineReport struct {
	Patch   string `json:"patch"`
	Backend string `json:"backend"`
	Device  string `json:"device"`
	Rate    int    `json:"rate"`
	Block   int    `json:"block"`
	Lead    uint64 `json:"lead"`
	Guard   int    `json:"guard"`
	Workers int    `json:"workers"`
}

// faultRecord is one fault: when, to whom, and what came of it.
type faultRecord struct {
	N           int     `json:"n"`
	Kind        string  `json:"fault"`
	At          float64 `json:"at_s"`
	Take        int     `json:"take"`  // counts the engine processes, from 0
	Block       uint64  `json:"block"` // the clock when it was done
	PIDs        []int   `json:"pids,omitempty"`
	For         float64 `json:"for_ms,omitempty"`
	FlipUS      float64 `json:"flip_us,omitempty"`      // from the signal; 0: not measured, or nothing flipped
	RedundantUS float64 `json:"redundant_us,omitempty"` // from the signal to full redundancy
	Lost        uint64  `json:"lost"`
	Doubled     uint64  `json:"doubled"`
	Changed     uint64  `json:"changed"`
	Concealed   uint64  `json:"concealed"` // until redundant again
	Rescued     uint64  `json:"rescued"`
	Silent      uint64  `json:"silent,omitempty"` // blocks' worth of time without an audio process
	Note        string  `json:"note,omitempty"`
}

// gapRecord is a time for which nothing was there to be played, before a block of a take.
type gapRecord struct {
	Take   int    `json:"take"`
	Before uint64 `json:"before"`
	Blocks uint64 `json:"blocks"`
}

// kindReport sums the faults of one kind up.
type kindReport struct {
	Kind      string    `json:"fault"`
	Silence   bool      `json:"silence_expected"`
	Count     int       `json:"count"`
	Lost      uint64    `json:"lost"`
	Doubled   uint64    `json:"doubled"`
	Changed   uint64    `json:"changed"`
	Concealed uint64    `json:"concealed"`
	Silent    uint64    `json:"silent"`
	FlipUS    quantiles `json:"flip_us"`
	WholeUS   quantiles `json:"redundant_us"`
	SilenceMS quantiles `json:"concealed_ms"` // of the faults after which anything was concealed
}

// blocksMS is how long so many blocks last, in ms.
func blocksMS(blocks uint64, e engineReport) float64 {
	return float64(blocks) * float64(e.Block) * 1000 / float64(e.Rate)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// offsetOf is by how many blocks more were played than the clock passed.
func offsetOf(st actors.Status) int64 { return int64(st.Played) - int64(st.Clock) }

// steady is the offset of the present, which is want unless a block was lost or doubled. A status reads the clock and the
// counts one after the other while they move on: only what several say is so.
func (r *chaosRun) steady(ctx context.Context, st actors.Status, want int64) int64 {
	for range 20 {
		if offsetOf(st) == want {
			return want
		}
		time.Sleep(2 * time.Millisecond)
		if again, err := r.client.status(ctx); err == nil {
			st = again
		}
	}
	return offsetOf(st)
}

// judge puts on record what a fault did to the sound.
func (r *chaosRun) judge(ctx context.Context, h *harm, after actors.Status) {
	before := h.before
	if h.fresh {
		before = actors.Status{}
		r.offset = 0
	}
	h.Concealed, h.Rescued = less(after.Concealed, before.Concealed), less(after.Rescued, before.Rescued)
	offset := r.steady(ctx, after, r.offset)
	h.Doubled, h.Lost = uint64(max(0, offset-r.offset)), uint64(max(0, r.offset-offset))
	r.offset = offset
	if after.AudioPID != h.before.AudioPID {
		elapsed := uint64(time.Since(h.beforeAt).Seconds() * float64(after.Rate) / float64(after.Block))
		h.Silent = less(elapsed, less(after.Clock, before.Clock)+h.Concealed)
		h.gaps = append(h.gaps, gap{len(r.takes) - 1, h.stood, h.Silent})
	}
	h.failovers(before, after)
}

// failovers takes over what the engine has measured, and names workers that were lost besides.
func (h *harm) failovers(before, after actors.Status) {
	fresh := int(min(less(after.FailoversTotal, before.FailoversTotal), uint64(len(after.Failovers))))
	for _, f := range after.Failovers[len(after.Failovers)-fresh:] {
		if !slices.ContainsFunc(h.victims, func(v victim) bool { return v.slot == f.Slot && v.generation == f.Generation }) {
			h.remark(fmt.Sprintf("also worker %d: %s", f.Slot, f.Cause))
			continue
		}
		if f.FromKill {
			h.FlipUS, h.RedundantUS = f.FlipUS, f.RedundantUS
		}
		if h.Note == "" {
			h.Note = f.Cause
		}
	}
}

// remark adds to the note, which stays short.
func (f *faultRecord) remark(s string) {
	switch {
	case f.Note == "":
		f.Note = s
	case len(f.Note) < 200:
		f.Note += "; " + s
	}
}

// report sums up.
func (r *chaosRun) report(failure error) planReport {
	p := planReport{
		Version: 1, Seed: r.seed, Plan: r.plan.text, Began: r.began, Seconds: time.Since(r.began).Seconds(),
		Engine: engineReport{r.start.Patch, r.start.Backend, r.start.Device, r.start.Rate, r.start.Block, r.start.Lead, r.start.Guard, len(r.start.Workers)},
		Count:  len(r.faults), Changed: r.changed.Load(), Faults: r.faults, wave: &r.wave,
	}
	for _, t := range r.takes {
		p.Compared += t.blocks
		p.Unknown += t.unknown
		p.base = append(p.base, t.base)
	}
	r.blame(p.Faults)
	kinds := map[string]*kindReport{}
	flips, wholes, silences := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for _, f := range p.Faults {
		k := kinds[f.Kind]
		if k == nil {
			k = &kindReport{Kind: f.Kind}
			kinds[f.Kind] = k
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
			silences[f.Kind] = append(silences[f.Kind], blocksMS(f.Concealed, p.Engine))
		}
		if f.RedundantUS > 0 {
			wholes[f.Kind] = append(wholes[f.Kind], f.RedundantUS)
		}
	}
	for _, k := range faultKinds {
		if s := kinds[k.name]; s != nil {
			s.Silence = k.silence || k.only && p.Engine.Workers == 1
			s.FlipUS, s.WholeUS = quantilesOf(flips[k.name]), quantilesOf(wholes[k.name])
			s.SilenceMS = quantilesOf(silences[k.name])
			p.Kinds = append(p.Kinds, *s)
		}
	}
	p.Elsewhere = r.elsewhere
	p.Concealed += p.Elsewhere
	for _, g := range r.gaps {
		p.Gaps = append(p.Gaps, gapRecord{g.take, g.before, g.blocks})
	}
	if failure != nil {
		p.Failure = failure.Error()
	}
	return p
}

// blame gives each changed block to the fault that was the last before it.
func (r *chaosRun) blame(faults []faultRecord) {
	for number, t := range r.takes {
		i := 0
		for i < len(faults) && faults[i].Take < number {
			i++
		}
		for _, n := range t.changed {
			for i+1 < len(faults) && faults[i+1].Take == number && faults[i+1].Block <= n {
				i++
			}
			if i < len(faults) && faults[i].Take == number && faults[i].Block <= n {
				faults[i].Changed++
			}
		}
	}
}

// ok tells whether nothing happened to the sound.
func (p planReport) ok() bool { return p.Lost+p.Doubled+p.Changed == 0 && p.Failure == "" }

func (p planReport) print(out io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s; seed %d; %.1f s, %d blocks compared\n", firstLine(p.Plan), p.Seed, p.Seconds, p.Compared)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "fault\tcount\tlost\tdoubled\tchanged\tconcealed\tflip, ms: median\tp99\tmax\tredundant, ms: median\tp99\tmax\tsilence, ms: median\tmax\t")
	for _, k := range p.Kinds {
		note := ""
		if k.Silence {
			note = "*"
		}
		fmt.Fprintf(w, "%s%s\t%d\t%d\t%d\t%d\t%d", k.Kind, note, k.Count, k.Lost, k.Doubled, k.Changed, k.Concealed)
		for _, q := range []quantiles{k.FlipUS, k.WholeUS} {
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
	fmt.Fprintln(&b, "* silence is expected: nobody is left who could play")
	if p.Failure != "" {
		fmt.Fprintln(&b, "failed:", p.Failure)
	}
	fmt.Fprintln(&b, p.verdict())
	_, err := b.WriteTo(out)
	return err
}

// verdict is the report in a line.
func (p planReport) verdict() string {
	return fmt.Sprintf("%d faults: %d lost, %d doubled, %d changed; %d blocks concealed, of them %d where all workers died at once",
		p.Count, p.Lost, p.Doubled, p.Changed, p.Concealed, p.AllDead)
}

// save writes the report and its picture into a directory, which is made if need be.
func (p planReport) save(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	var text, picture bytes.Buffer
	err := errors.Join(printJSON(&text, p), p.draw(&picture))
	if err == nil {
		err = errors.Join(
			os.WriteFile(filepath.Join(dir, "report.json"), text.Bytes(), 0o666),
			os.WriteFile(filepath.Join(dir, "waveform.svg"), picture.Bytes(), 0o666),
		)
	}
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	return nil
}

func firstLine(s string) string {
	for i, c := range s {
		if c == '\n' {
			return s[:i] + " ..."
		}
	}
	return s
}
