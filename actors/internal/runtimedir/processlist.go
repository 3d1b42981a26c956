package runtimedir

import (
	"sync"

	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm/sys"
)

// ProcessList keeps the list of the engine's processes on disk, for an engine that takes over. Its
// methods may be called from any goroutine.
type ProcessList struct {
	Save   func([]survivors.Record) error
	Failed func(error)

	mu             sync.Mutex // a leaf: nothing is locked under it
	audio, workers []int
}

// TakeOver sets the processes that were taken over, which are on disk already.
func (p *ProcessList) TakeOver(audio, workers []sys.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.audio, p.workers = pids(audio), pids(workers)
}

func pids(processes []sys.Process) (list []int) {
	for _, p := range processes {
		list = append(list, p.PID)
	}
	return list
}

// SetAudio records the living audio processes, the one that plays first.
func (p *ProcessList) SetAudio(pids []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.audio = pids
	p.write()
}

// SetWorkers records the living workers.
func (p *ProcessList) SetWorkers(pids []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers = pids
	p.write()
}

func (p *ProcessList) write() {
	var list []survivors.Record
	add := func(role string, pids []int) {
		for _, pid := range pids {
			start, _ := sys.StartTime(pid)
			list = append(list, survivors.Record{Role: role, PID: pid, Start: start})
		}
	}
	add(survivors.RoleAudio, p.audio)
	add(survivors.RoleWorker, p.workers)
	if err := p.Save(list); err != nil {
		p.Failed(err)
	}
}
