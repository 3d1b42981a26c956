package midi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// Config is the configuration of Run and Learn.
type Config struct {
	Options
	Finder
	Port string // as Finder.Find accepts it
	To   string // the engine's OSC address, host:port
	Map  string // file, read again when it is saved; empty: no map
	// Ask asks the engine for its addresses; nil: they are unknown.
	Ask func(ctx context.Context) ([]osc.Entry, error)
	Say func(line string) // reports events to a person; called by one goroutine
}

// Times of the loop.
const (
	thinTick        = 5 * time.Millisecond
	idleTick        = 250 * time.Millisecond
	askWait         = 2 * time.Second // for an answer, and between two requests
	endWait         = time.Second     // for a driver that blocks; the process ends it
	maxSaidRefusals = 64              // lines after which they are reported again
)

// Run plays an engine with a MIDI input until ctx ends. It returns an error only for an invalid map
// or OSC address; it reports all else by Config.Say.
func Run(ctx context.Context, cfg Config) error {
	r := &runner{cfg: cfg, said: map[string]bool{}}
	if err := r.readMap(); err != nil {
		return err
	}
	var err error
	if r.link, err = dial(cfg.To); err != nil {
		return err
	}
	r.translator = NewTranslator(cfg.Options, func(q Request) { r.thin.submit(q, r.now, r.send) })
	ctx, cancel := context.WithCancel(ctx)
	inputs, replies := make(chan input, 64), make(chan reply, 256)
	r.lists = make(chan addressList, 1)
	r.work.Go(func() { r.link.listen(ctx, func(p reply) { offer(ctx, replies, p) }) })
	if cfg.Ask != nil {
		r.requestAddresses(ctx)
		r.setAddresses(<-r.lists) // before the first note, so that the right voices play it
		r.requesting = false
	} else {
		r.bind()
	}
	src := &source{finder: cfg.Finder, port: cfg.Port, emit: func(i input) { offer(ctx, inputs, i) }}
	r.work.Go(func() { src.run(ctx) })
	r.loop(ctx, inputs, replies)
	r.now = time.Now()
	r.translator.Release()
	cancel()
	_ = r.link.Close()
	ended := make(chan struct{})
	go func() { defer close(ended); r.work.Wait() }()
	select {
	case <-ended:
	case <-time.After(endWait):
	}
	return nil
}

// offer sends to a channel, unless ctx ends first.
func offer[T any](ctx context.Context, to chan<- T, v T) {
	select {
	case to <- v:
	case <-ctx.Done():
	}
}

// addressList is the result of Config.Ask.
type addressList struct {
	entries []osc.Entry
	err     error
}

// runner is the state of the loop.
type runner struct {
	cfg        Config
	now        time.Time
	link       *link
	translator *Translator
	thin       rateThinner
	work       sync.WaitGroup

	text        Map
	stamp       fileStamp // of text
	looked      fileStamp
	said        map[string]bool // refusals, and errors of the map
	lists       chan addressList
	requesting  bool
	requestedAt time.Time
	addresses   *Addresses
	stale       bool // addresses should be requested again
}

func (r *runner) say(format string, args ...any) {
	if r.cfg.Say != nil {
		r.cfg.Say(fmt.Sprintf(format, args...))
	}
}

// sayOnce reports a line that was not reported since the map or the engine has changed.
func (r *runner) sayOnce(line string) {
	if len(r.said) == maxSaidRefusals {
		clear(r.said)
	}
	if !r.said[line] {
		r.said[line] = true
		r.say("%s", line)
	}
}

// loop handles the input, the engine's answers, and timers.
func (r *runner) loop(ctx context.Context, inputs <-chan input, replies <-chan reply) {
	idle := time.NewTicker(idleTick)
	defer idle.Stop()
	thin := time.NewTicker(thinTick)
	defer thin.Stop()
	for {
		var tick <-chan time.Time
		if len(r.thin.waiting) > 0 {
			tick = thin.C
		}
		select {
		case <-ctx.Done():
			return
		case i := <-inputs:
			r.now = time.Now()
			r.handleInput(i)
		case p := <-replies:
			r.handleReply(p)
		case a := <-r.lists:
			r.requesting = false
			r.setAddresses(a)
		case <-tick:
			r.thin.sendDue(time.Now(), r.send)
		case now := <-idle.C:
			r.idle(ctx, now)
		}
	}
}

func (r *runner) handleInput(i input) {
	if i.lost {
		r.translator.Release()
	}
	if i.problem != "" {
		r.say("%s", i.problem)
	}
	if len(i.bytes) > 0 {
		r.translator.Bytes(i.bytes, i.at)
	}
}

