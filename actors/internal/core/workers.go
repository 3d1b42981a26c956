package core

import (
	"errors"

	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/patching"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// prepareWorkers takes over the workers of a lost engine whose sound continues, or prepares new
// ones.
func (c *Core) prepareWorkers(geo shm.Geometry) error {
	c.processes.Save = c.dir.SaveProcesses
	c.processes.Failed = func(err error) { c.saveFailed("list of processes", err) }
	records, err := c.dir.Processes()
	if err != nil {
		c.cfg.Logger.Warn("an engine before this one may have left processes; they end when their grace time is over", "error", err)
	}
	left, err := survivors.Find(records)
	if left.Living() && err == nil && !c.cfg.Fresh {
		if err = c.takeOver(geo, left); err == nil {
			return nil
		}
		if !errors.Is(err, survivors.ErrUnusable) {
			c.dir.Keep()
			left.Leave()
			return err
		}
	}
	if n := left.End(); n > 0 {
		c.cfg.Logger.Warn("an engine before this one left processes; they are ended", "count", n, "error", err)
	}
	return c.newWorkers(geo)
}

// takeOver takes over the workers and the audio process of a lost engine.
func (c *Core) takeOver(geo shm.Geometry, left *survivors.Survivors) error {
	mem, err := replica.Usable(left)
	if err != nil {
		return err
	}
	out := c.newOutput(mem)
	set, err := replica.TakeOver(c.workerConfig(geo), mem, c.cfg.Patch, left, out, workerObserver{c})
	if err != nil {
		return err
	}
	c.processes.TakeOver(out.Processes(), set.Processes())
	c.begin(set, out)
	return nil
}

// newWorkers makes new shared memory, and a Set that begins with the patch or with the saved state.
func (c *Core) newWorkers(geo shm.Geometry) error {
	mem, err := memory.New(geo, max(c.cfg.Lead, c.cfg.Guard+1))
	if err != nil {
		return err
	}
	mem.Control.RequestLead(c.cfg.Lead)
	out := c.newOutput(mem)
	set, err := replica.New(c.workerConfig(geo), mem, c.cfg.Patch, out, workerObserver{c})
	if err != nil {
		mem.Close()
		return err
	}
	if s := c.saved; s != nil && c.cfg.Resume {
		if err := set.Resume(s.N, s.Seq, s.Bytes, s.At); err != nil {
			set.Close()
			return err
		}
	}
	c.begin(set, out)
	return nil
}

// begin makes the Set known to the observers.
func (c *Core) begin(set *replica.Set, out *output.Process) {
	c.Set, c.Output = set, out
	c.Patcher = patching.New(set, c.timeouts, replica.ErrStopped)
	close(c.prepared)
}

func (c *Core) workerConfig(geo shm.Geometry) replica.Config {
	return replica.Config{
		Geometry: geo, Lead: c.cfg.Lead, PatchName: c.cfg.PatchName, Modules: c.cfg.Modules, Samples: c.cfg.Samples,
		RuntimeDir: c.cfg.RuntimeDir, Resume: c.cfg.Resume, Grace: c.cfg.Grace, Timeouts: c.timeouts,
		Spawn: func(files []int) (sys.Process, error) { return c.cfg.Program.Spawn(survivors.RoleWorker, files) },
	}
}

func (c *Core) newOutput(mem memory.Memory) *output.Process {
	p := output.New(output.Config{
		RuntimeDir: c.cfg.RuntimeDir, Preferred: c.cfg.Device, Fallback: c.cfg.Fallback,
		Rate: c.cfg.Rate, Channels: c.cfg.Channels, Period: c.cfg.Period, ClientName: c.cfg.ClientName,
		MinLead: c.cfg.Lead, LeadFor: c.cfg.limits().LeadFor, Timeouts: c.timeouts,
		Spawn: func(files []int, env []string) (sys.Process, error) {
			return c.cfg.Program.Spawn(survivors.RoleAudio, files, env...)
		},
	}, mem)
	p.SetObserver(audioObserver{c})
	return p
}
