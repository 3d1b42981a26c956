package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("version: 1\nnodes:\n  - {id: a, type: sin}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start := []string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--backend", "null", "--state", filepath.Join(dir, "state")}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"fly"}, 2, "unexpected argument fly"},
		{[]string{"up", "--rte", "1"}, 2, "unknown flag --rte"},
		{[]string{"status", "--runtime-dir", dir}, 1, "no engine runs in"},
		{[]string{"down", "--runtime-dir", dir}, 1, "no engine runs in"},
		{append(start, "--patch", bad), 1, `no module of type "sin"; did you mean sine?`},
		{append(start, "--patch", filepath.Join(dir, "none.yaml")), 1, "no such file"},
		{append(start, "--patch", "bass/acd"), 1, `no preset "bass/acd"; did you mean bass/acid?`},
		{[]string{"presets", "bas/sub"}, 1, "did you mean bass/sub?"},
		{append(start, "--rate", "100"), 1, "rate 100 is outside 8000 to 384000"},
		{append(start, "--block", "8"), 1, "block 8 is outside 16 to 4096"},
		{append(start, "--replicas", "9"), 1, "replicas 9 is outside 1 to 8"},
		{append(start, "--lead", "2"), 1, "lead 2 must be above guard 2"},
		{append(start, "--fallback", "asio:x"), 1, `--fallback "asio:x": the backend must be jack, portaudio, null, file or pipe`},
		{append(start, "--guard", "0"), 1, "--guard 0: must be 1 or more"},
		{append(start, "--log", "loud"), 1, "must be debug, info, warn or error"},
		{append(start, "--device", "hw:7"), 1, `backend null has no device "hw:7"`},
		{[]string{"up", "--runtime-dir", dir, "--osc", "none", "--device", "hw:7", "--state", noState}, 1, `no device "hw:7"`},
		{append(start, "--channels", "65"), 1, "channels 65 is outside 1 to 64"},
		{append(start, "--channels", "0"), 1, "--channels 0: must be 1 or more"},
		{append(start, "--period", "5000"), 1, "period 5000 is outside 16 to 4096 frames"},
		{append(start, "--client-name", "a:b"), 1, "without a colon"},
		{append(start, "--backend", "asio"), 1, `backend "asio" is unknown: choose auto, jack, portaudio, null, file`},
		{[]string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--backend", "file", "--state", noState}, 1, "--device out.wav"},
		{[]string{"up", "--runtime-dir", dir, "--osc", "nowhere", "--backend", "null", "--state", noState}, 1, "host:port"},
		{[]string{"up", "--runtime-dir", filepath.Join(bad, "x"), "--backend", "null", "--state", noState}, 1, "choose another runtime directory"},
		{[]string{"render", "--seconds=-1"}, 1, "--seconds -1"},
		{[]string{"render", "-o", filepath.Join(dir, "x.wav"), "--at", "0 /gate/nobody 1"}, 1, "under /gate/ there are adsr1"},
		{[]string{"render", "-o", filepath.Join(dir, "x.wav"), "--at", "soon /gate/adsr1 1"}, 1, `time "soon": must be a number of seconds`},
		{[]string{"render", "--tape", bad}, 1, "tape line 1"},
		{[]string{"chaos", "--runtime-dir", dir, "--kills", "0"}, 1, "--kills 0: must be 1 or more"},
		{[]string{"chaos", "--runtime-dir", dir, "--signal", "hup"}, 2, "must be one of"},
		{[]string{"send", "--osc", "127.0.0.1:1", "x"}, 1, "must begin with /"},
	} {
		out, errOut, code := chronus(tt.args...)
		if code != tt.code || !strings.Contains(errOut, tt.want) {
			t.Errorf("%v: code %d, want %d\n%s%s\nwant %s", tt.args, code, tt.code, out, errOut, tt.want)
		}
	}
}

func TestRender(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.wav")
	_, errOut, code := chronus("render", "-o", path, "--seconds", "1", "--at", "0.25 /gate/adsr1 on", "--at", "0.1 /engine/freq 221")
	if code != 0 {
		t.Fatal(errOut)
	}
	_, samples := readWAV(t, path)
	if len(samples) != 2*48000 {
		t.Fatalf("%d samples", len(samples))
	}
	for i, v := range samples {
		if frame := i / 2; (v != 0) != (frame >= 12000) && frame <= 12000 {
			t.Fatalf("frame %d is %g", frame, v)
		}
	}
}

