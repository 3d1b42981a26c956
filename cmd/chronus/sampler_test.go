package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/cmd/chronus/internal/offline"
	"github.com/music-chronus/chronus/dsp/samples"
)

// tomTom is a decaying tone of a tenth of a second at 44.1 kHz, with samples of 24 bits.
func tomTom() (x []float32, wav []byte) {
	const frames, rate = 4410, 44100
	wav = []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x44\xac\x00\x00\xcc\x04\x02\x00\x03\x00\x18\x00data")
	wav = binary.LittleEndian.AppendUint32(wav, 3*frames)
	for i := range frames {
		v := float32(0.8 * math.Sin(2*math.Pi*330*float64(i)/rate) * math.Exp(-float64(i)/1500))
		x = append(x, v)
		k := int32(math.Round(float64(v) * (1<<23 - 1))) // rounded as in FLAC
		wav = append(wav, byte(k), byte(k>>8), byte(k>>16))
	}
	return x, wav
}

// kitPatch plays a file on voices, and once more in a loop.
func kitPatch(file string) string {
	return `version: 1
samples: {tom: ` + file + `} # the only one
voices:
  count: 4
  nodes: [{id: drum, type: sampler, sample: tom, params: {root: 60, gain: 0}}]
nodes:
  - {id: drone, type: sampler, sample: tom, params: {gain: 0.3, loop: forward, from: 0.01, to: 0.25}}
  - {id: some, type: send, params: {gain: 0.4}}
  - {id: room, type: reverb, params: {mix: 1}}
cables: [note.pitch > drum.pitch, note.velocity > drum.gain, drum > out, drum > some > room > out, drone > out]
`
}

