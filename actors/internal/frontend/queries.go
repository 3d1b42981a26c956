package frontend

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm/sys"
)

func ping(_ *handler, m *osc.Message, from server.Peer) error {
	args := make([]any, 0, len(m.Args))
	for i, a := range m.Args {
		v, ok := a.Value()
		if !ok {
			return osc.Refuse(osc.CodeBadArgument, "argument %d has type %c: want i, h, f, d, s, b, T or F", i+1, a.Tag)
		}
		args = append(args, v)
	}
	return from.Reply("/pong", args...)
}

func version(_ *handler, _ *osc.Message, from server.Peer) error {
	major, minor, rest, revision := versionOf(debug.ReadBuildInfo())
	return from.Reply("/version.reply", "chronus", major, minor, rest, revision)
}

// versionOf splits the version of a build: v1.2.3-rc1 is 1, 2 and 3-rc1. A build that is no release
// is 0, 0 and devel.
func versionOf(info *debug.BuildInfo, ok bool) (major, minor int, rest, revision string) {
	rest = "devel"
	if !ok {
		return major, minor, rest, revision
	}
	if parts := strings.SplitN(strings.TrimPrefix(info.Main.Version, "v"), ".", 3); len(parts) == 3 {
		a, aerr := strconv.Atoi(parts[0])
		b, berr := strconv.Atoi(parts[1])
		if aerr == nil && berr == nil {
			major, minor, rest = a, b, parts[2]
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return major, minor, rest, revision
}

// admitQuery makes room for one more request for the status or for values.
func (f *Frontend) admitQuery() (leave func(), err error) {
	leave = func() { f.requestsInFlight.Add(-1) }
	if f.requestsInFlight.Add(1) > drafts.MaxInFlight {
		leave()
		return nil, errQueries
	}
	return leave, nil
}

// askStatus has answer called with the engine's status.
func (h *handler) askStatus(answer func(report.Status)) error {
	leave, err := h.f.admitQuery()
	if err == nil {
		h.engine.Status(answer, leave)
	}
	return err
}

func engineStatus(h *handler, _ *osc.Message, from server.Peer) error {
	return h.askStatus(func(st report.Status) { _ = from.Reply("/engine/status.reply", statusArgs(st)...) })
}

// statusArgs returns the arguments of /engine/status.reply: active slot, epoch, workers ready,
// replicas, clock, played, rescued, concealed, flips, xruns, failovers.
func statusArgs(st report.Status) []any {
	ready := 0
	for _, w := range st.Workers {
		if w.Ready {
			ready++
		}
	}
	return []any{
		st.Active.Slot, st.Active.Epoch, ready, len(st.Workers), st.Clock,
		st.Played, st.Rescued, st.Concealed, st.Flips, st.Xruns, st.FailoversTotal,
	}
}

func scStatus(h *handler, _ *osc.Message, from server.Peer) error {
	f := h.f
	return h.askStatus(func(st report.Status) { _ = from.Reply("/status.reply", f.scStatusArgs(st)...) })
}

// scStatusArgs returns the arguments of SuperCollider's /status.reply. It says 0 for the voices
// that sound, since only the workers know them.
func (f *Frontend) scStatusArgs(st report.Status) []any {
	plan := f.tracker.View().Routes().Plan()
	kinds := map[string]bool{}
	for _, n := range plan.Nodes() {
		kinds[n.Desc.Type] = true
	}
	mean, peak := 0.0, 0.0
	if a := st.Active.Slot; a >= 0 && a < len(st.Workers) {
		mean, peak = f.cfg.Load(st.Workers[a].PID, time.Now())
	}
	real := float64(st.Rate)
	if f.timeline != nil {
		if r, ok := f.timeline.Rate(sys.Monotonic()); ok {
			real = r
		}
	}
	return []any{
		1, len(plan.Nodes()), 0, 1 + len(plan.Voices), len(kinds), float32(mean), float32(peak), float64(st.Rate), real,
	}
}

// synchronize answers after the commands and the patch commands that were sent before.
func synchronize(h *handler, m *osc.Message, from server.Peer) error {
	var args []any
	if len(m.Args) > 0 {
		v, ok := m.Args[0].Number()
		if !ok {
			return osc.Refuse(osc.CodeBadArgument, "argument 1: want a number, or no argument")
		}
		if args = []any{float32(v)}; v == float64(int32(v)) {
			args = []any{int32(v)}
		}
	}
	store, engine := h.f.cfg.Drafts, h.engine
	h.after(string(m.Address), from, func() error {
		if store.InFlight() == 0 {
			return from.Reply("/synced", args...)
		}
		if err := store.Admit(); err != nil {
			return err
		}
		engine.AfterEdits(func() {
			store.Release()
			_ = from.Reply("/synced", args...)
		})
		return nil
	})
	return nil
}

// get answers with values after the commands that were sent before: a client that has set something
// asks for that. A pattern yields more answers than it costs, so it needs a sender who is known.
func get(h *handler, m *osc.Message, from server.Peer) error {
	entries := h.view.Space().Entries()
	var wanted []string
	for i, a := range m.Args {
		if a.Tag != 's' && a.Tag != 'S' {
			return osc.Refuse(osc.CodeBadArgument, "argument %d: want an address, as a string", i+1)
		}
		if osc.IsPattern(a.Bytes) && !from.Trusted() && !from.Stream() {
			return errForged
		}
		list, err := h.withValue(a.Bytes)
		if err != nil {
			return fmt.Errorf("%.64s: %w", a.Bytes, err)
		}
		for _, i := range list {
			wanted = append(wanted, entries[i].Address)
		}
	}
	f, engine := h.f, h.engine
	h.after(string(m.Address), from, func() error {
		leave, err := f.admitQuery()
		if err != nil {
			return err
		}
		engine.Later(func() {
			defer leave()
			f.sendValues(from, wanted)
		})
		return nil
	})
	return nil
}

// withValue returns the entries that an address or a pattern names and that have a value.
func (h *handler) withValue(address []byte) ([]int, error) {
	s := h.view.Space()
	if !osc.IsPattern(address) {
		i, err := s.Find(address)
		if err == nil && !s.Entries()[i].HasValue() {
			err = errNoValue
		}
		return []int{i}, err
	}
	list, err := h.patterns.Match(s, address)
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !s.Entries()[i].HasValue() }), err
}

// sendValues answers a get with the present values. It skips addresses that a change of the patch
// has removed since.
func (f *Frontend) sendValues(to server.Peer, wanted []string) {
	view, count := f.View(), 0
	for _, address := range wanted {
		i, ok := view.Space().Lookup(address)
		if !ok {
			continue
		}
		if v, _, ok := view.Value(i); ok {
			_ = to.Reply(address, view.Space().Entries()[i].Argument(v, false))
			count++
		}
	}
	_ = to.Reply("/done", "/get", count)
}
