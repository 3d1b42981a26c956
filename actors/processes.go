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
	for _, l := range []struct {
		role string
		pids []int
	}{{survivors.RoleAudio, p.audio}, {survivors.RoleWorker, p.workers}} {
		for _, pid := range l.pids {
			start, _ := sys.StartTime(pid)
			list = append(list, survivors.Record{Role: l.role, PID: pid, Start: start})
		}
	}
	if err := p.save(list); err != nil {
		p.failed(err)
	}
}
