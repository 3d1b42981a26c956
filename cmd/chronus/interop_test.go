package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// clientWait is the longest time that a client may take. sclang compiles its library in it.
const clientWait = time.Minute

// modules returns the directory of the npm packages that .ci/interop/deps installs.
func modules(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(cache, "chronus-interop", "node_modules")
}

// ran runs a client and returns its output.
func ran(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s (.ci/interop/deps installs it)", cmd, err, out)
	}
	return string(out)
}

// loClient compiles the client of liblo.
func loClient(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client")
	cc := strings.Fields(ran(t, nil, "go", "env", "CC"))
	ran(t, nil, cc[0], "-o", path, "testdata/interop/client.c", "-llo")
	return path
}

// answered lists the answers that every client must print, each on a line of its own, after "reply"
// or at the beginning. SuperCollider and Pd do not read 64 bits.
var answered = []string{
	"/done /mod/filter1/cutoff", "/fail /mod/filter1/cutof unknown; the nearest is /mod/filter1/cutoff", "/done /mod/*/q 1",
	"/done /engine/freq", "/done /gate/adsr1", "/engine/status.reply ",
}

// Real clients, from their packages, use each transport that they have. They send parameters as
// each encodes a number, a mistake, a pattern, a bundle ahead of its time, and a question. Each
// message is answered at its sender, none is late or malformed, and the music plays on.
func TestInterop(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "16")
	_, port, _ := strings.Cut(e.must().OSC, ":")
	lo := loClient(t)
	node := []string{"NODE_PATH=" + modules(t)}
	qt := []string{"QT_QPA_PLATFORM=offscreen", "QTWEBENGINE_DISABLE_SANDBOX=1", "HOME=" + t.TempDir()}
	for _, tt := range []struct {
		name string
		env  []string
		args []string
	}{
		{"liblo", nil, []string{lo, "udp", port}},
		{"liblo by TCP", nil, []string{lo, "tcp", port}},
		{"npm osc", node, []string{"node", "testdata/interop/client.js", "udp", port}},
		{"npm osc by TCP, in SLIP", node, []string{"node", "testdata/interop/client.js", "tcp", port}},
		{"npm osc by WebSocket", node, []string{"node", "testdata/interop/client.js", "websocket", port}},
		{"sclang", qt, []string{"sclang", "testdata/interop/client.scd", port, "udp"}},
		{"sclang by TCP", qt, []string{"sclang", "testdata/interop/client.scd", port, "tcp"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := e.must().OSCStats
			out := "\n" + ran(t, tt.env, tt.args[0], tt.args[1:]...)
			for _, want := range answered {
				if !strings.Contains(out, "\n"+want) && !strings.Contains(out, "\nreply "+want) {
					t.Errorf("no %q in %s", want, out)
				}
			}
			after := e.must().OSCStats
			if n := after.Messages - before.Messages; n != 6 || len(after.Malformed) != 0 || strings.Contains(out, "/late") {
				t.Errorf("%d messages, malformed %v: %s", n, after.Malformed, out)
			}
		})
	}
	t.Run("Pd", func(t *testing.T) { // which prints addresses in parts and has no bundles
		out := ran(t, nil, "pd", "-nogui", "-noaudio", "-nomidi", "-noprefs", "-stderr", "-open", "testdata/interop/client.pd", "-send", "port "+port)
		for _, want := range []string{"done /mod/filter1/cutoff", `fail /mod/filter1/cutof unknown`, "done /mod/*/q 1", "engine status.reply "} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in %s", want, out)
			}
		}
	})
	t.Run("oscsend", func(t *testing.T) {
		for _, url := range []string{"osc.udp://127.0.0.1:" + port, "osc.tcp://127.0.0.1:" + port} {
			before := e.must().OSCStats
			ran(t, nil, "oscsend", url, "/mod/filter1/q", "ifshdcTFNIm", "1", "0.5", "s", "5", "0.25", "c", "90ffff00")
			ran(t, nil, "oscsend", url, "/mod/filter1/q", "h", "1")
			for began := time.Now(); ; time.Sleep(time.Millisecond) {
				after := e.must().OSCStats
				if after.Messages-before.Messages == 2 && after.Failed-before.Failed == 1 && len(after.Malformed) == 0 {
					break
				}
				if time.Since(began) > replyWait {
					t.Fatalf("%s: %+v", url, after)
				}
			}
		}
	})
	if st := e.must(); !st.Playing || st.FailoversTotal != 0 {
		t.Errorf("playing %t, %d workers lost", st.Playing, st.FailoversTotal)
	}
}

// liblo's oscdump reads every type that package osc encodes, in a message and in a bundle.
func TestOscdump(t *testing.T) {
	free, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := free.LocalAddr().String()
	_ = free.Close()
	_, port, _ := strings.Cut(to, ":")
	log := newLog(t)
	cmd := exec.Command("oscdump", "-L", port)
	cmd.Stdout, cmd.Stderr = log.File, log.File
	if err := cmd.Start(); err != nil {
		t.Fatalf("oscdump: %v (.ci/interop/deps installs it)", err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	message, err := osc.Encode("/all", int32(-5), 1<<40, float32(0.5), 0.25, "text", true, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`/all ihfdsTF -5 1099511627776 0.5`, `"text"`, "/freq f 300", "/gate s"}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) { // until it listens
		_, _ = c.Write(message)
		_, _ = c.Write(bundleOf(t, osc.Immediately, packets(t, "/freq", float32(300), "/gate", "on")...))
		missing := ""
		for _, w := range want {
			if !strings.Contains(log.String(), w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("no %q in %s", missing, log)
		}
	}
}
