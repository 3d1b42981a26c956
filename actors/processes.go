package actors

import (
	"sync"

	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm/sys"
)

// processRecord keeps the list of the engine's processes on disk, for an engine that takes over.
type processRecord struct {
	save   func([]survivors.Record) error
	failed func(error)

	mu             sync.Mutex // a leaf: nothing is locked under it
	audio, workers []int
}

// takeOver sets the processes that were taken over, which are on disk already.
func (p *processRecord) takeOver(audio, workers []sys.Process) {
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

// setAudio records the living audio processes, the one that plays first.
func (p *processRecord) setAudio(pids []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.audio = pids
	p.write()
}

// setWorkers records the living workers.
func (p *processRecord) setWorkers(pids []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers = pids
	p.write()
}

func (p *processRecord) write() {
	var list []survivors.Record
	add := func(role string, pids []int) {
		for _, pid := range pids {
			start, _ := sys.StartTime(pid)
			list = append(list, survivors.Record{Role: role, PID: pid, Start: start})
		}
	}
	add(survivors.RoleAudio, p.audio)
	add(survivors.RoleWorker, p.workers)
	if err := p.save(list); err != nil {
		p.failed(err)
	}
}
