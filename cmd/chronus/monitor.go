package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors/fleet"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/cmd/chronus/internal/monitor"
)

type monitorCmd struct {
	tlsFlag
	Engines string        `required:"" help:"Engines to follow: HOST:PORT or HOST:PORT/NAME, separated by commas; or a file with one a line, and its group behind it." placeholder:"FILE|LIST"`
	Group   string        `help:"Only the engines of this group." placeholder:"NAME"`
	Listen  string        `help:"Address at which engines reach this program; default: a free port of the interface that leads to the first engine." placeholder:"HOST:PORT"`
	Token   string        `help:"Token for the engines, if the certificate names no role; or @FILE." placeholder:"TOKEN"`
	Every   time.Duration `help:"Interval between two reports of an engine." default:"250ms"`
	For     time.Duration `help:"End after this time; default: on Ctrl-C." placeholder:"TIME"`
	JSON    bool          `name:"json" help:"Print a line of JSON for each alarm that begins or ends, and each second for each engine."`
	Metrics string        `help:"Serve /metrics for Prometheus at this address." placeholder:"HOST:PORT"`
	Plain   bool          `name:"remote-plaintext" help:"Listen without certificates outside loopback too; engines reach this program only to report."`
	Do      string        `help:"Send this order to all engines, and end: flip, mute, unmute, patch=FILE, or send=/ADDRESS,ARG,..." placeholder:"WHAT"`
}

// Run follows the engines until the end, or sends them an order.
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
		order, err := monitor.ParseOrder(m.Do)
		if err != nil {
			return fmt.Errorf("--do: %w", err)
		}
		if !order.Send(ctx, node, targets, s.out) {
			return errQuiet
		}
		return nil
	}
	return m.follow(ctx, s, node, targets)
}

// follow shows the engines every second until ctx ends.
func (m *monitorCmd) follow(ctx context.Context, s streams, node *remote.Node, targets []fleet.Named) error {
	view := monitor.New(s.out, m.JSON)
	if m.Metrics != "" {
		stop, err := view.ServeMetrics(m.Metrics, s.err)
		if err != nil {
			return fmt.Errorf("--metrics: %w", err)
		}
		defer stop()
	}
	for _, t := range targets {
		view.Add(t.Name, t.Group)
	}
	for _, t := range targets {
		defer node.Follow(t.Target, func(n remote.News) { view.Observe(t.Name, n) })()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return view.Show(true)
		case <-tick.C:
			if err := view.Show(false); err != nil {
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
		return nil, nil, fmt.Errorf("--group %s: none of the %d engines is in this group", m.Group, len(all))
	}
	if m.Every < 50*time.Millisecond || m.Every > time.Minute {
		return nil, nil, fmt.Errorf("--every %v: must be 50ms to 1m", m.Every)
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