func TestVerifyFindsChange(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "32")
	stop := e.taping()
	stopNotes := e.notes()
	time.Sleep(300 * time.Millisecond)
	stopNotes()
	tape := stop()
	good, err := verifyBytes(tape)
	if err != nil || good.Changed != 0 || good.Blocks < 100 {
		t.Fatalf("%+v, %v", good, err)
	}
	lines := bytes.SplitAfter(tape, []byte("\n"))
	block := regexp.MustCompile(`"heard":"(\d)`)
	for i, l := range lines {
		if i < 20 || !block.Match(l) {
			continue
		}
		changed := bytes.Join(append(append(append([][]byte{}, lines[:i]...), block.ReplaceAll(l, []byte(`"heard":"1$1`))), lines[i+1:]...), nil)
		if v, err := verifyBytes(changed); err == nil && v.Changed != 1 {
			t.Errorf("a changed block passes: %+v", v)
		}
		missing := bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil)
		if _, err := verifyBytes(missing); err == nil || !strings.Contains(err.Error(), "missing or there twice") {
			t.Errorf("a missing block passes: %v", err)
		}
		break
	}
	for i, l := range lines[1:] {
		if bytes.Contains(l, []byte(`"command"`)) {
			missing := bytes.Join(append(append([][]byte{}, lines[:i+1]...), lines[i+2:]...), nil)
			if _, err := verifyBytes(missing); err == nil || !strings.Contains(err.Error(), "not on the tape") {
				t.Errorf("a missing command passes: %v", err)
			}
			break
		}
	}
}

func TestDemo(t *testing.T) {
	skipIfShort(t)
	path := filepath.Join(t.TempDir(), "demo.wav")
	out, errOut, code := chronus("demo", "-o", path)
	t.Log("\n" + out)
	// A machine that stalls may conceal blocks. The test passes nevertheless: the sound is
	// right.
	if !regexp.MustCompile(`: 0 lost, \d+ doubled, \d+ changed, \d+ concealed`).MatchString(out) || strings.Count(out, " ms  ") < 5 {
		t.Errorf("code %d: %s", code, errOut)
	}
	if strings.Contains(out, " 0 concealed") && code != 0 {
		t.Errorf("nothing was concealed, and yet: code %d, %s", code, errOut)
	}
}

func TestSecondEngine(t *testing.T) {
	e := up(t, "--backend", "null")
	_, errOut, code := chronus("up", "--runtime-dir", e.dir, "--backend", "null", "--osc", "127.0.0.1:0", "--state", noState)
	if want := fmt.Sprintf("an engine already runs in %s (process %d)", e.dir, e.cmd.Process.Pid); code != 1 || !strings.Contains(errOut, want) {
		t.Errorf("code %d: %s\nwant %s", code, errOut, want)
	}
	_, errOut, code = chronus("up", "--runtime-dir", t.TempDir(), "--backend", "null", "--osc", e.must().OSC, "--state", noState)
	if code != 1 || !strings.Contains(errOut, "in use by another program; choose another with --osc") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

func TestAutoFallsBack(t *testing.T) {
	t.Setenv("JACK_DEFAULT_SERVER", "chronus-no-such-server")
	e := up(t)
	st := e.must()
	if st.Backend == "portaudio" {
		return // this machine has a sound card
	}
	if st.Backend != "null" || !strings.Contains(e.log.String(), "using null") || !strings.Contains(st.Note, "using null") {
		t.Errorf("backend %s, note %q: %s", st.Backend, st.Note, e.log)
	}
}

func TestVerbs(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "64") // a stall of the machine must not flip
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"status"}, 0, "heard"},
		{[]string{"status", "--json"}, 0, `"mismatches": 0`},
		{[]string{"send", "/gate/adsr1", "on"}, 0, `/done "/gate/adsr1"`},
		{[]string{"send", "/mod/filter1/mode", "hp"}, 0, "/done"},
		{[]string{"send", "/engine/amp", "2"}, 1, `/fail "/engine/amp" "2 is not a number from 0 to 1"`},
		{[]string{"send", "/mod/filter1/cut", "2"}, 1, "under /mod/filter1/ there are mode, cutoff, q"},
		{[]string{"send", "/engine/status"}, 0, "/engine/status.reply "},
		{[]string{"chaos", "--kills", "3"}, 0, "changed  0"},
		{[]string{"chaos", "--kills", "2", "--signal", "segv", "--json"}, 0, `"changed": 0`},
		{[]string{"down"}, 0, ""},
	} {
		out, errOut, code := chronus(append(tt.args, "--runtime-dir", e.dir)...)
		if code != tt.code || !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(tt.want), " ")) {
			t.Errorf("%v: code %d\n%s%s\nwant %s", tt.args, code, out, errOut, tt.want)
		}
	}
	if err := exited(t, e.cmd, e.log); err != nil {
		t.Errorf("after down, chronus up ended with %v", err)
	}
	e.cmd = nil
}
