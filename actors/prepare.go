package actors

import (
	"github.com/music-chronus/chronus/actors/internal/assemble"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/patching"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/wire"
)

// prepareWorkers takes over the workers of an engine that was lost here and whose sound goes on, or
// prepares new ones.
func (e *Engine) prepareWorkers(geo shm.Geometry) error {
	c := &e.cfg
	e.processes.Save = e.dir.SaveProcesses
	e.processes.Failed = func(err error) { e.emit(report.SaveFailed{What: "list of processes", Err: err}) }
	parts, err := assemble.New(assemble.Options{
		Workers: replica.Config{
			Geometry: geo, Lead: c.Lead, PatchName: c.PatchName, Modules: c.Modules, Samples: c.Samples,
			RuntimeDir: c.RuntimeDir, Resume: c.Resume, Grace: c.Grace, Timeouts: e.timeouts,
		},
		Output: output.Config{
			RuntimeDir: c.RuntimeDir, Preferred: wire.Target{Backend: c.Backend, Device: c.Device}, Fallback: c.fallback(),
			Rate: c.Rate, Channels: c.Channels, Period: c.Period, ClientName: c.ClientName,
			MinLead: c.Lead, LeadFor: c.limits().LeadFor, Timeouts: e.timeouts,
		},
		Text: c.Patch, Saved: e.saved, Fresh: c.Fresh, Program: e.program(), Dir: e.dir, Processes: &e.processes,
		Logger: c.Logger, Set: workerObserver{e}, Audio: audioObserver{e},
	})
	if err != nil {
		return err
	}
	e.set, e.output = parts.Set, parts.Output
	e.patcher = patching.New(e.set, e.timeouts, replica.ErrStopped)
	close(e.prepared)
	return nil
}

// program is what the engine's processes run.
func (e *Engine) program() launch.Program {
	return launch.Program{Binary: e.cfg.Binary, Output: e.cfg.Output}
}

// fallback converts Fallback to the form that the audio process takes.
func (c Config) fallback() (list []wire.Target) {
	for _, t := range c.Fallback {
		list = append(list, wire.Target{Backend: t.Backend, Device: t.Device})
	}
	return list
}
