package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/tape"
)

// adoption describes what happens between the death of an engine and the next engine's start.
type adoption struct {
	name     string
	replicas string
	meantime func(st actors.Status) (kill []int)
	silent   bool // all workers die, so silence is expected
}

var adoptions = []adoption{
	{"engine alone", "2", func(actors.Status) []int { return nil }, false},
	{"and the worker that is heard", "2", func(st actors.Status) []int { return []int{st.Workers[st.Active.Slot].PID} }, false},
	{"and every worker", "3", func(st actors.Status) (pids []int) {
		for _, w := range st.Workers {
			pids = append(pids, w.PID)
		}
		return pids
	}, true},
}

// A killed engine leaves its sound playing. The next engine in its directory takes over the workers
// and the audio process. The recording is one uninterrupted stream over the lives of both engines.
func TestAdoption(t *testing.T) {
	for _, tt := range adoptions {
		t.Run(tt.name, func(t *testing.T) { adopted(t, tt) })
	}
}

func adopted(t *testing.T, tt adoption) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "heard.wav")
	flags := []string{"--backend", "file", "--device", path, "--lead", "64", "--guard", "32", "--replicas", tt.replicas}
	first := upIn(t, dir, flags...)
	tape := first.untilDeath()
	first.tell("/engine/freq", float32(330))
	first.tell("/gate/adsr1", "on")
	time.Sleep(1300 * time.Millisecond) // a checkpoint has been taken
	before := first.redundancy()
	first.murder()
	for _, pid := range tt.meantime(before) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(100 * time.Millisecond)
	began := time.Now()
	second := upIn(t, dir, flags...)
	took := time.Since(began)
	stop := second.taping() // a checkpoint is taken soon, at which the tape begins
	second.tell("/engine/freq", float32(440))
	for i, w := range second.redundancy().Workers {
		if killed := slices.Contains(tt.meantime(before), before.Workers[i].PID); killed == (w.PID == before.Workers[i].PID) {
			t.Errorf("worker %d: process %d, before %d", i, w.PID, before.Workers[i].PID)
		}
	}
	if now := second.must(); now.AudioPID != before.AudioPID {
		t.Error("the audio process was replaced")
	}
	second.tell("/mod/filter1/cutoff", float32(900))
	second.killHeard(syscall.SIGKILL)
	after := second.redundancy()
	second.tell("/gate/adsr1", "off")
	rest := stop()
	second.down()
	lost := after.Concealed - before.Concealed
	if (lost > 0) != tt.silent {
		t.Errorf("%d blocks concealed", lost)
	}
	_, got := readWAV(t, path)
	want, from := joined(t, tape(), rest)
	d := compareAcross(t, got[from:], want, int(lost)*64)
	t.Logf("control is back after %v with the start of the process; %d frames compared: %d lost, %d doubled, %d changed, %d blocks concealed",
		took.Round(time.Millisecond), d.Compared, d.Lost, d.Doubled, d.Changed, lost)
	if !d.Equal() || d.Compared < 48000 {
		t.Errorf("%+v", d)
	}
}

// compareAcross compares a stereo recording with want, except for one gap of so many frames. The
// gap is a fade out, silence, and a fade in over the frames at which the sound stopped. No frame in
// it is louder than the loudest before.
func compareAcross(t *testing.T, got, want []float32, gap int) tape.Difference {
	t.Helper()
	if gap == 0 {
		return tape.Diff(got, want, 2)
	}
	const fade = 240
	g, w := frames{got, 2}, frames{want, 2}
	at, peak := 0, float32(0)
	for at < w.len() && g.equal(at, w, at) {
		peak = max(peak, got[2*at], -got[2*at])
		at++
	}
	for i := at; i < at+gap+fade; i++ {
		if v := max(got[2*i], -got[2*i]); v > peak {
			t.Errorf("frame %d is %g, louder than %g, the peak before the gap", i, v, peak)
			break
		}
	}
	d := tape.Diff(got[2*(at+gap+fade):], want[2*(at+fade):], 2)
	d.Compared += at
	return d
}

// untilDeath records what the engine plays until it dies.
func (e *engineProcess) untilDeath() (tape func() []byte) {
	e.t.Helper()
	body, err := e.Tape(context.Background())
	if err != nil {
		e.t.Fatal(err)
	}
	var b bytes.Buffer
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(&b, body) }()
	return func() []byte { <-done; _ = body.Close(); return b.Bytes() }
}

// tell sends one OSC message that must be accepted.
func (e *engineProcess) tell(address string, arg any) {
	e.t.Helper()
	if reply, failed, err := sendOSC(e.must().OSC, replyWait, address, arg); err != nil || failed {
		e.t.Fatalf("%s: %s %v", address, reply, err)
	}
}

// joined returns the sound of two tapes. Between them only the commands at the beginning of the
// second were given, so the first is rendered on to where the second begins. from is the sample of
// the recording at which the first tape begins.
func joined(t *testing.T, first, second []byte) (samples []float32, from int) {
	t.Helper()
	a, err := openTape(first)
	if err != nil {
		t.Fatal(err)
	}
	b, err := openTape(second)
	if err != nil {
		t.Fatal(err)
	}
	h := a.Header()
	block := make([]float32, h.Block*h.Channels)
	from = int(h.From) * len(block)
	for a.Stream().Block() < b.Header().From {
		if p, err := a.Next(); err != nil {
			a.Stream().Render(block)
			samples = append(samples, block...)
		} else {
			samples = append(samples, p.Samples...)
		}
	}
	if err := b.Compare(func(_ uint64, block []float32, _ bool) { samples = append(samples, block...) }); err != nil {
		t.Fatal(err)
	}
	return samples, from
}

// An engine whose configuration differs from what plays refuses to take over, and the sound goes
// on. With --fresh it ends that sound.
func TestAdoptionRefused(t *testing.T) {
	dir := t.TempDir()
	e := upIn(t, dir, "--backend", "null")
	st := e.redundancy()
	e.murder()
	again := []string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--backend", "null", "--state", filepath.Join(dir, "state")}
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--rate", "44100"}, "goes on in " + dir + ", with 48000 Hz, block 64, 2 channels, 2 workers, guard 2, rings of 512 blocks; this one was to have 44100 Hz"},
		{[]string{"--replicas", "3"}, "3 workers"},
	} {
		_, errOut, code := chronus(append(again, tt.flags...)...)
		if code != 1 || !strings.Contains(errOut, tt.want) || !strings.Contains(errOut, "--fresh") {
			t.Errorf("%v: code %d, %s; want %s", tt.flags, code, errOut, tt.want)
		}
	}
	if !alive(st.AudioPID) || !alive(st.Workers[0].PID) {
		t.Fatal("a refused engine ended the sound")
	}
	fresh := upIn(t, dir, "--backend", "null", "--rate", "44100", "--fresh")
	for began := time.Now(); alive(st.AudioPID) || alive(st.Workers[0].PID); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("the processes of the first engine are still there")
		}
	}
	if now := fresh.must(); now.Rate != 44100 || now.AudioPID == st.AudioPID {
		t.Errorf("%+v", now)
	}
}
