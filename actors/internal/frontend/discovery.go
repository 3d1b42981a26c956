package frontend

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

// queryAbove is how far the default port of OSCQuery lies above OSC's: far enough that engines on
// consecutive ports do not collide.
const queryAbove = 80

// Discover starts the OSCQuery server, and, if other machines can reach the OSC server, announces
// both by mDNS. If the default port of OSCQuery is taken, it uses any other.
func (f *Frontend) Discover() (err error) {
	requested := f.cfg.OSCQuery != "" && f.cfg.OSCQuery != None
	switch {
	case f.server == nil && requested:
		return fmt.Errorf("OSCQuery %s: the engine has no OSC server to describe: leave OSCQuery out", f.cfg.OSCQuery)
	case f.server == nil || f.cfg.OSCQuery == None:
	default:
		if err = f.listenQuery(requested); err != nil {
			return err
		}
	}
	if f.server == nil || f.cfg.NoMDNS || f.server.Addr().Addr().IsLoopback() {
		return nil
	}
	a := query.Announcement{OSC: f.server.Addr()}
	if f.query != nil && !f.query.Addr().Addr().IsLoopback() {
		a.Query = f.query.Addr()
	}
	if f.announcer, err = query.Announce(a); err != nil {
		f.cfg.Logger.Warn("mDNS announcement failed", "error", err)
	}
	return nil
}

func (f *Frontend) listenQuery(requested bool) error {
	c := query.Config{
		Name: "Chronus", OSC: f.server.Addr(), Access: server.Access{Allow: f.cfg.Access.Allow},
		Feed: f.feed, Values: func() feed.Values { return f.View() },
	}
	if requested {
		var err error
		f.query, err = query.Listen(f.cfg.OSCQuery, c)
		return err
	}
	host, port, err := net.SplitHostPort(f.cfg.OSC)
	if err != nil {
		return fmt.Errorf("OSC address %q: %w", f.cfg.OSC, err)
	}
	next := 0
	if n, _ := strconv.Atoi(port); n != 0 && n+queryAbove < 1<<16 {
		next = n + queryAbove
	}
	f.query, err = query.Listen(net.JoinHostPort(host, strconv.Itoa(next)), c)
	if errors.Is(err, syscall.EADDRINUSE) {
		if f.query, err = query.Listen(net.JoinHostPort(host, "0"), c); err == nil {
			f.cfg.Logger.Warn("OSCQuery port is taken: using another", "taken", next, "OSCQuery", f.query.Addr())
		}
	}
	return err
}
