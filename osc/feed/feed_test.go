package feed

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// board implements Values with values that a test sets.
type board struct {
	space  *osc.Space
	mu     sync.Mutex
	values map[string]float64
	stamps map[string]uint64
}

func (b *board) Space() *osc.Space { return b.space }

func (b *board) Value(entry int) (v float64, stamp uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.space.Entries()[entry].Address
	v, ok = b.values[a]
	return v, b.stamps[a], ok
}

func (b *board) set(address string, v float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.values[address] = v
	b.stamps[address]++
}

// boardOf has addresses, each with value 0, or without a value if it ends with an exclamation mark.
func boardOf(t testing.TB, addresses ...string) *board {
	t.Helper()
	b := &board{values: map[string]float64{}, stamps: map[string]uint64{}}
	var entries []osc.Entry
	for _, a := range addresses {
		name, none := strings.CutSuffix(a, "!")
		e := osc.Entry{Address: name, Max: 1000}
		switch {
		case none:
			e = osc.Entry{Address: name, Kind: osc.Query}
		case strings.HasSuffix(name, "mode"):
			e = osc.Entry{Address: name, Kind: osc.Name, Names: []string{"lp", "hp"}}
		}
		if entries = append(entries, e); !none {
			b.values[name] = 0
		}
	}
	var err error
	if b.space, err = osc.NewSpace(entries); err != nil {
		t.Fatal(err)
	}
	return b
}

// still returns a feed without its goroutine: the test calls tick.
func still(b *board) (f *Feed, view *Values) {
	view = new(Values)
	*view = b
	return newFeed(func() Values { return *view }), view
}

// ear collects what a subscriber is sent until has is called.
type ear struct{ told []string }

func (e *ear) send(address string, args ...any) error {
	e.told = append(e.told, strings.TrimSpace(address+" "+strings.Trim(fmt.Sprint(args...), "[]")))
	return nil
}

func (e *ear) has() string {
	defer func() { e.told = nil }()
	return strings.Join(e.told, ", ")
}

func subscribe(t *testing.T, f *Feed, key any, s Subscriber) *ear {
	t.Helper()
	e := &ear{}
	s.Send = e.send
	if _, err := f.Subscribe(key, s); err != nil {
		t.Fatal(err)
	}
	return e
}

// Each tick sends the latest value of each changed address, in the form of the address. Resync
// sends all values. Addresses without a value are never sent.
func TestFeedTellsTheLatest(t *testing.T) {
	b := boardOf(t, "/a", "/b", "/mode", "/status!")
	f, _ := still(b)
	b.set("/a", 7)
	all := subscribe(t, f, "all", Subscriber{All: true})
	numbers := subscribe(t, f, "numbers", Subscriber{All: true, Numbers: true})
	some := subscribe(t, f, "some", Subscriber{})
	if err := f.Listen("some", "/b", true); err != nil {
		t.Fatal(err)
	}
	expect := func(wantAll, wantNumbers, wantSome string) {
		t.Helper()
		f.tick(time.Now())
		if a, n, s := all.has(), numbers.has(), some.has(); a != wantAll || n != wantNumbers || s != wantSome {
			t.Errorf("told %q, %q, %q; want %q, %q, %q", a, n, s, wantAll, wantNumbers, wantSome)
		}
	}
	expect("", "", "/b 0")
	for i := range 100 {
		b.set("/a", float64(i))
	}
	b.set("/mode", 1)
	expect("/a 99, /mode hp", "/a 99, /mode 1", "")
	expect("", "", "")
	b.set("/b", 0.5)
	expect("/b 0.5", "/b 0.5", "/b 0.5")
	if err := f.Resync("all"); err != nil {
		t.Fatal(err)
	}
	expect("/mode hp, /a 99, /b 0.5", "", "") // it continues where it stopped
	if err := f.Listen("some", "/b", false); err != nil {
		t.Fatal(err)
	}
	b.set("/b", 2)
	expect("/b 2", "/b 2", "")
	if err := f.Resync("nobody"); err == nil {
		t.Error("nobody can be told all")
	}
}

