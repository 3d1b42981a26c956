// Package assemble puts together the workers and the output of an engine: those of an engine that
// was lost and whose sound goes on, or new ones.
package assemble

import (
	"errors"
	"log/slog"

	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/memory"
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/runtimedir"
	"github.com/music-chronus/chronus/actors/internal/statefile"
	"github.com/music-chronus/chronus/actors/internal/survivors"
	"github.com/music-chronus/chronus/shm/sys"
)

// Options says what to put together.
type Options struct {
	Workers   replica.Config   // without Spawn
	Output    output.Config    // without Spawn
	Text      []byte           // of the requested patch
	Saved     *statefile.State // to continue from, if Workers.Resume; nil: begin the patch
	Fresh     bool             // end what an engine left playing instead of taking it over
	Program   launch.Program
	Dir       *runtimedir.Dir
	Processes *runtimedir.ProcessList
	Logger    *slog.Logger
	Set       replica.Observer
	Audio     output.Observer
}

// Parts is what Options asked for.
type Parts struct {
	Set    *replica.Set
	Output *output.Process
}

// New takes over what an engine left in the runtime directory, or makes new workers. An error
// without survivors.ErrUnusable says in what the request differs from what plays.
func New(o Options) (Parts, error) {
	o.Workers.Spawn = func(files []int) (sys.Process, error) { return o.Program.Spawn(survivors.RoleWorker, files) }
	o.Output.Spawn = func(files []int, env []string) (sys.Process, error) {
		return o.Program.Spawn(survivors.RoleAudio, files, env...)
	}
	records, err := o.Dir.Processes()
	if err != nil {
		o.Logger.Warn("an engine before this one may have left processes; they end when their grace time is over", "error", err)
	}
	left, err := survivors.Find(records)
	if left.Living() && err == nil && !o.Fresh {
		parts, aerr := o.takeOver(left)
		if aerr == nil {
			return parts, nil
		}
		if err = aerr; !errors.Is(err, survivors.ErrUnusable) {
			o.Dir.Keep()
			left.Leave()
			return Parts{}, err
		}
	}
	if n := left.End(); n > 0 {
		o.Logger.Warn("an engine before this one left processes; they are ended", "count", n, "error", err)
	}
	return o.begin()
}

// takeOver takes over the workers and the audio process of an engine that was lost.
func (o Options) takeOver(left *survivors.Survivors) (Parts, error) {
	mem, err := replica.Usable(left)
	if err != nil {
		return Parts{}, err
	}
	out := o.output(mem)
	set, err := replica.TakeOver(o.Workers, mem, o.Text, left, out, o.Set)
	if err != nil {
		return Parts{}, err
	}
	o.Processes.TakeOver(out.Processes(), set.Processes())
	return Parts{set, out}, nil
}

// begin makes new shared memory, and a Set that begins with the patch or with the saved state.
func (o Options) begin() (Parts, error) {
	g, lead := o.Workers.Geometry, o.Workers.Lead
	mem, err := memory.New(g, max(lead, int(g.Guard)+1))
	if err != nil {
		return Parts{}, err
	}
	mem.Control.RequestLead(lead)
	out := o.output(mem)
	set, err := replica.New(o.Workers, mem, o.Text, out, o.Set)
	if err != nil {
		mem.Close()
		return Parts{}, err
	}
	if s := o.Saved; s != nil && o.Workers.Resume {
		if err := set.Resume(s.N, s.Seq, s.Bytes, s.At); err != nil {
			set.Close()
			return Parts{}, err
		}
	}
	return Parts{set, out}, nil
}

func (o Options) output(mem memory.Memory) *output.Process {
	p := output.New(o.Output, mem)
	p.SetObserver(o.Audio)
	return p
}
