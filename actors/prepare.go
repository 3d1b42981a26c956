package actors

import (
	"errors"

	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/patching"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// prepareWorkers takes over the workers of an engine that was lost here and whose sound goes on, or
// prepares new ones.
func (e *Engine) prepareWorkers(geo shm.Geometry) error {
	e.processes.save = e.dir.SaveProcesses
	e.processes.failed = func(err error) { e.emit(report.SaveFailed{What: "list of processes", Err: err}) }
	records, err := e.dir.Processes()
	if err != nil {
		e.cfg.Logger.Warn("an engine before this one may have left processes; they end when their grace time is over", "error", err)
	}
	left, err := survivors.Find(records)
	if left.Living() && err == nil && !e.cfg.Fresh {
		if err = e.takeOver(geo, left); err == nil {
			return nil
		}
		if !errors.Is(err, survivors.ErrUnusable) {
			e.dir.Keep()
			left.Leave()
			return err
		}
	}
	if n := left.End(); n > 0 {
		e.cfg.Logger.Warn("an engine before this one left processes; they are ended", "count", n, "error", err)
	}
	return e.newWorkers(geo)
}

// takeOver takes over the workers and the audio process of an engine that was lost.
func (e *Engine) takeOver(geo shm.Geometry, left *survivors.Survivors) error {
	mem, err := replica.Usable(left)
	if err != nil {
		return err
	}
	out := e.newOutput(mem)
	set, err := replica.TakeOver(e.workerConfig(geo), mem, e.cfg.Patch, left, out, workerObserver{e})
	if err != nil {
		return err
	}
	e.processes.takeOver(out.Processes(), set.Processes())
	e.begin(set, out)
	return nil
}

// begin makes the Set known to the observers.
func (e *Engine) begin(set *replica.Set, out *output.Process) {
	e.set, e.output = set, out
	e.patcher = patching.New(set, e.timeouts, replica.ErrStopped)
	close(e.prepared)
}

// newWorkers makes new shared memory, and a Set that begins with the patch or with the saved state.
func (e *Engine) newWorkers(geo shm.Geometry) error {
	mem, err := memory.New(geo, max(e.cfg.Lead, e.cfg.Guard+1))
	if err != nil {
		return err
	}
	mem.Control.RequestLead(e.cfg.Lead)
	out := e.newOutput(mem)
	set, err := replica.New(e.workerConfig(geo), mem, e.cfg.Patch, out, workerObserver{e})
	if err != nil {
		mem.Close()
		return err
	}
	if s := e.saved; s != nil && e.cfg.Resume {
		if err := set.Resume(s.N, s.Seq, s.Bytes, s.At); err != nil {
			set.Close()
			return err
		}
	}
	e.begin(set, out)
	return nil
}

func (e *Engine) workerConfig(geo shm.Geometry) replica.Config {
	return replica.Config{
		Geometry: geo, Lead: e.cfg.Lead, PatchName: e.cfg.PatchName, Modules: e.cfg.Modules, Samples: e.cfg.Samples,
		RuntimeDir: e.cfg.RuntimeDir, Resume: e.cfg.Resume, Grace: e.cfg.Grace, Timeouts: e.timeouts,
		Spawn: func(files []int) (sys.Process, error) { return e.cfg.spawnChild(workerChild, files) },
	}
}

func (e *Engine) newOutput(mem memory.Memory) *output.Process {
	p := output.New(output.Config{
		RuntimeDir: e.cfg.RuntimeDir,
		Preferred:  wire.Target{Backend: e.cfg.Backend, Device: e.cfg.Device}, Fallback: e.cfg.fallback(),
		Rate: e.cfg.Rate, Channels: e.cfg.Channels, Period: e.cfg.Period, ClientName: e.cfg.ClientName,
		MinLead: e.cfg.Lead, LeadFor: e.cfg.leadFor, Timeouts: e.timeouts,
		Spawn: func(files []int, env []string) (sys.Process, error) {
			return e.cfg.spawnChild(audioChild, files, env...)
		},
	}, mem)
	p.SetObserver(audioObserver{e})
	return p
}

// fallback converts Fallback to the form that the audio process takes.
func (c Config) fallback() (list []wire.Target) {
	for _, t := range c.Fallback {
		list = append(list, wire.Target{Backend: t.Backend, Device: t.Device})
	}
	return list
}