// One tick sends at most maxTurn values to a subscriber. The others follow, each once.
func TestFeedTakesTurns(t *testing.T) {
	var addresses []string
	for i := range 3*maxTurn + 5 {
		addresses = append(addresses, fmt.Sprintf("/p/%d", i))
	}
	b := boardOf(t, addresses...)
	f, _ := still(b)
	e := subscribe(t, f, 1, Subscriber{All: true})
	if err := f.Resync(1); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, want := range []int{maxTurn, maxTurn, maxTurn, 5, 0} {
		b.set("/p/0", 1) // a value that changes every time delays no other
		f.tick(time.Now())
		others := slices.DeleteFunc(slices.Clone(e.told), func(s string) bool { return s == "/p/0 1" })
		if len(e.told) > maxTurn || len(others) < want-1 {
			t.Errorf("%d told at a time, want %d", len(e.told), want)
		}
		told = append(told, others...)
		e.told = nil
	}
	slices.Sort(told)
	if n := len(slices.Compact(told)); n != len(addresses)-1 {
		t.Errorf("%d addresses were told, of %d", n, len(addresses)-1)
	}
}

// After a change of the space, new addresses and different values are sent, and Changed reports the
// differences.
func TestFeedMoves(t *testing.T) {
	was, now := boardOf(t, "/a", "/b", "/c"), boardOf(t, "/c", "/b", "/d", "/status!")
	f, view := still(was)
	var change Change
	all := subscribe(t, f, "all", Subscriber{All: true, Changed: func(c Change) { change = c }})
	some := subscribe(t, f, "some", Subscriber{})
	if err := f.Listen("some", "/d", true); err != nil {
		t.Fatal(err)
	}
	f.tick(time.Now())
	was.set("/c", 3)
	now.set("/c", 3) // changed since the last tick
	now.set("/b", 9)
	*view = now
	f.tick(time.Now())
	if a, s := all.has(), some.has(); a != "/c 3, /b 9, /d 0" || s != "/d 0" {
		t.Errorf("told %q, %q", a, s)
	}
	if got := fmt.Sprint(change); got != "{[/d /status] [/a] []}" {
		t.Errorf("%s", got)
	}
	now.set("/b", 1)
	f.tick(time.Now())
	if a := all.has(); a != "/b 1" {
		t.Errorf("told %q", a)
	}
}

// Subscriptions end with their time, their connection or Cancel; a renewal extends them. Their
// number is bounded.
func TestFeedEnds(t *testing.T) {
	b := boardOf(t, "/a")
	f, _ := still(b)
	now, gone := time.Now(), make(chan struct{})
	subscribe(t, f, "timed", Subscriber{All: true, Until: now.Add(Lasts)})
	subscribe(t, f, "connected", Subscriber{All: true, Gone: gone})
	subscribe(t, f, "cancels", Subscriber{All: true})
	if !f.tick(now.Add(Lasts-time.Second)) || len(f.subscribers) != 3 {
		t.Fatalf("%d are left", len(f.subscribers))
	}
	subscribe(t, f, "timed", Subscriber{All: true, Until: now.Add(2 * Lasts)})
	close(gone)
	if !f.Cancel("cancels") || f.Cancel("cancels") || !f.tick(now.Add(Lasts+time.Second)) || len(f.subscribers) != 1 {
		t.Fatalf("%d are left", len(f.subscribers))
	}
	if f.tick(now.Add(2*Lasts + time.Second)) {
		t.Error("it goes on for nobody")
	}
	for i := range Most {
		subscribe(t, f, i, Subscriber{})
	}
	if _, err := f.Subscribe("more", Subscriber{}); !errors.Is(err, errMost) {
		t.Errorf("one too many: %v", err)
	}
	subscribe(t, f, 0, Subscriber{}) // a renewal
}

