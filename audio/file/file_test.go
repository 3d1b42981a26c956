package file

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/backendtest"
)

func TestBackend(t *testing.T) {
	for _, prefix := range []string{"", "fast:"} {
		path := filepath.Join(t.TempDir(), "out.wav")
		backendtest.Run(t, Backend{}, audio.Request{Rate: 48000, Channels: 2, Device: prefix + path})
		rate, channels, samples, err := Read(path)
		if err != nil || rate != 48000 || channels != 2 || len(samples) < 20*64*2 {
			t.Errorf("%d Hz, %d channels, %d samples, %v", rate, channels, len(samples), err)
		}
	}
}

// The file has every sample of Fill, in order.
func TestComplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.wav")
	n := float32(0)
	s, err := Backend{}.Open(audio.Request{Rate: 48000, Channels: 1, Period: 100, Device: "fast:" + path, Ready: func(int) bool { return n < 400000 }},
		func(out []float32) {
			for i := range out {
				out[i] = n
				n++
			}
		})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); s.(*stream).wrote.Load() < 400000; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%d samples written", s.(*stream).wrote.Load())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, got, err := Read(path)
	if err != nil || len(got) != 400000 || s.Xruns() != 0 {
		t.Fatalf("%d samples, %v, %d xruns", len(got), err, s.Xruns())
	}
	for i, v := range got {
		if v != float32(i) {
			t.Fatalf("sample %d is %g", i, v)
		}
	}
}

func TestRefuses(t *testing.T) {
	dir := t.TempDir()
	for device, want := range map[string]string{
		"": "--device out.wav", "x.mp3": "must end in .wav", filepath.Join(dir, "no", "x.wav"): "no such file",
	} {
		if _, err := (Backend{}).Open(audio.Request{Rate: 48000, Channels: 2, Device: device}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", device, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d.wav"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := (Backend{}).Open(audio.Request{Rate: 48000, Channels: 2, Device: filepath.Join(dir, "d.wav")}, nil); err == nil {
		t.Error("a directory was opened")
	}
}

// After every Write the file is valid, as if its writer were killed then.
func TestWholeAfterEveryWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.wav")
	w, err := Create(path, 44100, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var want []float32
	for k := range 10 {
		part := []float32{float32(k), -float32(k), math.MaxFloat32, math.SmallestNonzeroFloat32}
		if err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		want = append(want, part...)
		rate, channels, got, err := Read(path)
		if err != nil || rate != 44100 || channels != 2 || len(got) != len(want) {
			t.Fatalf("after write %d: %d Hz, %d channels, %d samples, %v", k, rate, channels, len(got), err)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("sample %d is %g, want %g", i, got[i], want[i])
			}
		}
	}
	if err := w.Write(make([]float32, 3)); err == nil {
		t.Error("half a frame was written")
	}
}

// Read ignores samples that a killed writer has not counted in the header.
func TestKilledBeforeHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.wav")
	w, err := Create(path, 48000, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write([]float32{1, 2, 3, 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.f.WriteAt(make([]byte, 1027), headerSize+w.data); err != nil {
		t.Fatal(err)
	}
	if _, _, got, err := Read(path); err != nil || len(got) != 4 || got[3] != 4 {
		t.Errorf("%v, %v", got, err)
	}
}

// A file too long for RIFF becomes RF64, and reads the same.
func TestRF64(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.wav")
	w, err := Create(path, 48000, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.max = 100
	for range 5 {
		if err := w.Write(make([]float32, 10)); err != nil {
			t.Fatal(err)
		}
	}
	b, _ := os.ReadFile(path)
	if string(b[:4]) != "RF64" || string(b[12:16]) != "ds64" {
		t.Errorf("%q, %q", b[:4], b[12:16])
	}
	if _, _, got, err := Read(path); err != nil || len(got) != 50 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

// parse returns for any bytes, and never with part of a frame.
func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed.wav")
	w, err := Create(path, 48000, 2)
	if err != nil {
		f.Fatal(err)
	}
	_ = w.Write([]float32{1, 2, 3, 4})
	w.max = 1
	good, _ := os.ReadFile(path)
	_ = w.Write([]float32{1, 2, 3, 4})
	long, _ := os.ReadFile(path)
	_ = w.Close()
	f.Add(good)
	f.Add(long)
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x00\x00\x00\x00\x04\x00\x10\x00data\x04\x00\x00\x00\x01\x00\x02\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rate, channels, samples, err := parse(b)
		if err == nil && (rate <= 0 || channels <= 0 || len(samples)%channels != 0) {
			t.Fatalf("%d Hz, %d channels, %d samples", rate, channels, len(samples))
		}
	})
}
