package main

import (
	"bytes"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/audio/backendtest"
)

// until waits for a condition of the engine's status.
func (e *engineProcess) until(what string, limit time.Duration, ok func(actors.Status) bool) actors.Status {
	e.t.Helper()
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		st := e.must()
		if ok(st) {
			return st
		}
		if time.Since(began) > limit {
			e.t.Fatalf("%s: not within %v: %s, blank %t, second %t, clock %d, events %q; %s", what, limit, st.Backend, st.Unheard, st.OnFallback, st.Clock, st.Events, e.log)
		}
	}
}

// A sound server dies in the middle of a piece, and comes back. Meanwhile the music goes on by the
// clock of the null backend, and the status says so. Then the music is on the server again.
func TestDeviceLost(t *testing.T) {
	server := backendtest.JACKServer(t, 48000, 128)
	e := up(t, "--backend", "portaudio", "--lead", "64", "--guard", "32")
	e.tell("/gate/adsr1", "on")
	for range 2 {
		before := e.redundancy()
		if before.Unheard || before.OnFallback || before.Backend != "portaudio" {
			t.Fatalf("plays on %s, blank %t, second %t", before.Backend, before.Unheard, before.OnFallback)
		}
		server.Kill(t)
		lost := time.Now()
		st := e.until("on the clock", 10*time.Second, func(st actors.Status) bool {
			return st.Backend == "null" && st.Unheard && st.OnFallback && st.Clock > before.Clock+1000
		})
		t.Logf("on the null backend, and 1000 blocks further, after %v", time.Since(lost).Round(time.Millisecond))
		if st.Preferred != "portaudio" || st.Note == "" {
			t.Errorf("preferred %q, note %q", st.Preferred, st.Note)
		}
		if moved := slices.ContainsFunc(st.Workers, func(w report.WorkerStatus) bool { return w.PID != before.Workers[w.Slot].PID }); moved {
			t.Error("a worker was lost with the device")
		}
		server.Restart(t)
		back := time.Now()
		e.until("on JACK again", 15*time.Second, func(st actors.Status) bool { return st.Backend == "portaudio" && !st.Unheard && !st.OnFallback })
		t.Logf("on JACK again %v after the server", time.Since(back).Round(time.Millisecond))
		e.tell("/engine/freq", float32(250))
		unbroken(t, func() (broken deviations) {
			stopTape := e.taping()
			recorded := capture(t, 2)
			e.killHeard(syscall.SIGKILL)
			path := recorded()
			if d := compareCaptured(t, path, rendered(t, stopTape())); !d.Equal() || d.Compared < 48000 {
				broken.add("%+v", d)
			}
			return broken
		})
	}
}

// The fallback plays while the preferred device is missing, from the start too.
func TestFallback(t *testing.T) {
	path := t.TempDir() + "/second.wav"
	e := up(t, "--backend", "portaudio", "--device", "no such thing", "--fallback", "file:"+path+",null")
	st := e.must()
	if st.Backend != "file" || st.Device != path || !st.OnFallback || st.Unheard || st.Preferred != "portaudio:no such thing" {
		t.Errorf("plays on %s %q, second %t, blank %t, preferred %q", st.Backend, st.Device, st.OnFallback, st.Unheard, st.Preferred)
	}
}

// When the audio process is killed, the sound is on JACK again within a moment, and goes on at the
// frame at which it stopped.
func TestAudioKilledOnJACK(t *testing.T) {
	backendtest.JACK(t, 48000, 128)
	e := up(t, "--backend", "portaudio", "--lead", "64", "--guard", "32")
	e.tell("/gate/adsr1", "on")
	var gaps []time.Duration
	for range 5 {
		time.Sleep(time.Second) // one failure at a time: until then there is a spare again
		before := e.redundancy()
		if err := syscall.Kill(before.AudioPID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		stopped := e.must().Clock
		e.until("plays again", 5*time.Second, func(st actors.Status) bool {
			return st.AudioPID != before.AudioPID && st.Clock > max(stopped, before.Clock+3)
		})
		gaps = append(gaps, time.Since(killed).Round(time.Millisecond))
		ports, _ := command(t, toolLimit, "jack_lsp", "-c").Output()
		if !bytes.Contains(ports, []byte("PortAudio")) {
			t.Errorf("it is not on JACK: %s", ports)
		}
	}
	slices.Sort(gaps)
	t.Logf("silence after the audio process was killed: %v", gaps)
	if st := e.must(); st.Played != st.Clock || st.Backend != "portaudio" {
		t.Errorf("%d blocks played, the clock is at %d, on %s", st.Played, st.Clock, fmt.Sprint(st.Backend))
	}
}
