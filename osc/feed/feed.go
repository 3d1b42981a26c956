// Package feed tells subscribers what the addresses of an osc.Space have for values: each change, but of one address no more than 30 a
// second, of which the latest counts; all of them on request; and what happens besides, as it happens. Subscribers are clients that asked
// by OSC, or listen to an OSCQuery server. It asks for the values rather than being told, so that whoever changes them waits for nobody.
package feed

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/admission"
)

// Values are the addresses that exist, and what they have now. When other addresses exist there are other Values, and those of before
// keep what they had last.
type Values interface {
	Space() *osc.Space
	// Value is what an entry has, and a stamp that is another whenever it has changed; ok is false if it has none that is known.
	Value(entry int) (v float64, stamp uint64, ok bool)
}

// The limits of subscriptions.
const (
	Every = time.Second / 30 // between two values of one address
	Lasts = 60 * time.Second // what came by UDP is forgotten, unless it is renewed
	Most  = 64               // subscribers
	turn  = 128              // values to one subscriber at a time: no more than its system holds for one that reads
	lines = 32               // of what comes in, at a time
)

// Subscriber is somebody who is told.
type Subscriber struct {
	From    netip.Addr                              // whose place of the Most it takes; none: this machine's
	Send    func(address string, args ...any) error // waits for nobody
	Gone    <-chan struct{}                         // closed when nothing can be sent any more; nil: never
	Until   time.Time                               // zero: until it is gone
	Numbers bool                                    // a Name's value goes as its index
	All     bool                                    // all addresses, not only those of Listen
	Events  bool                                    // what happens besides
	Lines   bool                                    // what comes in, as text
	Changed func(Change)                            // called when other addresses exist; nil: nobody asks. It waits for nobody
}

// Change is what has become of the addresses.
type Change struct{ Added, Removed, Altered []string }

// subscriber is one with what it is to be told.
type subscriber struct {
	Subscriber
	listens map[string]bool // if not All
	due     []bool          // by entry
	waits   int             // how many of these
	next    int             // the entry to go on with
}

// Feed tells its subscribers. Any number of goroutines may use it.
type Feed struct {
	now    func() Values
	places *admission.Quota

	mu     sync.Mutex
	list   map[any]*subscriber
	view   Values
	seen   []value // by entry, at the last look
	closed bool

	line  chan string   // what comes in
	lined atomic.Bool   // somebody wants it
	left  atomic.Uint64 // lines that were left out
	wake  chan struct{}
	done  chan struct{}
}

// New makes a feed of what now returns, and starts its goroutine. The caller closes it.
func New(now func() Values) *Feed {
	f := &Feed{now: now, places: admission.NewQuota(Most), list: map[any]*subscriber{}, line: make(chan string, lines), wake: make(chan struct{}, 1), done: make(chan struct{})}
	go f.run()
	return f
}

// Close ends the feed.
func (f *Feed) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.rouse()
	<-f.done
}

func (f *Feed) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// run looks for changes while somebody is to be told.
func (f *Feed) run() {
	defer close(f.done)
	for {
		<-f.wake
		tick := time.NewTicker(Every)
		for some := true; some; {
			some = f.tick(time.Now())
			if some {
				<-tick.C
			}
		}
		tick.Stop()
		f.mu.Lock()
		closed := f.closed
		f.mu.Unlock()
		if closed {
			return
		}
	}
}

var errMost = fmt.Errorf("too many others are told already, of your machine or of all %d that may be: try again in a minute", Most)

// Subscribe has s be told from now on, under a key; one of the same key is replaced, and goes on with what it was still to be told. It
// returns how many there are with it.
func (f *Feed) Subscribe(key any, s Subscriber) (count int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep(time.Now())
	was := f.list[key]
	if was == nil && !f.places.Acquire(s.From) {
		return 0, errMost
	}
	if len(f.list) == 0 {
		f.view = nil // nobody looked
	}
	f.look()
	if was == nil {
		was = &subscriber{listens: map[string]bool{}, due: make([]bool, len(f.seen))}
		f.list[key] = was
	} else {
		s.From = was.From // its place
	}
	was.Subscriber = s
	f.note()
	f.rouse()
	return len(f.list), nil
}

// Cancel ends a subscription; it is false if there is none.
func (f *Feed) Cancel(key any) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.list[key]
	f.drop(key)
	f.note()
	return ok
}

// drop forgets a subscriber.
func (f *Feed) drop(key any) {
	if s := f.list[key]; s != nil {
		delete(f.list, key)
		f.places.Release(s.From)
	}
}

// Get is who is subscribed under a key.
func (f *Feed) Get(key any) (s Subscriber, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if was := f.list[key]; was != nil {
		return was.Subscriber, true
	}
	return s, false
}

var errUnknown = errors.New("not subscribed: /notify 1 comes first")

// Resync has a subscriber be told all values again.
func (f *Feed) Resync(key any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.list[key]
	if s == nil {
		return errUnknown
	}
	for i := range s.due {
		s.want(f.view, i)
	}
	return nil
}

// Listen has a subscriber be told of an address; on: it is told, with the value that there is, or no longer. An address that does not exist is waited
// for, up to as many as there may be.
func (f *Feed) Listen(key any, address string, on bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.list[key]
	switch {
	case s == nil:
		return errUnknown
	case !on:
		delete(s.listens, address)
		return nil
	case len(s.listens) >= mostListens && !s.listens[address]:
		return fmt.Errorf("more than %d addresses are listened to", mostListens)
	}
	s.listens[address] = true
	if i, ok := f.view.Space().Lookup(address); ok {
		s.want(f.view, i)
	}
	return nil
}

// mostListens bounds the addresses that one subscriber names.
const mostListens = 4096

// Event tells what happens to those who want to know.
func (f *Feed) Event(address string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.list {
		if s.Events {
			_ = s.Send(address, args...)
		}
	}
}

// Line tells what comes in to those who want to know. More than can be told is left out, and counted.
func (f *Feed) Line(text string) {
	select {
	case f.line <- text:
	default:
		f.left.Add(1)
	}
}

// Lines tells whether anybody wants to know what comes in.
func (f *Feed) Lines() bool { return f.lined.Load() }

// tick tells what has changed; it is false if nobody is to be told anything any more.
func (f *Feed) tick(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep(now)
	if f.closed || len(f.list) == 0 {
		return false
	}
	f.look()
	for _, s := range f.list {
		s.tell(f.view)
	}
	f.tellLines()
	return true
}

// tellLines tells what has come in.
func (f *Feed) tellLines() {
	for range lines {
		select {
		case text := <-f.line:
			f.toLines("/dumpOSC.reply", text)
			continue
		default:
		}
		break
	}
	if left := f.left.Swap(0); left > 0 {
		f.toLines("/dumpOSC.left", left)
	}
}

func (f *Feed) toLines(address string, arg any) {
	for _, s := range f.list {
		if s.Lines {
			_ = s.Send(address, arg)
		}
	}
}

// note keeps whether anybody wants to know what comes in.
func (f *Feed) note() {
	some := false
	for _, s := range f.list {
		some = some || s.Lines
	}
	f.lined.Store(some)
}

// sweep forgets those whose time is over.
func (f *Feed) sweep(now time.Time) {
	for key, s := range f.list {
		select {
		case <-s.Gone:
			f.drop(key)
			continue
		default:
		}
		if !s.Until.IsZero() && now.After(s.Until) {
			f.drop(key)
		}
	}
	f.note()
}
