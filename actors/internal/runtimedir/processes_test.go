package runtimedir_test

import (
	"os"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm/sys"
)

// The record has the processes that were taken over until a later list replaces them. The audio
// process that plays comes first.
func TestProcessesAfterTakeOver(t *testing.T) {
	dir, err := runtimedir.Lock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Release()
	p := dir.NewProcessList(func(err error) { t.Error(err) })
	own := os.Getpid()
	p.TakeOver([]sys.Process{{PID: 1}}, []sys.Process{{PID: own}})
	if saved, err := dir.Processes(); saved != nil || err != nil {
		t.Errorf("the list was written, though it was on disk: %v %v", saved, err)
	}
	p.SetWorkers([]int{own, 1 << 30})
	if saved, err := dir.Processes(); err != nil || len(saved) != 3 || saved[0].PID != 1 {
		t.Errorf("the audio process that was taken over is missing: %v %v", saved, err)
	}
	p.SetAudio([]int{1<<30 + 1, 1})
	saved, err := dir.Processes()
	if err != nil {
		t.Fatal(err)
	}
	want := []survivors.Record{
		{Role: survivors.RoleAudio, PID: 1<<30 + 1}, {Role: survivors.RoleAudio, PID: 1},
		{Role: survivors.RoleWorker, PID: own}, {Role: survivors.RoleWorker, PID: 1 << 30},
	}
	if len(saved) != len(want) {
		t.Fatalf("%+v", saved)
	}
	for i, r := range saved {
		if r.Role != want[i].Role || r.PID != want[i].PID || r.PID == own && r.Start == 0 {
			t.Errorf("process %d: %+v, want %+v", i, r, want[i])
		}
	}
}