func (r *runner) send(q Request) {
	if err := r.link.send(q, time.Now()); err != nil {
		r.sayOnce(err.Error())
	}
}

// handleReply handles an answer of the engine.
func (r *runner) handleReply(p reply) {
	if p.absent {
		r.overdue(true)
		return
	}
	if r.link.answered() {
		r.say("the engine at %s answers again", r.link.To())
		r.stale = true
	}
	if p.refusal != nil {
		r.sayOnce(fmt.Sprintf("the engine refuses %v", p.refusal))
		r.stale = true // its patch may have changed
	}
}

func (r *runner) overdue(nobody bool) {
	if r.link.overdue(time.Now(), nobody) {
		r.say("the engine at %s does not answer; notes are lost until it does", r.link.To())
	}
}

// idle does what is not urgent.
func (r *runner) idle(ctx context.Context, now time.Time) {
	r.overdue(false)
	if err := r.rereadMap(); err != nil {
		r.say("%v; the old map stays in use", err)
	}
	if (r.stale || r.addresses == nil) && r.cfg.Ask != nil && !r.requesting && now.Sub(r.requestedAt) >= askWait {
		r.requestAddresses(ctx)
	}
}

// requestAddresses asks the engine for its addresses. The loop receives the answer.
func (r *runner) requestAddresses(ctx context.Context) {
	r.requesting, r.stale, r.requestedAt = true, false, time.Now()
	r.work.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, askWait)
		defer cancel()
		entries, err := r.cfg.Ask(ctx)
		r.lists <- addressList{entries, err}
	})
}

// setAddresses takes the engine's addresses.
func (r *runner) setAddresses(a addressList) {
	var known *Addresses
	if a.err == nil {
		known, a.err = NewAddresses(a.entries)
	}
	if a.err != nil {
		r.sayOnce(fmt.Sprintf("%v; asking for the addresses again", a.err))
	} else {
		r.addresses = known
	}
	r.bind()
}

// bind passes the map and the addresses to the translator.
func (r *runner) bind() {
	for _, err := range r.translator.Bind(r.text, r.addresses) {
		r.sayOnce(fmt.Sprintf("%v; left out", err))
	}
	if g := r.cfg.Group; g != "" && r.addresses != nil && !r.addresses.has(r.translator.group(0)+"/on") {
		r.sayOnce(fmt.Sprintf("group of voices %q: not in the patch; its groups are %q", g, r.addresses.groups))
	}
	if r.addresses != nil && len(r.addresses.groups) == 0 {
		r.sayOnce("the patch has no voices: notes have no effect; chronus presets lists patches with voices")
	}
}

// fileStamp changes when a file is saved.
type fileStamp struct {
	at   time.Time
	size int64
}

func stampOf(path string) (s fileStamp) {
	if st, err := os.Stat(path); err == nil {
		s = fileStamp{st.ModTime(), st.Size()}
	}
	return s
}

// readMap reads the map for the first time. A missing file may appear later.
func (r *runner) readMap() (err error) {
	if r.cfg.Map == "" {
		return nil
	}
	r.stamp = stampOf(r.cfg.Map)
	r.looked = r.stamp
	if r.text, err = ReadMap(r.cfg.Map); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// rereadMap reads a map that was saved, once it was unchanged for two checks.
func (r *runner) rereadMap() error {
	if r.cfg.Map == "" {
		return nil
	}
	now := stampOf(r.cfg.Map)
	settled := now == r.looked
	if r.looked = now; now == r.stamp || !settled || now == (fileStamp{}) {
		return nil
	}
	r.stamp = now
	m, err := ReadMap(r.cfg.Map)
	if err != nil {
		return err
	}
	r.text = m
	clear(r.said)
	r.bind()
	r.say("map %s: %d controllers, %d programs", r.cfg.Map, len(m.Controllers), len(m.Programs))
	return nil
}

// Learn waits for a controller to move on the port that cfg names, and looks for the port as Run
// does.
func Learn(ctx context.Context, cfg Config) (channel, controller int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	inputs := make(chan input)
	src := &source{finder: cfg.Finder, port: cfg.Port, emit: func(i input) { offer(ctx, inputs, i) }}
	work.Go(func() { src.run(ctx) })
	l := NewLearner(cfg.Channel)
	for {
		select {
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case i := <-inputs:
			if i.problem != "" && cfg.Say != nil {
				cfg.Say(i.problem)
			}
			if channel, controller, ok := l.Bytes(i.bytes); ok {
				return channel, controller, nil
			}
		}
	}
}
