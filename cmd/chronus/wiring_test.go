package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio/backendtest"
)

// awaitPort waits until a port of JACK's graph has exactly these connections.
func awaitPort(t *testing.T, port string, want ...string) {
	t.Helper()
	var out []byte
	for began := time.Now(); ; <-time.After(10 * time.Millisecond) {
		out, _ = command(t, toolLimit, "jack_lsp", "-c").Output()
		var got []string
		_, rest, found := strings.Cut("\n"+string(out), "\n"+port+"\n")
		for line := range strings.Lines(rest) {
			other, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "   ")
			if !ok {
				break
			}
			got = append(got, other)
		}
		if found && slices.Equal(got, want) {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%s is to be connected with %q: %s", port, want, out)
		}
	}
}

// The user's connections are back after the audio process, the engine and the server were killed.
// The client keeps its name.
func TestWiringOutlives(t *testing.T) {
	server := backendtest.JACKServer(t, 48000, 128)
	dir, flags := t.TempDir(), []string{"--client-name", "organ", "--lead", "64", "--guard", "32"}
	e := upIn(t, dir, flags...)
	st := e.redundancy()
	if st.Backend != "jack" || st.Period != 128 || st.OnFallback || st.Note != "" {
		t.Fatalf("plays on %s, period %d, second %t, note %q", st.Backend, st.Period, st.OnFallback, st.Note)
	}
	awaitPort(t, "organ:out_1", "system:playback_1")
	awaitPort(t, "organ:out_2", "system:playback_2")
	tool(t, "jack_connect", "organ:out_1", "system:playback_2")
	tool(t, "jack_disconnect", "organ:out_2", "system:playback_2")
	wired := func(after string) {
		t.Helper()
		t.Log("after the end of", after)
		awaitPort(t, "organ:out_1", "system:playback_1", "system:playback_2")
		awaitPort(t, "organ:out_2")
	}
	killAudio := func() {
		t.Helper()
		before := e.redundancy()
		if err := syscall.Kill(before.AudioPID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		e.until("plays again", 10*time.Second, func(st actors.Status) bool {
			return st.AudioPID != before.AudioPID && st.Clock > before.Clock+100 && st.Backend == "jack" && !st.OnFallback
		})
	}
	e.until("knows the wiring", 10*time.Second, func(st actors.Status) bool {
		return slices.EqualFunc(st.Wiring, [][]string{{"system:playback_1", "system:playback_2"}, {}}, slices.Equal)
	})
	killAudio()
	wired("the audio process")

	e.murder()
	e = upIn(t, dir, flags...)
	killAudio()
	wired("the engine, and of the audio process then")

	server.Kill(t)
	e.until("on the clock", 10*time.Second, func(st actors.Status) bool { return st.Backend == "null" && st.OnFallback })
	server.Restart(t)
	e.until("on JACK again", 15*time.Second, func(st actors.Status) bool { return st.Backend == "jack" && !st.OnFallback })
	wired("the server")
}