// Other machines hold at most 48 of the 64 places, one machine 16, so programs of this machine find
// a place. A subscription that ends frees its place; a renewal takes none.
func TestFeedPlaces(t *testing.T) {
	f, _ := still(boardOf(t, "/a"))
	begin, gone := time.Now(), make(chan struct{})
	count := 0
	for i := range 100 {
		from := netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 4)})
		s := Subscriber{From: from, All: true, Send: (&ear{}).send}
		switch {
		case i%4 == 1:
			s.Gone = gone
		case i%4 == 2:
			s.Until = begin.Add(Lasts)
		}
		if _, err := f.Subscribe(i, s); err == nil {
			count++
		} else if !errors.Is(err, errMost) {
			t.Fatal(err)
		}
	}
	for i := range 16 {
		for range 2 {
			if n, err := f.Subscribe(fmt.Sprint("here ", i), Subscriber{Send: (&ear{}).send}); err != nil || n != count+i+1 {
				t.Fatalf("%d of this machine, after %d: %v", i, count, err)
			}
		}
	}
	if count != 48 {
		t.Errorf("of other machines there are %d", count)
	}
	close(gone)
	f.Cancel(0)
	f.tick(begin.Add(Lasts + time.Second))
	for machine, want := range map[int]bool{0: true, 1: true, 2: true, 9: true} {
		if _, err := f.Subscribe(fmt.Sprint("again ", machine), Subscriber{From: netip.AddrFrom4([4]byte{192, 0, 2, byte(machine)}), Send: (&ear{}).send}); (err == nil) != want {
			t.Errorf("machine %d, when many have ended: %v", machine, err)
		}
	}
}

// Events are sent at once, lines with the next tick. Lines above the limit are counted.
func TestFeedEventsAndLines(t *testing.T) {
	f, _ := still(boardOf(t, "/a"))
	if f.Line("nobody asked"); f.Lines() {
		t.Error("somebody wants lines")
	}
	<-f.lines
	events, coming := subscribe(t, f, 1, Subscriber{Events: true}), subscribe(t, f, 2, Subscriber{Lines: true})
	f.Event("/event/flipped", 0, 1)
	if e, l := events.has(), coming.has(); e != "/event/flipped 0 1" || l != "" || !f.Lines() {
		t.Errorf("%q, %q", e, l)
	}
	for i := range maxLines + 3 {
		f.Line(fmt.Sprint("line ", i))
	}
	f.tick(time.Now())
	if got := coming.told; len(got) != maxLines+1 || got[0] != "/dumpOSC.reply line 0" || got[maxLines] != "/dumpOSC.left 3" {
		t.Errorf("%q", got)
	}
	if e := events.has(); e != "" {
		t.Errorf("%q", e)
	}
}

// A subscriber of Replies gets lines about answers too, one of Lines only about received messages.
func TestFeedReplies(t *testing.T) {
	f, _ := still(boardOf(t, "/a"))
	lines := subscribe(t, f, 1, Subscriber{Lines: true})
	if !f.Lines() || f.Replies() {
		t.Errorf("lines %t, replies %t are wanted", f.Lines(), f.Replies())
	}
	both := subscribe(t, f, 2, Subscriber{Lines: true, Replies: true})
	if !f.Lines() || !f.Replies() {
		t.Errorf("lines %t, replies %t are wanted", f.Lines(), f.Replies())
	}
	f.Line("in")
	f.Reply("out")
	f.tick(time.Now())
	if l, b := lines.has(), both.has(); l != "/dumpOSC.reply in" || b != "/dumpOSC.reply in, /dumpOSC.reply out" {
		t.Errorf("%q, %q", l, b)
	}
	if f.Cancel(2); !f.Lines() || f.Replies() {
		t.Errorf("lines %t, replies %t are wanted", f.Lines(), f.Replies())
	}
}

// A feed with its goroutine sends changes while subscribers come and go, and ends.
func TestFeedRuns(t *testing.T) {
	b := boardOf(t, "/a", "/b")
	f := New(func() Values { return b })
	for round := range 3 {
		got := make(chan float32, 1)
		_, err := f.Subscribe("me", Subscriber{All: true, Send: func(_ string, args ...any) error {
			select {
			case got <- args[0].(float32):
			default:
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		b.set("/a", float64(round+1))
		if v := <-got; v != float32(round+1) {
			t.Errorf("round %d: told %v", round, v)
		}
		f.Cancel("me")
	}
	f.Close()
}
