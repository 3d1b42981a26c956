package actors

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/query"
	"github.com/music-chronus/chronus/osc/server"
)

// discover lets clients find out what addresses there are: an OSCQuery server, and beyond this machine mDNS. The address that is not asked for is a port
// that is queryAbove OSC's, or if that is taken any.
func (d *desk) discover(cfg Config) (err error) {
	asked := cfg.OSCQuery != "" && cfg.OSCQuery != noOSC
	switch {
	case d.server == nil && asked:
		return errors.New("OSCQuery tells where to send OSC: leave --oscquery out, or --osc none")
	case d.server == nil || cfg.OSCQuery == noOSC:
	default:
		if err = d.listen(cfg, asked); err != nil {
			return err
		}
	}
	if d.server == nil || cfg.NoMDNS || d.server.Addr().Addr().IsLoopback() {
		return nil
	}
	a := query.Announcement{OSC: d.server.Addr()}
	if d.query != nil && !d.query.Addr().Addr().IsLoopback() {
		a.Query = d.query.Addr()
	}
	if d.announcer, err = query.Announce(a); err != nil {
		cfg.Logger.Warn("mDNS does not tell of this engine", "error", err)
	}
	return nil
}

// queryAbove is how far above OSC's the port of OSCQuery is, if nobody says which: so far that engines on ports one after the other do not meet.
const queryAbove = 80

func (d *desk) listen(cfg Config, asked bool) error {
	c := query.Config{
		Name: "Chronus", OSC: d.server.Addr(), Access: server.Access{Allow: cfg.OSCAllow}, Feed: d.feed, Values: func() feed.Values { return d.view() },
	}
	if asked {
		var err error
		d.query, err = query.Listen(cfg.OSCQuery, c)
		return err
	}
	host, port, err := net.SplitHostPort(cfg.OSC)
	if err != nil {
		return fmt.Errorf("OSC address %q: %w", cfg.OSC, err)
	}
	next := 0
	if n, _ := strconv.Atoi(port); n != 0 && n+queryAbove < 1<<16 {
		next = n + queryAbove
	}
	d.query, err = query.Listen(net.JoinHostPort(host, strconv.Itoa(next)), c)
	if errors.Is(err, syscall.EADDRINUSE) {
		if d.query, err = query.Listen(net.JoinHostPort(host, "0"), c); err == nil {
			cfg.Logger.Warn("the port for OSCQuery is taken; it has another", "taken", next, "OSCQuery", d.query.Addr())
		}
	}
	return err
}
