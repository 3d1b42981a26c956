package resources

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
func (r *Resources) prepareWorkers(geo shm.Geometry) error {
	r.processes.Save = r.dir.SaveProcesses
	r.processes.Failed = func(err error) { r.saveFailed("list of processes", err) }
	records, err := r.dir.Processes()
	if err != nil {
		r.cfg.Logger.Warn("an engine before this one may have left processes; they end when their grace time is over",
			"error", err)
	}
	left, err := survivors.Find(records)
	if left.Living() && err == nil && !r.cfg.Fresh {
		if err = r.takeOver(geo, left); err == nil {
			return nil
		}
		if !errors.Is(err, survivors.ErrUnusable) {
			r.dir.Keep()
			left.Leave()
			return err
		}
	}
	if n := left.End(); n > 0 {
		r.cfg.Logger.Warn("an engine before this one left processes; they are ended", "count", n, "error", err)
	}
	return r.newWorkers(geo)
}

// takeOver takes over the workers and the audio process of a lost engine.
func (r *Resources) takeOver(geo shm.Geometry, left *survivors.Survivors) error {
	mem, err := replica.Usable(left)
	if err != nil {
		return err
	}
	out := r.newOutput(mem)
	set, err := replica.TakeOver(r.workerConfig(geo), mem, r.cfg.Patch, left, out, workerObserver{r})
	if err != nil {
		return err
	}
	r.processes.TakeOver(out.Processes(), set.Processes())
	r.begin(set, out)
	return nil
}

// newWorkers makes new shared memory, and a Set that begins with the patch or with the saved state.
func (r *Resources) newWorkers(geo shm.Geometry) error {
	mem, err := memory.New(geo, max(r.cfg.Lead, r.cfg.Guard+1))
	if err != nil {
		return err
	}
	mem.Control.RequestLead(r.cfg.Lead)
	out := r.newOutput(mem)
	set, err := replica.New(r.workerConfig(geo), mem, r.cfg.Patch, out, workerObserver{r})
	if err != nil {
		mem.Close()
		return err
	}
	if s := r.saved; s != nil && r.cfg.Resume {
		if err := set.Resume(s.N, s.Seq, s.Bytes, s.At); err != nil {
			set.Close()
			return err
		}
	}
	r.begin(set, out)
	return nil
}

// begin makes the Set known to the observers.
func (r *Resources) begin(set *replica.Set, out *output.Process) {
	r.Set, r.Output = set, out
	r.Patcher = patching.New(set, r.timeouts, replica.ErrStopped)
	close(r.prepared)
}

func (r *Resources) workerConfig(geo shm.Geometry) replica.Config {
	return replica.Config{
		Geometry: geo, Lead: r.cfg.Lead, PatchName: r.cfg.PatchName, Modules: r.cfg.Modules, Samples: r.cfg.Samples,
		RuntimeDir: r.cfg.RuntimeDir, Resume: r.cfg.Resume, Grace: r.cfg.Grace, Timeouts: r.timeouts,
		Spawn: func(files []int) (sys.Process, error) { return r.cfg.Program.Spawn(survivors.RoleWorker, files) },
	}
}

func (r *Resources) newOutput(mem memory.Memory) *output.Process {
	p := output.New(output.Config{
		RuntimeDir: r.cfg.RuntimeDir, Preferred: r.cfg.Device, Fallback: r.cfg.Fallback,
		Rate: r.cfg.Rate, Channels: r.cfg.Channels, Period: r.cfg.Period, ClientName: r.cfg.ClientName,
		MinLead: r.cfg.Lead, LeadFor: r.cfg.limits().LeadFor, Timeouts: r.timeouts,
		Spawn: func(files []int, env []string) (sys.Process, error) {
			return r.cfg.Program.Spawn(survivors.RoleAudio, files, env...)
		},
	}, mem)
	p.SetObserver(audioObserver{r})
	return p
}
