package runtimedir

import (
	"sync"

	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm/sys"
)

// ProcessList keeps the record of the engine's processes up to date, for an engine that takes over.
type ProcessList struct {
	dir    *Dir
	failed func(error)

	mu             sync.Mutex // a leaf: nothing is locked under it
	audio, workers []int
}

// NewProcessList returns an empty list. failed receives the errors of writing it.
func (d *Dir) NewProcessList(failed func(error)) *ProcessList {
	return &ProcessList{dir: d, failed: failed}
}

// TakeOver sets the processes that were taken over. The record on disk has them already.
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
	if err := p.dir.SaveProcesses(list); err != nil {
		p.failed(err)
	}
}
