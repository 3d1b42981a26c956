package admission_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc/admission"
)

var (
	start = time.Unix(1_700_000_000, 0)
	here  = netip.MustParseAddr("127.0.0.1")
	local = netip.MustParseAddrPort("127.0.0.1:4000")
	far   = netip.MustParseAddrPort("192.0.2.7:4000")
)

// machine is the address of one of many other machines.
func machine(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// No second that begins with a passed event has more than the limit.
func TestLimiter(t *testing.T) {
	const most = 200
	l := admission.NewLimiter(most)
	for _, tt := range []struct {
		at      time.Duration
		tries   int
		passing int
	}{
		{0, 150, 150},
		{999 * time.Millisecond, 100, 50},
		{time.Second, 1000, most},
		{1999 * time.Millisecond, 1, 0},
		{time.Hour, most + 1, most},
	} {
		passed := 0
		for range tt.tries {
			if l.Pass(start.Add(tt.at)) {
				passed++
			}
		}
		if passed != tt.passing {
			t.Errorf("after %v: %d of %d passed, want %d", tt.at, passed, tt.tries, tt.passing)
		}
	}
}

// The throttle blocks an address after ten wrong tokens, right tokens included, until the next
// second.
func TestAuthThrottle(t *testing.T) {
	var throttle admission.AuthThrottle
	for i, tt := range []struct {
		from    netip.Addr
		right   bool
		after   time.Duration
		tries   int
		blocked int
	}{
		{machine(1), false, 0, 12, 2},
		{machine(1), true, 0, 1, 1},
		{machine(2), true, 0, 100, 0},
		{machine(2), false, 0, 10, 0},
		{machine(2), true, 999 * time.Millisecond, 1, 1},
		{machine(1), true, time.Second, 1, 0},
		{machine(1), false, time.Second, 30, 20},
		{machine(2), true, time.Second, 1, 0},
	} {
		blocked := 0
		for range tt.tries {
			if throttle.Blocked(tt.from, tt.right, start.Add(tt.after)) {
				blocked++
			}
		}
		if blocked != tt.blocked {
			t.Errorf("step %d: blocked %d of %d times, want %d", i, blocked, tt.tries, tt.blocked)
		}
	}
}

// All wrong tokens together are bounded, and with them the table.
func TestAuthThrottleOfAllAddresses(t *testing.T) {
	var throttle admission.AuthThrottle
	checked := 0
	for i := range 3 * admission.WrongTokensPerSecond {
		if !throttle.Blocked(machine(i), false, start) {
			checked++
		}
	}
	if checked != admission.WrongTokensPerSecond || throttle.Addresses() != checked || !throttle.Blocked(machine(1<<20), true, start) {
		t.Errorf("%d tokens were checked, of %d addresses", checked, throttle.Addresses())
	}
	if throttle.Blocked(machine(2), false, start.Add(time.Second)) || throttle.Addresses() != 1 {
		t.Errorf("a second later there are %d addresses", throttle.Addresses())
	}
}
