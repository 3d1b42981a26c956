package midi

import (
	"fmt"
	"slices"
	"time"
)

// MaxRate is the most dense requests a second that an address gets; of pressure, that each note
// gets. A mixer's fader sends some hundreds.
const MaxRate = 100

// Request is one message for the engine.
type Request struct {
	Address string
	Args    []any
	Dense   bool // of several close together only the last counts
}

// lane identifies the requests of which only the last counts.
func (r *Request) lane() string {
	if len(r.Args) > 1 {
		return fmt.Sprint(r.Address, " ", r.Args[0])
	}
	return r.Address
}

// rateThinner delays dense requests until their lane may send again. Others pass.
type rateThinner struct {
	sent    map[string]time.Time
	waiting []held // oldest first, one a lane
}

type held struct {
	lane string
	Request
}

// submit sends a request now, or replaces the request that waits in its lane.
func (t *rateThinner) submit(r Request, now time.Time, send func(Request)) {
	lane := r.lane()
	if !r.Dense {
		// A waiting request would arrive after this one.
		t.waiting = slices.DeleteFunc(t.waiting, func(h held) bool { return h.lane == lane })
		send(r)
		return
	}
	for i := range t.waiting {
		if t.waiting[i].lane == lane {
			t.waiting[i].Request = r
			return
		}
	}
	if last, ok := t.sent[lane]; ok && now.Sub(last) < time.Second/MaxRate {
		t.waiting = append(t.waiting, held{lane, r})
		return
	}
	t.send(lane, r, now, send)
}

func (t *rateThinner) send(lane string, r Request, now time.Time, send func(Request)) {
	if t.sent == nil {
		t.sent = map[string]time.Time{}
	}
	t.sent[lane] = now
	send(r)
}

// sendDue sends the requests that have waited long enough.
func (t *rateThinner) sendDue(now time.Time, send func(Request)) {
	left := t.waiting[:0]
	for _, h := range t.waiting {
		if now.Sub(t.sent[h.lane]) < time.Second/MaxRate {
			left = append(left, h)
			continue
		}
		t.send(h.lane, h.Request, now, send)
	}
	t.waiting = left
}
