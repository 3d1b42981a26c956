package runtimedir

import (
	"os"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm/sys"
)

// A list on disk has the processes that were taken over, until they are reported otherwise, with
// the audio process that plays first.
func TestProcessesAfterTakeOver(t *testing.T) {
	var saved []survivors.Record
	p := ProcessList{Save: func(list []survivors.Record) error { saved = list; return nil }}
	own := os.Getpid()
	p.TakeOver([]sys.Process{{PID: 1}}, []sys.Process{{PID: own}})
	if saved != nil {
		t.Error("the list was written, though it was on disk")
	}
	p.SetWorkers([]int{own, 2})
	p.SetAudio([]int{3, 1})
	want := []survivors.Record{{Role: survivors.RoleAudio, PID: 3}, {Role: survivors.RoleAudio, PID: 1}, {Role: survivors.RoleWorker, PID: own}, {Role: survivors.RoleWorker, PID: 2}}
	if len(saved) != len(want) {
		t.Fatalf("%+v", saved)
	}
	for i, r := range saved {
		if r.Role != want[i].Role || r.PID != want[i].PID || r.PID == own && r.Start == 0 {
			t.Errorf("process %d: %+v, want %+v", i, r, want[i])
		}
	}
}
