package feed

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/admission"
)

// Values are the addresses that exist, and their values. Other addresses need other Values; the old
// ones keep their last values.
type Values interface {
	Space() *osc.Space
	// Value returns an entry's value, and a stamp that differs after each change. ok is false if
	// the entry has no known value.
	Value(entry int) (v float64, stamp uint64, ok bool)
}

// The limits of subscriptions.
const (
	Every = time.Second / 30 // between two values of one address
	Lasts = 60 * time.Second // of a subscription over UDP that is not renewed
	Most  = 64               // subscribers

	maxTurn    = 128  // values to one subscriber in one tick: no more than its system buffers
	maxLines   = 32   // lines in one tick
	maxListens = 4096 // addresses that one subscriber names
)

// Subscriber describes what a client is sent.
type Subscriber struct {
	From    netip.Addr                              // whose place of the Most it takes; invalid: this machine's
	Send    func(address string, args ...any) error // must not block
	Gone    <-chan struct{}                         // closed when nothing can be sent any more; nil: never
	Until   time.Time                               // end of the subscription; zero: until it is gone
	Numbers bool                                    // sends the value of a Name as its index
	All     bool                                    // all addresses, not only those of Listen
	Events  bool                                    // events too
	Lines   bool                                    // what the server receives, as text
	Replies bool                                    // what the server answers, as text
	Changed func(Change)                            // called when other addresses exist; may be nil, must not block
}

// Change lists the addresses that were added, removed or altered.
type Change struct{ Added, Removed, Altered []string }

// subscriber is a Subscriber with the values that it is still to be sent.
type subscriber struct {
	Subscriber
	listens map[string]bool // if not All
	due     []bool          // by entry
	pending int             // number of entries that are due
	next    int             // entry to continue with
}

// Feed sends values, events and lines to subscribers. Any number of goroutines may use it.
type Feed struct {
	now    func() Values
	places *admission.Quota

	mu          sync.Mutex
	subscribers map[any]*subscriber
	view        Values
	seen        []value // by entry, at the last poll
	closed      bool

	lines       chan line
	wantLines   atomic.Bool
	wantReplies atomic.Bool
	dropped     atomic.Uint64 // lines above the limit
	waking      chan struct{}
	done        chan struct{}
}

// line is about a message that the server received, or a reply that it sent.
type line struct {
	text  string
	reply bool
}

// New returns a feed of the values that now returns, and starts its goroutine. The caller closes
// it.
func New(now func() Values) *Feed {
	f := newFeed(now)
	go f.run()
	return f
}

