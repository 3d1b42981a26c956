package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors/fleet"
	"github.com/music-chronus/chronus/actors/remote"
)

// monitorCmd follows engines on this and other machines.
type monitorCmd struct {
	tlsFlag
	Engines string        `required:"" help:"Engines to follow: HOST:PORT or HOST:PORT/NAME, with commas; or a file with one a line, and its group behind it." placeholder:"FILE|LIST"`
	Group   string        `help:"Only those of this group." placeholder:"NAME"`
	Listen  string        `help:"Address that engines reach this program at; default: a free port of the interface that leads to the first of them." placeholder:"HOST:PORT"`
	Token   string        `help:"Token for the engines, if the certificate names no role; or @FILE." placeholder:"TOKEN"`
	Every   time.Duration `help:"How often each engine reports." default:"250ms"`
	For     time.Duration `help:"End after this time; default: with Ctrl-C." placeholder:"TIME"`
	JSON    bool          `name:"json" help:"A line of JSON for each alarm that begins or ends, and each second for each engine."`
	Metrics string        `help:"Serve /metrics for Prometheus at this address." placeholder:"HOST:PORT"`
	Plain   bool          `name:"remote-plaintext" help:"Listen without certificates outside loopback too; engines reach this program only to report."`
	Do      string        `help:"Do this to all of them, and end: flip, mute, unmute, patch=FILE, or send=/ADDRESS,ARG,..." placeholder:"WHAT"`
}

// Run follows the engines until the end.
func (m *monitorCmd) Run(s streams) error {
	targets, node, err := m.open()
	if err != nil {
		return err
	}
	defer node.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if m.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.For)
		defer cancel()
	}
	if m.Do != "" {
		return m.order(ctx, s, node, targets)
	}
	w := &monitorRun{fleet: fleet.New(), out: s.out, json: m.JSON, live: isTerminal(s.out) && !m.JSON}
	if m.Metrics != "" {
		shut, err := w.serve(m.Metrics, s)
		if err != nil {
			return err
		}
		defer shut()
	}
	for _, t := range targets {
		w.fleet.Add(t.Name, t.Group, time.Now())
	}
	for _, t := range targets {
		defer node.Follow(t.Target, func(n remote.News) { w.take(t.Name, n) })()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return w.show(true)
		case <-tick.C:
			if err := w.show(false); err != nil {
				return err
			}
		}
	}
}

// open reads the list of engines, and listens for their reports.
func (m *monitorCmd) open() (targets []fleet.Named, node *remote.Node, err error) {
	all, err := fleet.ParseTargets(m.Engines)
	if err != nil {
		return nil, nil, fmt.Errorf("--%w", err)
	}
	token := m.Token
	if file, ok := strings.CutPrefix(token, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("--token: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	for _, t := range all {
		if m.Group == "" || t.Group == m.Group {
			t.Every, t.Token = m.Every, token
			targets = append(targets, t)
		}
	}
	if len(targets) == 0 {
		return nil, nil, fmt.Errorf("--group %s: no engine of the %d is in it", m.Group, len(all))
	}
	if m.Every < 50*time.Millisecond || m.Every > time.Minute {
		return nil, nil, fmt.Errorf("--every %v: it is 50ms to 1m", m.Every)
	}
	at := m.Listen
	if at == "" {
		host, err := fleet.LocalFor(targets[0].Address)
		if err != nil {
			return nil, nil, err
		}
		at = net.JoinHostPort(host, "0")
	}
	o := remote.Options{Address: at, TLSDir: m.RemoteTLS}
	if m.Plain {
		o.Plain = remote.Watch
	}
	node, err = remote.Listen(o)
	return targets, node, err
}

// monitorRun is a monitor at work. News come on many goroutines.
type monitorRun struct {
	mu    sync.Mutex
	fleet *fleet.Fleet
	out   io.Writer
	json  bool
	live  bool
}

func (w *monitorRun) take(name string, n remote.News) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(w.fleet.Take(name, n, time.Now()))
}

// tell says which alarms have begun or ended. On a terminal the table does.
func (w *monitorRun) tell(changes []fleet.Alarm) {
	for _, a := range changes {
		switch {
		case w.json:
			_ = json.NewEncoder(w.out).Encode(struct {
				Alarm fleet.Alarm `json:"alarm"`
			}{a})
		case !w.live:
			fmt.Fprintln(w.out, time.Now().Format(time.TimeOnly), a)
		}
	}
}

// show shows the engines: as a table on a terminal and at the end, or as lines of JSON.
func (w *monitorRun) show(last bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(w.fleet.Look(time.Now()))
	members := w.fleet.Members()
	switch {
	case w.json:
		for _, m := range members {
			if err := json.NewEncoder(w.out).Encode(struct {
				Engine fleet.Member `json:"engine"`
			}{m}); err != nil {
				return err
			}
		}
		return nil
	case w.live:
		fmt.Fprint(w.out, "\x1b[H\x1b[2J")
	case !last:
		return nil
	}
	return printFleet(w.out, members)
}

// printFleet is the table, with the alarms below it.
func printFleet(out io.Writer, members []fleet.Member) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "engine\tgroup\tstate\tworkers\theard\tfailovers\tconcealed\txruns\tpeak\tload\tdevice\tversion\t")
	for _, m := range members {
		state := "unreachable"
		if m.Reached {
			state = "plays"
		}
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
		if m.Reached && !st.Playing {
			state = "stands"
		}
		if m.Reached && st.Muted {
			state = "muted"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d/%d\tworker %d\t%d\t%d\t%d\t%.3f\t%.0f%%\t%s\t%s\t\n", m.Name, m.Group, state, ready, len(st.Workers), st.ActiveSlot,
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

// serve serves /metrics.
func (w *monitorRun) serve(address string, s streams) (shut func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(rw http.ResponseWriter, _ *http.Request) {
		w.mu.Lock()
		members := w.fleet.Members()
		w.mu.Unlock()
		rw.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = fleet.WriteMetrics(rw, members)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(s.err, "chronus: metrics:", err)
		}
	}()
	fmt.Fprintf(s.err, "metrics at http://%s/metrics\n", l.Addr())
	return func() { _ = server.Close(); <-done }, nil
}

// isTerminal tells whether somebody looks at it.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
