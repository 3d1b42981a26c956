package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/tape"
)

// killAll kills the engine and all of its processes at once, like a loss of power.
func (e *engineProcess) killAll() {
	e.t.Helper()
	st := e.redundancy()
	e.murder()
	pids := []int{st.AudioPID}
	for _, w := range st.Workers {
		pids = append(pids, w.PID)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			e.t.Fatal(err)
		}
	}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		left := 0
		for _, pid := range pids {
			if alive(pid) {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Since(began) > 5*time.Second {
			e.t.Fatal("a process outlives kill -9")
		}
	}
}

// After all processes were lost at once, an engine that resumes has the patch, the parameters and
// the musical time of the saved state. From that block on it plays what the first engine played,
// bit for bit.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "1.wav"), filepath.Join(dir, "2.wav")
	e := upIn(t, dir, "--backend", "file", "--device", first, "--lead", "64")
	e.tell("/engine/freq", float32(333))
	e.tell("/mod/filter1/cutoff", float32(4000))
	e.tell("/gate/adsr1", "on")
	time.Sleep(1500 * time.Millisecond)
	e.killAll()
	kept, err := readState(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	from := kept.N
	again := upIn(t, dir, "--backend", "file", "--device", second, "--lead", "64", "--resume")
	again.until("plays on", 10*time.Second, func(st actors.Status) bool { return st.Played > 200 })
	_, before := readWAV(t, first)
	again.down()
	_, after := readWAV(t, second)
	if from < 100 || int(from)*64*2 >= len(before) {
		t.Fatalf("it goes on at block %d; %d frames were heard before", from, len(before)/2)
	}
	const fade = 1024 // frames, at the end
	d := tape.Diff(after[:len(after)-2*fade], before[from*64*2:], 2)
	t.Logf("it goes on at block %d of %d; %d frames compared: %d lost, %d doubled, %d changed", from, len(before)/128, d.Compared, d.Lost, d.Doubled, d.Changed)
	if !d.Equal() || d.Compared < 1000 || longestSilence(after[:2*d.Compared], 2) > 10 {
		t.Errorf("%+v", d)
	}
	// An orderly end saves the last command.
	third := upIn(t, dir, "--backend", "null", "--resume")
	third.tell("/engine/freq", float32(777))
	third.down()
	saved, err := os.ReadFile(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	fourth := upIn(t, dir, "--backend", "null", "--resume")
	if st := fourth.must(); st.Committed < 4 {
		t.Errorf("the last command is lost: committed %d", st.Committed)
	}
	fourth.down()
	resumeRefused(t, dir, saved)
}

// savedState is a part of the first line of a saved state.
type savedState struct {
	N     uint64   `json:"n"`
	Muted *float64 `json:"muted"`
}

func readState(path string) (s savedState, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return s, json.Unmarshal(line, &s)
}

// resumeRefused resumes from states that are damaged or do not fit.
func resumeRefused(t *testing.T, dir string, saved []byte) {
	t.Helper()
	path := filepath.Join(dir, "bad")
	start := []string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--backend", "null", "--state", path, "--resume"}
	damaged := bytes.Clone(saved)
	damaged[len(damaged)-1] ^= 1
	for _, tt := range []struct {
		state []byte
		flags []string
		want  string
	}{
		{damaged, nil, "damaged"},
		{saved[:len(saved)-9], nil, "damaged"},
		{[]byte("{}\n"), nil, "version 0; this program reads 1"},
		{[]byte("hello"), nil, "invalid first line"},
		{saved, []string{"--rate", "44100"}, "state of 48000 Hz"},
		{saved, []string{"--patch", "x.yaml"}, "leave one of them out"},
	} {
		if err := os.WriteFile(path, tt.state, 0o600); err != nil {
			t.Fatal(err)
		}
		_, errOut, code := chronus(append(start, tt.flags...)...)
		if code != 1 || !strings.Contains(errOut, tt.want) {
			t.Errorf("code %d, %s; want %s", code, errOut, tt.want)
		}
		if b, _ := os.ReadFile(path); !bytes.Equal(b, tt.state) {
			t.Error("the state that was refused was written over")
		}
	}
}