func put(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A patch plays the same bits from a WAV and from a FLAC file, and without either once the store
// has the sample.
func TestRenderSampler(t *testing.T) {
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	x, wav := tomTom()
	put(t, filepath.Join(dir, "tom.wav"), wav)
	f, err := offline.Create(filepath.Join(dir, "tom.flac"), 44100, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(x); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	render := func(name, text string) []float32 {
		t.Helper()
		out := filepath.Join(dir, name+".out.wav")
		_, errOut, code := chronus("render", put(t, filepath.Join(dir, name+".yaml"), []byte(text)), "-o", out, "--samples", store, "--seconds", "1.5",
			"--at", "0.1 /note/on 60 0.9", "--at", "0.2 /note/on 67 0.5", "--at", "0.5 /gate/drone on", "--at", "1 /gate/drone off")
		if code != 0 {
			t.Fatal(errOut)
		}
		_, sound := readWAV(t, out)
		return sound
	}
	fromWAV, fromFLAC := render("wav", kitPatch("tom.wav")), render("flac", kitPatch("tom.flac"))
	d := tape.Diff(fromFLAC, fromWAV, 2)
	if peak := peakOf(fromWAV); !d.Equal() || d.Compared != 72000 || peak < 0.5 || peak > 1 {
		t.Errorf("%+v, peak %.3f", d, peak)
	}
	loaded, err := samples.In(store).Load("wav", []byte(kitPatch("tom.wav")), dir)
	if err != nil || !strings.Contains(string(loaded), "sha256:") {
		t.Fatalf("%v\n%s", err, loaded)
	}
	if err := os.Remove(filepath.Join(dir, "tom.wav")); err != nil {
		t.Fatal(err)
	}
	if d := tape.Diff(render("sum", string(loaded)), fromWAV, 2); !d.Equal() {
		t.Errorf("by its sum: %+v", d)
	}
	bad := put(t, filepath.Join(dir, "bad.yaml"), []byte(kitPatch("tom.wav")))
	for _, args := range [][]string{
		{"render", bad, "-o", filepath.Join(dir, "bad.wav")},
		{"up", "--patch", bad, "--runtime-dir", filepath.Join(dir, "run"), "--osc", "127.0.0.1:0", "--backend", "null", "--state", noState},
	} {
		_, errOut, code := chronus(append(args, "--samples", store)...)
		if want := `bad.yaml:2:16: sample "tom": ` + filepath.Join(dir, "tom.wav") + ": no such file"; code != 1 || !strings.Contains(errOut, want) {
			t.Errorf("%v: code %d, %s", args, code, errOut)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "run")); err == nil {
		t.Error("up began before it refused")
	}
}

func peakOf(x []float32) (most float64) {
	for _, v := range x {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

// Samples play on unchanged while workers are killed: joiners open them from the store, even if the
// file is gone. An engine that resumes has them too.
func TestSamplerSurvives(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(samples.DirVariable, filepath.Join(dir, "store"))
	_, wav := tomTom()
	put(t, filepath.Join(dir, "tom.wav"), wav)
	path, sound := put(t, filepath.Join(dir, "kit.yaml"), []byte(kitPatch("tom.wav"))), filepath.Join(dir, "live.wav")
	e := upIn(t, dir, "--patch", path, "--lead", "64", "--guard", "32", "--backend", "file", "--device", sound)
	if err := os.Remove(filepath.Join(dir, "tom.wav")); err != nil {
		t.Fatal(err)
	}
	stop := e.taping()
	e.tell("/gate/drone", "on")
	for i, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGKILL} {
		e.strike(60+5*i, 0.8)
		e.killHeard(sig)
		e.strike(55+5*i, 0.5)
		time.Sleep(200 * time.Millisecond)
	}
	e.redundancy()
	tape := stop()
	if v, err := verifyBytes(tape); err != nil || v.Changed != 0 || v.Blocks < 200 {
		t.Errorf("%+v, %v", v, err)
	}
	if !bytes.Contains(tape, []byte("sha256:")) || bytes.Contains(tape, []byte("tom.wav")) {
		t.Error("the tape does not name the sample by its sum alone")
	}
	e.down()
	whole := filepath.Join(dir, "whole.wav")
	if _, errOut, code := chronus("render", "--tape", put(t, filepath.Join(dir, "tape"), tape), "-o", whole); code != 0 {
		t.Fatal(errOut)
	}
	_, want := readWAV(t, whole)
	_, got := readWAV(t, sound)
	sounding, found := inOrder(got, want)
	t.Logf("%d blocks of the render that are not silence, %d of them in the recording, in order", sounding, found)
	if sounding < 200 || found < sounding-fadedBlocks {
		t.Errorf("%d of %d blocks of the render are in the recording", found, sounding)
	}
	upIn(t, dir, "--backend", "null", "--resume").redundancy()
	if err := os.RemoveAll(os.Getenv(samples.DirVariable)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"render", "--tape", filepath.Join(dir, "tape"), "-o", whole},
		{"up", "--runtime-dir", filepath.Join(dir, "other"), "--osc", "127.0.0.1:0", "--backend", "null", "--state", filepath.Join(dir, "state"), "--resume"},
	} {
		_, errOut, code := chronus(args...)
		if code != 1 || !strings.Contains(errOut, "load the patch from its file again, or copy its samples into") {
			t.Errorf("%v without the store: code %d, %s", args, code, errOut)
		}
	}
}

// strike begins a note.
func (e *engineProcess) strike(key int, velocity float32) {
	e.t.Helper()
	if reply, failed, err := sendOSC(e.must().OSC, replyWait, "/note/on", int32(key), velocity); err != nil || failed {
		e.t.Fatalf("note %d: %s %v", key, reply, err)
	}
}

// While the store is missing no worker can join, and the sound goes on. Once the store is back, the
// engine is redundant again.
func TestSamplesLost(t *testing.T) {
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	_, wav := tomTom()
	put(t, filepath.Join(dir, "tom.wav"), wav)
	e := up(t, "--patch", put(t, filepath.Join(dir, "kit.yaml"), []byte(kitPatch("tom.wav"))), "--samples", store, "--lead", "64", "--guard", "32", "--backend", "null")
	t.Setenv(samples.DirVariable, filepath.Join(dir, "tapes"))
	if err := os.CopyFS(os.Getenv(samples.DirVariable), os.DirFS(store)); err != nil {
		t.Fatal(err)
	}
	stop := e.taping()
	e.tell("/gate/drone", "on")
	if err := os.Rename(store, store+".away"); err != nil {
		t.Fatal(err)
	}
	e.killHeard(syscall.SIGKILL)
	for began := time.Now(); !strings.Contains(e.log.String(), "sample file "+store); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the missing file is not reported: %s", e.log)
		}
	}
	e.strike(60, 0.5)
	time.Sleep(time.Second)
	if st := e.must(); st.Concealed > 0 || st.FallbackReason != "" || st.StoppedReason != "" {
		t.Errorf("concealed %d, %q, %q", st.Concealed, st.FallbackReason, st.StoppedReason)
	}
	if err := os.Rename(store+".away", store); err != nil {
		t.Fatal(err)
	}
	e.redundancy()
	if v, err := verifyBytes(stop()); err != nil || v.Changed != 0 || v.Blocks < 500 {
		t.Errorf("%+v, %v", v, err)
	}
}
