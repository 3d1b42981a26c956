package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/dsp/samples"
	"github.com/music-chronus/chronus/shm"
)

// A worker plays only the samples that its patch names. It rejects a missing sample, or another one
// under its name, before it renders. It does not read a sample again if the next patch uses it.
func TestOpenSamples(t *testing.T) {
	dir := t.TempDir()
	wav := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\xbb\x00\x00\x00\x77\x01\x00\x02\x00\x10\x00data\x08\x00\x00\x00\x00\x10\x00\x20\x00\x30\x00\x40")
	hash := sha256.Sum256(wav)
	sum := hex.EncodeToString(hash[:])
	plans := must[shm.PlanStore](t)(shm.NewPlanStore(shm.Geometry{Rate: 48000, Block: 64, Channels: 2, Slots: 2, Ring: 8, Guard: 2}))
	defer plans.Close()
	m := &planBuilder{plans: plans.Reader(), geo: plans.Geometry(), samples: sampleOpener{store: samples.In(dir)}}
	number := uint64(0)
	load := func(gain string) error {
		t.Helper()
		number++
		text := "version: 1\nsamples: {kick: sha256:" + sum + "}\nnodes: [{id: a, type: sampler, sample: kick, params: {gain: " + gain + "}}]\ncables: [a > out]\n"
		if err := plans.Put(number, []byte(text)); err != nil {
			t.Fatal(err)
		}
		str, err := m.open(number)
		if err == nil && str.Size() > 1<<20 {
			t.Errorf("the sample is in the state: %d bytes", str.Size())
		}
		return err
	}
	path := filepath.Join(dir, sum)
	if err := load("1"); err == nil || !strings.Contains(err.Error(), `node "a": sample sha256:`+sum+": sample file "+path+" is missing") {
		t.Errorf("without the file: %v", err)
	}
	other := append([]byte(nil), wav...)
	other[len(other)-1]++
	for _, bad := range [][]byte{other, wav[:len(wav)-2], []byte("x")} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := load("1"); err == nil || !strings.Contains(err.Error(), "is damaged: its SHA-256 is") {
			t.Errorf("with %d other bytes: %v", len(bad), err)
		}
	}
	if err := os.WriteFile(path, wav, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := load("1"); err != nil {
		t.Fatal(err)
	}
	first := m.samples.last[sum]
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := load("0.5"); err != nil || m.samples.last[sum] != first {
		t.Errorf("an edit read its sample again: %v", err)
	}
}
