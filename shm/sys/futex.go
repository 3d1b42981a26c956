package sys

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The operations of futex(2), without FUTEX_PRIVATE_FLAG: several processes map the words.
const (
	futexWait = 0
	futexWake = 1
)

// FutexWait sleeps while *word == val, for at most timeout. It may return early, so the caller
// tests its condition again. It allocates nothing.
//
// The call is raw: Go's scheduler does not learn of it. A call that tells the scheduler 750 times a
// second keeps Go's monitor thread polling every 20 us, which costs a tenth of a core per process.
// The price of the raw call is that a garbage collection waits for the sleeper, so only processes
// with the collector off may use it.
func FutexWait(word *atomic.Uint32, val uint32, timeout time.Duration) {
	ts := unix.NsecToTimespec(int64(timeout))
	// SAFETY: word points into a mapping or the heap, and stays there for the call.
	_, _, _ = syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait,
		uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// FutexSleep is FutexWait for a goroutine that may sleep for long. It tells Go's scheduler.
func FutexSleep(word *atomic.Uint32, val uint32, timeout time.Duration) {
	ts := unix.NsecToTimespec(int64(timeout))
	// SAFETY: as in FutexWait.
	_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait,
		uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// FutexWake wakes all waiters of word. It does not block and allocates nothing.
func FutexWake(word *atomic.Uint32) {
	const all = 1<<31 - 1
	// SAFETY: as in FutexWait. The call may be raw because it cannot block.
	_, _, _ = syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, all, 0, 0, 0)
}

// futexWaitv mirrors struct futex_waitv.
type futexWaitv struct {
	val, addr uint64
	flags, _  uint32
}

// MaxFutexWords is the most words that FutexWaitAny takes.
const MaxFutexWords = 16

// FutexWaitAny sleeps while all words are 1, until one is woken or timeout has passed. It returns
// false if the kernel is older than 5.16 and lacks futex_waitv(2).
//
// FutexWaitAny tells Go's scheduler, unlike FutexWait. A process may have one goroutine that sleeps
// in a raw call, not two: the second one could be queued on the scheduler's processor of the first,
// which stays blocked for the whole sleep.
func FutexWaitAny(words []*atomic.Uint32, timeout time.Duration) bool {
	var ws [MaxFutexWords]futexWaitv
	const size32 = 2 // FUTEX2_SIZE_U32, shared
	n := min(len(words), MaxFutexWords)
	for i, w := range words[:n] {
		ws[i] = futexWaitv{val: 1, addr: uint64(uintptr(unsafe.Pointer(w))), flags: size32}
	}
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	ts := unix.NsecToTimespec(now.Nano() + int64(timeout))
	_, _, errno := syscall.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&ws[0])), uintptr(n), 0,
		uintptr(unsafe.Pointer(&ts)), unix.CLOCK_MONOTONIC, 0)
	return errno != syscall.ENOSYS
}

// HoldLivenessWord sets word to 1. When the calling thread ends, the kernel clears word and wakes
// its waiters (set_tid_address(2)). A killed process loses its threads well before its memory is
// torn down, and its pidfd reports only that. So the word tells of a death several times sooner.
//
// If the thread is the last of its process to end, word stays 1. Therefore give it the highest
// priority of all threads, and wait for the pidfd too. The caller locks the goroutine to its
// thread, and never lets it end.
func HoldLivenessWord(word *atomic.Uint32) {
	word.Store(1)
	// SAFETY: the kernel writes word once, at the thread's end. It ignores an address that is
	// no longer mapped.
	_, _, _ = syscall.RawSyscall(unix.SYS_SET_TID_ADDRESS, uintptr(unsafe.Pointer(word)), 0, 0)
}

// SetName names the calling thread for ps and top, in at most 15 bytes: prctl(2), PR_SET_NAME.
func SetName(name string) {
	if b, err := unix.ByteSliceFromString(name); err == nil {
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
	}
}