func newFeed(now func() Values) *Feed {
	return &Feed{
		now: now, places: admission.NewQuota(Most), subscribers: map[any]*subscriber{},
		lines: make(chan line, maxLines), waking: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// Close ends the feed, and waits for its goroutine.
func (f *Feed) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.wake()
	<-f.done
}

func (f *Feed) wake() {
	select {
	case f.waking <- struct{}{}:
	default:
	}
}

// run polls the values while there are subscribers.
func (f *Feed) run() {
	defer close(f.done)
	for {
		<-f.waking
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

// The refusals of subscriptions.
var (
	errMost = osc.Refuse(osc.CodeBusy,
		"too many subscribers on your machine, or of the %d on all machines: try again in a minute", Most)
	errUnknown = osc.Refuse(osc.CodeRejected, "not subscribed: send /notify 1 first")
)

// Subscribe adds a subscriber under a key, and returns the number of subscribers. A subscriber of
// the same key is replaced; values that it was still to be sent are sent to the new one.
func (f *Feed) Subscribe(key any, s Subscriber) (count int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep(time.Now())
	was := f.subscribers[key]
	if was == nil && !f.places.Acquire(s.From) {
		return 0, errMost
	}
	if len(f.subscribers) == 0 {
		f.view = nil // the values were not polled
	}
	f.collectChanges()
	if was == nil {
		was = &subscriber{listens: map[string]bool{}, due: make([]bool, len(f.seen))}
		f.subscribers[key] = was
	} else {
		s.From = was.From // the address of the place that it holds
	}
	was.Subscriber = s
	f.updateWants()
	f.wake()
	return len(f.subscribers), nil
}

// Cancel ends a subscription. It returns false if the key has none.
func (f *Feed) Cancel(key any) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.subscribers[key]
	f.remove(key)
	f.updateWants()
	return ok
}

func (f *Feed) remove(key any) {
	if s := f.subscribers[key]; s != nil {
		delete(f.subscribers, key)
		f.places.Release(s.From)
	}
}

// Get returns the subscriber of a key.
func (f *Feed) Get(key any) (s Subscriber, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if was := f.subscribers[key]; was != nil {
		return was.Subscriber, true
	}
	return s, false
}

// Resync sends all values to a subscriber again.
func (f *Feed) Resync(key any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.subscribers[key]
	if s == nil {
		return errUnknown
	}
	for i := range s.due {
		s.markDue(f.view, i)
	}
	return nil
}

// Listen adds an address to a subscriber's list, and sends its value, or removes it from the list.
// An address that does not exist is sent once it exists. A list has at most 4,096 addresses.
func (f *Feed) Listen(key any, address string, on bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.subscribers[key]
	switch {
	case s == nil:
		return errUnknown
	case !on:
		delete(s.listens, address)
		return nil
	case len(s.listens) >= maxListens && !s.listens[address]:
		return fmt.Errorf("listen to %.64s: %d addresses are listened to already", address, maxListens)
	}
	s.listens[address] = true
	if i, ok := f.view.Space().Lookup(address); ok {
		s.markDue(f.view, i)
	}
	return nil
}

// Event sends an event to the subscribers of events.
func (f *Feed) Event(address string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.subscribers {
		if s.Events {
			_ = s.Send(address, args...)
		}
	}
}

// Line sends a line about a received message to the subscribers of Lines, with the next tick. Lines
// above 32 a tick are dropped and counted.
func (f *Feed) Line(text string) { f.add(line{text: text}) }

// Reply sends a line about an answer to the subscribers of Replies, as Line does.
func (f *Feed) Reply(text string) { f.add(line{text, true}) }

func (f *Feed) add(l line) {
	select {
	case f.lines <- l:
	default:
		f.dropped.Add(1)
	}
}

// Lines reports whether a subscriber wants lines about received messages.
func (f *Feed) Lines() bool { return f.wantLines.Load() }

// Replies reports whether a subscriber wants lines about answers.
func (f *Feed) Replies() bool { return f.wantReplies.Load() }

// tick sends what has changed. It returns false if there is no subscriber, or the feed is closed.
func (f *Feed) tick(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep(now)
	if f.closed || len(f.subscribers) == 0 {
		return false
	}
	f.collectChanges()
	for _, s := range f.subscribers {
		s.sendDue(f.view)
	}
	f.sendLines()
	return true
}

func (f *Feed) sendLines() {
	for range maxLines {
		select {
		case l := <-f.lines:
			f.sendLine("/dumpOSC.reply", l.text, l.reply)
			continue
		default:
		}
		break
	}
	if n := f.dropped.Swap(0); n > 0 {
		f.sendLine("/dumpOSC.left", n, false)
	}
}

// sendLine sends a line to its subscribers. A subscriber of Replies receives Lines too.
func (f *Feed) sendLine(address string, arg any, reply bool) {
	for _, s := range f.subscribers {
		if s.Replies || s.Lines && !reply {
			_ = s.Send(address, arg)
		}
	}
}

// updateWants records which lines the subscribers want.
func (f *Feed) updateWants() {
	lines, replies := false, false
	for _, s := range f.subscribers {
		lines, replies = lines || s.Lines || s.Replies, replies || s.Replies
	}
	f.wantLines.Store(lines)
	f.wantReplies.Store(replies)
}

// sweep removes subscribers that have ended.
func (f *Feed) sweep(now time.Time) {
	for key, s := range f.subscribers {
		select {
		case <-s.Gone:
			f.remove(key)
			continue
		default:
		}
		if !s.Until.IsZero() && now.After(s.Until) {
			f.remove(key)
		}
	}
	f.updateWants()
}
