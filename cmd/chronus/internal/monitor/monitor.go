// Package monitor shows the state of a fleet of engines, or sends one order to all of them.
package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors/fleet"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/cmd/chronus/internal/terminal"
)

// View shows a fleet: as a table that renews itself on a terminal, as lines of JSON, or else as one
// line for each alarm and a table at the end. Its methods may be called by any goroutine.
type View struct {
	mu    sync.Mutex
	fleet *fleet.Fleet
	out   io.Writer
	json  bool
	live  bool
}

// New returns a view without engines.
func New(out io.Writer, asJSON bool) *View {
	return &View{fleet: fleet.New(), out: out, json: asJSON, live: terminal.Is(out) && !asJSON}
}

// Add adds an engine of a group.
func (v *View) Add(name, group string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fleet.Add(name, group, time.Now())
}

// Observe records news of an engine.
func (v *View) Observe(name string, n remote.News) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.showAlarms(v.fleet.Take(name, n, time.Now()))
}

// showAlarms prints the alarms that have begun or ended. The live table has them anyway.
func (v *View) showAlarms(changes []fleet.Alarm) {
	for _, a := range changes {
		switch {
		case v.json:
			_ = json.NewEncoder(v.out).Encode(struct {
				Alarm fleet.Alarm `json:"alarm"`
			}{a})
		case !v.live:
			fmt.Fprintln(v.out, time.Now().Format(time.TimeOnly), a)
		}
	}
}

// Show shows the engines. last says that the view ends.
func (v *View) Show(last bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.showAlarms(v.fleet.Look(time.Now()))
	members := v.fleet.Members()
	switch {
	case v.json:
		for _, m := range members {
			if err := json.NewEncoder(v.out).Encode(struct {
				Engine fleet.Member `json:"engine"`
			}{m}); err != nil {
				return err
			}
		}
		return nil
	case v.live:
		fmt.Fprint(v.out, "\x1b[H\x1b[2J")
	case !last:
		return nil
	}
	return printTable(v.out, members)
}

// printTable prints the engines, and the alarms below them.
func printTable(out io.Writer, members []fleet.Member) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "engine\tgroup\tstate\tworkers\theard\tfailovers\tconcealed\txruns\tpeak\tload\tdevice\tversion\t")
	for _, m := range members {
		state := stateOf(m)
		if m.Status == nil {
			fmt.Fprintf(t, "%s\t%s\t%s\t\t\t\t\t\t\t\t\t\t\n", m.Name, m.Group, state)
			continue
		}
		st, ready := m.Status, 0
		for _, k := range st.Workers {
			if k.State == "ready" {
				ready++
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d/%d\tworker %d\t%d\t%d\t%d\t%.3f\t%.0f%%\t%s\t%s\t\n",
			m.Name, m.Group, state, ready, len(st.Workers), st.ActiveSlot,
			st.Failovers, st.Concealed, st.Xruns, st.Peak, 100*m.Load, st.Backend, st.Version)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, m := range members {
		for _, a := range m.Alarms {
			fmt.Fprintf(out, "%s since %s\n", a, a.Began.Format(time.TimeOnly))
		}
	}
	return nil
}

// stateOf returns an engine's state in one word.
func stateOf(m fleet.Member) string {
	switch {
	case !m.Reached:
		return "unreachable"
	case m.Status != nil && m.Status.Muted:
		return "muted"
	case m.Status != nil && !m.Status.Playing:
		return "stopped"
	}
	return "plays"
}

// ServeMetrics serves /metrics for Prometheus until stop. log gets the address and the server's
// errors.
func (v *View) ServeMetrics(address string, log io.Writer) (stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(rw http.ResponseWriter, _ *http.Request) {
		v.mu.Lock()
		members := v.fleet.Members()
		v.mu.Unlock()
		rw.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = fleet.WriteMetrics(rw, members)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(log, "chronus: metrics:", err)
		}
	}()
	fmt.Fprintf(log, "metrics at http://%s/metrics\n", l.Addr())
	return func() { _ = server.Close(); <-done }, nil
}
