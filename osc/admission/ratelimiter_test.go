package admission_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc/admission"
)

func sourceOf(n int) netip.AddrPort { return netip.AddrPortFrom(machine(n), uint16(n)) }

// A source sends its burst at once, then its rate. Another machine is one source, whatever its
// port; each program of this machine is one.
func TestRates(t *testing.T) {
	for _, tt := range []struct {
		from        netip.AddrPort
		rate, burst int
		sharesPort  bool
	}{
		{local, admission.LocalRate, admission.LocalBurst, false},
		{far, admission.RemoteRate, admission.RemoteBurst, true},
	} {
		l, now, other := admission.NewRateLimiter(), start, netip.AddrPortFrom(tt.from.Addr(), 9)
		send := func() (sent int) {
			for {
				if ok, _, _ := l.Admit(tt.from, 0, now); !ok {
					return sent
				}
				l.Charge(tt.from, 1)
				sent++
			}
		}
		if n := send(); n != tt.burst {
			t.Errorf("%v: %d messages at once, want %d", tt.from, n, tt.burst)
		}
		if ok, _, _ := l.Admit(other, 0, now); ok == tt.sharesPort {
			t.Errorf("%v: another port is admitted: %t", tt.from, ok)
		}
		now = now.Add(100 * time.Millisecond)
		if n := send(); n < tt.rate/10-1 || n > tt.rate/10+1 {
			t.Errorf("%v: %d messages in 100 ms, want %d", tt.from, n, tt.rate/10)
		}
		now = now.Add(time.Hour)
		if n := send(); n != tt.burst {
			t.Errorf("%v: %d messages after an hour, want %d", tt.from, n, tt.burst)
		}
	}
}

// A packet costs its messages, or its bytes in units of 128 if those are more.
func TestCost(t *testing.T) {
	for _, tt := range []struct {
		messages, bytes int
		want            float64
	}{{1, 20, 1}, {1, 128, 1}, {1, 256, 2}, {1000, 8000, 1000}, {0, 64, 0.5}, {0, 0, 0}} {
		if got := admission.Cost(tt.messages, tt.bytes); got != tt.want {
			t.Errorf("%d messages in %d bytes cost %g, want %g", tt.messages, tt.bytes, got, tt.want)
		}
	}
}

// A source that is not admitted is admitted after the wait it is told; the notice comes once a
// second.
func TestWait(t *testing.T) {
	l, now := admission.NewRateLimiter(), start
	l.Admit(far, 0, now)
	l.Charge(far, admission.RemoteBurst)
	ok, wait, notify := l.Admit(far, 0, now)
	if ok || wait <= 0 || wait > 10*time.Millisecond || !notify {
		t.Fatalf("%t, %v, %t", ok, wait, notify)
	}
	if ok, _, _ := l.Admit(far, 0, now.Add(wait)); !ok {
		t.Error("not admitted after the wait")
	}
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{999 * time.Millisecond, false}, {time.Second, true}, {time.Second, false}, {2 * time.Second, true}} {
		l.Charge(far, 10*admission.RemoteRate)
		if ok, _, notify := l.Admit(far, 0, now.Add(tt.after)); ok || notify != tt.want {
			t.Errorf("after %v: admitted %t, notified %t", tt.after, ok, notify)
		}
	}
}

// The tables are bounded. Idle sources make room; sources that find none share one entry.
func TestSourcesAreBounded(t *testing.T) {
	l := admission.NewRateLimiter()
	for i := range 3 * admission.MaxSources {
		l.Admit(sourceOf(i), 100, start)
		l.Charge(sourceOf(i), 1)
	}
	if n := l.RemoteSources(); n != admission.MaxSources {
		t.Errorf("%d sources", n)
	}
	later := start.Add(admission.SourceTimeout + time.Second)
	l.Admit(sourceOf(1), 100, later)
	if ok, _, _ := l.Admit(sourceOf(5000), 100, later); !ok || !l.Knows(sourceOf(5000)) || l.Knows(sourceOf(2)) {
		t.Error("no idle source made room")
	}
}

// However many machines flood, a program of this machine keeps its entry and its burst.
func TestRemoteFloodTakesNoLocalEntry(t *testing.T) {
	l := admission.NewRateLimiter()
	for i := range admission.MaxSources + 10 {
		l.Admit(sourceOf(i), 100, start)
		l.Charge(sourceOf(i), admission.RemoteBurst)
	}
	for i := range admission.LocalBurst {
		if ok, _, _ := l.Admit(local, 100, start); !ok {
			t.Fatalf("dropped after %d messages of %d", i, admission.LocalBurst)
		}
		l.Charge(local, 1)
	}
}

// Three bytes may go to another machine for each byte from it, up to 16 KiB, until it has shown the
// token; trust is bound to the port and ends after ten minutes.
func TestRoom(t *testing.T) {
	l := admission.NewRateLimiter()
	other := netip.AddrPortFrom(far.Addr(), 1)
	l.Admit(far, 100, start)
	for _, tt := range []struct {
		to    netip.AddrPort
		bytes int
		want  bool
		left  int
	}{{far, 200, true, 100}, {other, 101, false, 100}, {other, 100, true, 0}, {far, 1, false, 0}} {
		if got := l.Spend(tt.to, tt.bytes, start); got != tt.want || l.Room(tt.to, start) != tt.left {
			t.Errorf("%d bytes to %v: %t, %d are left", tt.bytes, tt.to, got, l.Room(tt.to, start))
		}
	}
	l.Admit(far, 1<<20, start)
	if n := l.Room(far, start); n != 16<<10 {
		t.Errorf("%d bytes are saved up", n)
	}
	if !l.Spend(local, 1<<30, start) || !l.Trusted(local, start) {
		t.Error("this machine is not trusted")
	}
	l.Trust(far, start)
	for _, tt := range []struct {
		from  netip.AddrPort
		after time.Duration
		want  bool
	}{{far, 0, true}, {other, 0, false}, {far, admission.TrustTime - time.Second, true}, {far, admission.TrustTime, false}} {
		now := start.Add(tt.after)
		if got := l.Trusted(tt.from, now); got != tt.want || got && (!l.Spend(tt.from, 1<<20, now) || l.Room(tt.from, now) < 1<<20) {
			t.Errorf("%v after %v: trusted %t", tt.from, tt.after, got)
		}
	}
}

func TestRateLimiterNoAllocs(t *testing.T) {
	l := admission.NewRateLimiter()
	if n := testing.AllocsPerRun(100, func() {
		l.Admit(local, 32, start)
		l.Charge(local, 1)
		l.Spend(far, 1, start)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
