package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio/backendtest"
	"github.com/music-chronus/chronus/audio/soundserver"
)

// changedPeriods are the periods of twenty changes.
var changedPeriods = []int{64, 2048, 256, 512, 32, 1024, 128, 2048, 32, 256, 2048, 64, 512, 128, 1024, 32, 512, 64, 2048, 256}

// awaitPeriod waits until the engine knows that the device plays so many frames at a time, or more:
// it remembers a longer period for some seconds.
func (e *engineProcess) awaitPeriod(frames int) {
	e.t.Helper()
	e.until(fmt.Sprintf("a period of %d frames", frames), 20*time.Second, func(st actors.Status) bool { return st.Period >= frames })
	e.playedTo(e.must().Clock + uint64(4*frames/64+40))
}

// deviations lists what broke in a capture with its statuses before and after; nil: nothing.
type deviations []string

func (d *deviations) add(format string, args ...any) { *d = append(*d, fmt.Sprintf(format, args...)) }

// compare adds a change of the active worker, a restart of the audio process, and concealed blocks.
func (d *deviations) compare(before, after actors.Status) {
	if after.AudioPID != before.AudioPID || after.FailoversTotal != before.FailoversTotal || after.CallbackFlips != before.CallbackFlips {
		d.add("audio process %d, before %d; %d failovers and %d flips by the callback meanwhile",
			after.AudioPID, before.AudioPID, after.FailoversTotal-before.FailoversTotal, after.CallbackFlips-before.CallbackFlips)
	}
}

// unbroken repeats a capture until one has no deviation, at most sineTries times. A stall of the
// machine or of its recorder breaks some captures, a fault of the engine breaks all.
func unbroken(t *testing.T, capture func() deviations) {
	t.Helper()
	for try := 1; ; try++ {
		d := capture()
		if d == nil {
			return
		}
		t.Logf("try %d: %q", try, d)
		if try == sineTries {
			t.Fatal("broken at every try")
		}
	}
}

// summary describes what the engine and the sound did between two statuses.
func summary(before, after actors.Status, s backendtest.Sine) string {
	return fmt.Sprintf("lead %d (%s); %d concealed, %d xruns, %d overruns, %d late; %v", after.Lead, after.LeadReason,
		after.Concealed-before.Concealed, after.Xruns-before.Xruns, after.Overruns-before.Overruns, after.Late-before.Late, s)
}

// The period of a JACK server changes twenty times while a sine plays, with an adaptive lead and
// with one that is too short for most periods. The sine goes on in the same audio process. An
// asynchronous server on a machine that stalls loses frames itself, and counts them as xruns.
func TestE2EJackPeriods(t *testing.T) {
	for _, tt := range []struct {
		async bool
		lead  int
	}{{false, 8}, {true, 0}} {
		t.Run(fmt.Sprintf("async %t, lead %d", tt.async, tt.lead), func(t *testing.T) {
			backendtest.StartJACK(t, backendtest.JACKOptions{Rate: 48000, Period: 256, Async: tt.async})
			e := up(t, "--backend", "jack", "--lead", fmt.Sprint(tt.lead), "--patch", steadyPatch)
			unbroken(t, func() (d deviations) {
				before := e.redundancy()
				recorded := capturePorts(t, 6, "chronus:out_1", "chronus:out_2")
				for _, frames := range changedPeriods {
					tool(t, "jack_bufsize", fmt.Sprint(frames))
					e.awaitPeriod(frames)
				}
				after := e.must()
				s := backendtest.FitSine(left(t, recorded()), 48000, steadyFrequency)
				t.Log(summary(before, after, s))
				d.compare(before, after)
				if len(s.Breaks) > int(after.Xruns-before.Xruns) || after.Concealed != before.Concealed {
					d.add("%d breaks, %d concealed", len(s.Breaks), after.Concealed-before.Concealed)
				}
				return d
			})
		})
	}
}

// PipeWire plays at short and long quanta, and changes between them twenty times. It skips a cycle
// when the quantum changes. A plain C client beside the engine counts the skipped cycles.
func TestE2EPipeWireQuanta(t *testing.T) {
	server := backendtest.StartPipeWire(t)
	server.Sink(t, "nullsink")
	server.Sink(t, "controlsink")
	server.Default(t, "nullsink")
	backendtest.StartControl(t, soundserver.Look().Library, "controlsink:playback_FL", "controlsink:playback_FR")
	e := up(t, "--patch", steadyPatch)
	for _, tt := range []struct {
		name   string
		quanta []int
	}{{"64", []int{64}}, {"256", []int{256}}, {"2048", []int{2048}}, {"20 changes", changedPeriods}} {
		t.Run(tt.name, func(t *testing.T) {
			unbroken(t, func() (d deviations) {
				if len(tt.quanta) == 1 {
					server.Quantum(t, tt.quanta[0])
					e.awaitPeriod(tt.quanta[0])
				}
				before := e.redundancy()
				heard, other := server.Capture(t, "nullsink"), server.Capture(t, "controlsink")
				for _, frames := range tt.quanta {
					server.Quantum(t, frames)
					e.awaitPeriod(frames)
				}
				e.playedTo(e.must().Clock + 750) // a second
				after := e.must()
				s := backendtest.FitSine(left(t, heard.Stop(t)), 48000, steadyFrequency)
				c := backendtest.FitSine(left(t, other.Stop(t)), 48000, backendtest.ControlFrequency)
				t.Logf("%s; control: %v", summary(before, after, s), c)
				d.compare(before, after)
				skipped := len(c.Breaks)
				if len(tt.quanta) > 1 {
					skipped = max(skipped, len(tt.quanta))
				}
				if len(s.Breaks) > skipped {
					d.add("%d breaks, the server skipped %d cycles", len(s.Breaks), skipped)
				}
				return d
			})
		})
	}
}
