package sys

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The futex operations of futex(2); without FUTEX_PRIVATE_FLAG, since the words
// lie in memory that several processes map.
const (
	futexWait = 0
	futexWake = 1
)

// FutexWait sleeps while *word == val, for at most timeout. It may return early
// for no reason: the caller tests its condition again. It allocates nothing.
//
// The call is raw: Go's scheduler is not told. Told 750 times a second, it would keep its monitor
// thread polling every 20 us, a tenth of a core for each process. The price is that a
// garbage collection would wait for the sleeper, so it is for processes that collect none.
func FutexWait(word *atomic.Uint32, val uint32, timeout time.Duration) {
	ts := unix.NsecToTimespec(int64(timeout))
	// SAFETY: word points into a mapping or the heap, and stays there for the call.
	_, _, _ = syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait,
		uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// FutexSleep is FutexWait for a goroutine that may sleep long: Go's scheduler is told.
func FutexSleep(word *atomic.Uint32, val uint32, timeout time.Duration) {
	ts := unix.NsecToTimespec(int64(timeout))
	// SAFETY: as in FutexWait.
	_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait,
		uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// FutexWake wakes all that wait on word. It does not block and allocates nothing.
func FutexWake(word *atomic.Uint32) {
	const all = 1<<31 - 1
	// SAFETY: as in FutexWait; the raw call is right since it cannot block.
	_, _, _ = syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, all, 0, 0, 0)
}

// futexWaitv mirrors struct futex_waitv.
type futexWaitv struct {
	val, addr uint64
	flags, _  uint32
}

// MaxFutexWords is how many words FutexWaitAny takes.
const MaxFutexWords = 16

// FutexWaitAny sleeps until one of the words is no longer 1 or is woken, or until timeout. It returns at once
// if one is not 1 already, and false where the kernel is older than 5.16 and cannot (futex_waitv(2)). Unlike
// FutexWait it tells Go's scheduler: a process may have one goroutine that sleeps behind its back, not two, since one of
// them could lie in the queue of the place that the other keeps, for as long as that sleeps.
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

// HoldLivenessWord sets word to 1 and has the kernel clear it, and wake who waits on it, when the
// calling thread ends (set_tid_address(2)). A process that is killed loses its threads well before its memory
// is torn down, which its pidfd waits for: the word tells a death several times sooner. But if it is the
// last of the threads to end, the word stays: give it the highest priority of them, and wait for the pidfd too. Lock
// the goroutine to its thread first, and never let it end.
func HoldLivenessWord(word *atomic.Uint32) {
	word.Store(1)
	// SAFETY: the kernel writes to word once, at the thread's end; a mapping that is gone by then is no error to it.
	_, _, _ = syscall.RawSyscall(unix.SYS_SET_TID_ADDRESS, uintptr(unsafe.Pointer(word)), 0, 0)
}

// SetName names the calling thread for ps and top, at most 15 bytes: prctl(2), PR_SET_NAME.
func SetName(name string) {
	if b, err := unix.ByteSliceFromString(name); err == nil {
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
	}
}
