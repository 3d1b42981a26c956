package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio/backendtest"
)

// steadyPatch plays a sine of steadyFrequency Hz and nothing else.
const (
	steadyPatch     = "testdata/sound/sine.yaml"
	steadyFrequency = 443.37
)

// soakEnv has the seconds of sound that each path plays in TestE2EPipeWire; default: soakSeconds.
const (
	soakEnv     = "CHRONUS_SOAK"
	soakSeconds = 5
)

// sinePath is a way by which an engine plays on PipeWire.
type sinePath struct {
	name  string
	flags []string
	kills bool
}

// TestE2EPipeWire captures a steady sine from PipeWire's sink, by each path, with the active worker killed and without.
func TestE2EPipeWire(t *testing.T) {
	server := backendtest.StartPipeWire(t)
	server.Sink(t, "nullsink")
	seconds, kills := soakSeconds, 10
	if n, err := strconv.Atoi(os.Getenv(soakEnv)); err == nil {
		seconds, kills = n, 100
	}
	for _, tt := range []sinePath{
		{"auto", nil, false},
		{"alsa", []string{"--backend", "portaudio", "--device", "ALSA/default"}, false},
		{"alsa", []string{"--backend", "portaudio", "--device", "ALSA/default"}, true},
	} {
		t.Run(fmt.Sprintf("%s kills %t", tt.name, tt.kills), func(t *testing.T) {
			e := up(t, append(tt.flags, "--patch", steadyPatch)...)
			before := e.redundancy()
			r := server.Capture(t, "nullsink")
			began := time.Now()
			for n := 0; tt.kills && n < kills; n++ {
				e.killHeard(syscall.SIGKILL)
			}
			e.until("has played", time.Duration(seconds+60)*time.Second, playedFor(before.Clock, seconds, before.Rate/before.Block))
			path := r.Stop(t)
			st := e.must()
			_, samples := readWAV(t, path)
			s := backendtest.FitSine(leftOf(samples), 48000, steadyFrequency)
			t.Logf("%s %q, period %d, lead %d; %v; %d concealed, %d xruns, %d flips by the callback, %v", st.Backend, st.Device, st.Period, st.Lead, s,
				st.Concealed-before.Concealed, st.Xruns-before.Xruns, st.CallbackFlips-before.CallbackFlips, time.Since(began))
		})
	}
}

func playedFor(from uint64, seconds, blocks int) func(actors.Status) bool {
	return func(st actors.Status) bool { return st.Clock > from+uint64(seconds*blocks) }
}

// leftOf is the first channel of stereo sound.
func leftOf(samples []float32) (left []float32) {
	for i := 0; i < len(samples); i += 2 {
		left = append(left, samples[i])
	}
	return left
}
