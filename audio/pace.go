package audio

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/music-chronus/chronus/shm/sys"
)

// Pacer calls Tick once a period in real time, for backends without a device clock. Its deadlines
// are absolute, so it does not drift. A pacer that is more than a period late skips what it missed
// and counts it as xruns, as a sound card does. Catching up would take the workers' whole lead at
// once.
type Pacer struct {
	Rate   int // Hz
	Period int // frames
	Tick   func()

	now   func() int64   // ns; nil: CLOCK_MONOTONIC
	sleep func(at int64) // sleeps until at

	xruns   atomic.Uint64
	quit    chan struct{}
	stopped sync.WaitGroup
}

// Start starts the thread that calls Tick.
func (p *Pacer) Start() {
	p.quit = make(chan struct{})
	if p.now == nil {
		p.now, p.sleep = monotonic, sleepUntil
	}
	p.stopped.Go(func() {
		runtime.LockOSThread() // never unlocked, so the thread ends with the goroutine
		sys.SetName("chronus-clock")
		RealTime()
		p.run()
	})
}

// Stop returns after the last Tick.
func (p *Pacer) Stop() {
	if p.quit == nil {
		return
	}
	close(p.quit)
	p.stopped.Wait()
	p.quit = nil
}

// Xruns returns the number of skipped periods.
func (p *Pacer) Xruns() uint64 { return p.xruns.Load() }

func (p *Pacer) run() {
	start, n := p.now(), int64(0)
	for {
		select {
		case <-p.quit:
			return
		default:
		}
		p.Tick()
		n++
		due := start + p.after(n)
		period := p.after(1)
		if late := p.now() - due; late > period {
			p.xruns.Add(uint64(late / period))
			start, n = p.now(), 0
			continue
		}
		p.sleep(due)
	}
}

// after returns the length of n periods in ns. It counts whole seconds apart: frames times 1e9
// overflows 64 bits after 53 hours at 48 kHz.
func (p *Pacer) after(n int64) int64 {
	frames, rate := n*int64(p.Period), int64(p.Rate)
	return frames/rate*int64(time.Second) + frames%rate*int64(time.Second)/rate
}

const clockMonotonic = 1 // CLOCK_MONOTONIC

func monotonic() int64 {
	var ts syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

// Pause sleeps in the kernel, not in Go's scheduler. A callback uses it to slow its device down.
func Pause(d time.Duration) { sleepUntil(monotonic() + int64(d)) }

// sleepUntil sleeps until an absolute time. The call is raw: if Go's scheduler knew of it, its
// monitor would poll every 20 us.
func sleepUntil(at int64) {
	const absolute = 1 // TIMER_ABSTIME
	ts := syscall.NsecToTimespec(at)
	for {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_CLOCK_NANOSLEEP, clockMonotonic, absolute,
			uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}
