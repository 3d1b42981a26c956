package jack

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// wiringTick is the interval of checks whether the graph has changed.
	wiringTick = 50 * time.Millisecond
	// cutDelay distinguishes a connection that the user removed from a device that leaves,
	// whose ports go a moment after its connections. A connection counts as removed if it is
	// absent for cutDelay while its port exists.
	cutDelay = 500 * time.Millisecond
)

// graph is what wiring needs of a server.
type graph interface {
	changes() uint32
	playback() []string
	connected(own int) []string
	exists(port string) bool
	connect(own int, port string) bool
}

// link is a connection that an own port has or should have.
type link struct {
	port string
	made bool      // connected at some time since the port appeared
	cut  time.Time // when the connection was first absent; zero: it exists
}

// wiring keeps the connections of a stream's ports. It makes wanted connections as soon as their
// ports exist, and follows what the user connects and disconnects.
type wiring struct {
	graph
	client  string
	decided bool // links are wanted; false: the backend chooses when a playback port appears
	links   [][]link

	published atomic.Pointer[[][]string] // links, in the form of audio.Wired
	problem   atomic.Pointer[string]
	quit      chan struct{}
	ended     sync.WaitGroup
}

func newWiring(g graph, client string, ports int, want [][]string) *wiring {
	w := &wiring{graph: g, client: client, decided: want != nil, links: make([][]link, ports)}
	for i := range min(ports, len(want)) {
		w.want(i, want[i]...)
	}
	w.published.Store(new([][]string))
	w.problem.Store(new(string))
	w.publish("")
	return w
}

func (w *wiring) want(own int, ports ...string) {
	for _, p := range ports {
		w.links[own] = append(w.links[own], link{port: p})
	}
}

// start keeps the connections while the server lives. It does not run on a real-time thread.
func (w *wiring) start(alive func() bool) {
	w.quit = make(chan struct{})
	w.ended.Go(func() { w.run(alive) })
}

func (w *wiring) stop() error {
	close(w.quit)
	w.ended.Wait()
	return nil
}

func (w *wiring) run(alive func() bool) {
	tick := time.NewTicker(wiringTick)
	defer tick.Stop()
	last, again := w.changes()-1, true
	for {
		if n := w.changes(); (again || n != last) && alive() {
			last = n
			again = w.check(time.Now(), alive)
		}
		select {
		case <-w.quit:
			return
		case <-tick.C:
		}
	}
}

// check compares the graph with the links, and makes missing connections. again means: check once
// more even if the graph does not change. If the server ended meanwhile, check ignores what it
// read.
func (w *wiring) check(now time.Time, alive func() bool) (again bool) {
	have := make([][]string, len(w.links))
	for i := range have {
		have[i] = w.connected(i)
	}
	if !alive() {
		return false
	}
	if !w.decided {
		w.choose(have)
	}
	for i := range w.links {
		if w.update(i, have[i], now) {
			again = true
		}
	}
	w.publish(w.currentProblem())
	return again
}

// choose keeps what the user has connected by hand. Otherwise it chooses ports of the first device:
// one for each own port, or two for a single own port.
func (w *wiring) choose(have [][]string) {
	if slices.ContainsFunc(have, func(ports []string) bool { return len(ports) > 0 }) {
		w.decided = true
		return
	}
	ports := w.playback()
	if len(ports) == 0 {
		return
	}
	w.decided = true
	if len(w.links) == 1 {
		w.want(0, ports[:min(2, len(ports))]...)
		return
	}
	for i := range min(len(w.links), len(ports)) {
		w.want(i, ports[i])
	}
}

// update brings the links of one own port up to date with its connections.
func (w *wiring) update(own int, have []string, now time.Time) (again bool) {
	links := w.links[own][:0]
	for _, l := range w.links[own] {
		switch {
		case slices.Contains(have, l.port):
			l.made, l.cut = true, time.Time{}
		case !w.exists(l.port):
			l.made, l.cut = false, time.Time{}
		case !l.made:
			l.made = w.connect(own, l.port) // after a failure, the next change of the graph is another chance
		case l.cut.IsZero():
			l.cut, again = now, true
		case now.Sub(l.cut) < cutDelay:
			again = true
		default:
			continue
		}
		links = append(links, l)
	}
	for _, p := range have {
		if !slices.ContainsFunc(links, func(l link) bool { return l.port == p }) {
			links = append(links, link{port: p, made: true})
		}
	}
	w.links[own] = links
	return again
}

// publish sets what Wiring and Problem return.
func (w *wiring) publish(problem string) {
	if problem != *w.problem.Load() {
		w.problem.Store(&problem)
	}
	if !w.decided {
		return
	}
	ports := make([][]string, len(w.links))
	for i, links := range w.links {
		ports[i] = []string{}
		for _, l := range links {
			ports[i] = append(ports[i], l.port)
		}
	}
	if !slices.EqualFunc(ports, *w.published.Load(), slices.Equal) {
		w.published.Store(&ports)
	}
}

func (w *wiring) currentProblem() string {
	away := ""
	for _, links := range w.links {
		for _, l := range links {
			if l.made {
				return ""
			}
			if away == "" {
				away = l.port
			}
		}
	}
	switch {
	case !w.decided:
		return fmt.Sprintf("JACK: no playback port: connect %s:out_1 by hand, or start a device with playback ports",
			w.client)
	case away != "":
		return fmt.Sprintf("JACK: nothing is connected: %s:out_1 waits for %s; connect it by hand, or start that device",
			w.client, away)
	}
	return ""
}
