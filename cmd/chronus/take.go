package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"
)

// take is one tape of one engine process, compared and drawn while it is recorded.
type take struct {
	base    int64         // of a block's place in the whole session: base + its number
	next    atomic.Uint64 // the block after the last one compared; 0: none yet
	cut     atomic.Bool   // the engine process was killed: an end in mid-line is no error
	end     context.CancelFunc
	done    chan struct{}
	err     error // good when done is closed
	blocks  uint64
	changed []uint64
	unknown uint64 // blocks before it that no tape has
}

// changedMax bounds how many changed blocks are remembered one by one; all are counted.
const changedMax = 4096

// startTake begins a tape. from is the first block that counts: a tape begins up to a second before the present.
// adopted: the engine goes on where the one of the take before was.
func (r *chaosRun) startTake(ctx context.Context, from uint64, adopted bool) error {
	ctx, end := context.WithCancel(ctx)
	body, err := r.client.tape(ctx)
	if err != nil {
		end()
		return err
	}
	t := &take{end: end, done: make(chan struct{})}
	was := r.take
	r.take = t
	r.takes = append(r.takes, t)
	began := make(chan struct{})
	go func() {
		defer close(t.done)
		defer body.Close()
		reel, err := newReel(endless{body})
		if err == nil {
			first := reel.header.From
			switch {
			case was == nil:
				t.base = -int64(from)
			case adopted:
				t.base, from = was.base, was.next.Load()
				t.unknown = less(first, from)
			default:
				t.base, from = r.wave.end()-int64(first), first
			}
			close(began)
			err = reel.compare(func(n uint64, samples []float32, same bool) { r.hear(t, n, from, samples, same) })
		}
		if t.cut.Load() && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)) {
			err = nil
		}
		t.err = err
	}()
	select {
	case <-began:
		return nil
	case <-t.done:
		return fmt.Errorf("tape: %w", orEOF(t.err))
	case <-time.After(redundantWait):
		return errors.New("tape: no header")
	}
}

// hear takes one block of a take.
func (r *chaosRun) hear(t *take, n, from uint64, samples []float32, same bool) {
	if n >= from {
		r.wave.add(t.base+int64(n), samples)
	}
	t.blocks++
	if !same {
		r.changed.Add(1)
		if len(t.changed) < changedMax {
			t.changed = append(t.changed, n)
		}
	}
	t.next.Store(n + 1)
}

// endTake ends the tape once what was played before clock is compared, or it has ended of itself.
func (r *chaosRun) endTake(clock uint64) error {
	t := r.take
	over := time.Now().Add(replyWait)
	for t.next.Load() < clock && time.Now().Before(over) && !t.over() && !t.cut.Load() {
		time.Sleep(time.Millisecond)
	}
	late := t.next.Load() < clock && !t.over() && !t.cut.Load()
	if !t.cut.Load() {
		t.end()
	}
	<-t.done
	t.end()
	switch {
	case t.err != nil:
		return fmt.Errorf("tape: %w", t.err)
	case late:
		return fmt.Errorf("tape: only the blocks before %d were compared, of those before %d", t.next.Load(), clock)
	}
	return nil
}

// over tells whether the tape has ended of itself.
func (t *take) over() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// waveform is the outline of a sound of any length in bounded memory: the least and the greatest sample of so many
// blocks at a time, and of twice as many whenever there are too many.
type waveform struct {
	bins []bin
	span int64 // blocks of a bin
	last int64 // the block after the last one
}

type bin struct{ lo, hi float32 }

const maxBins = 1 << 13

// add takes in block n, counted from 0 and not less than any before.
func (w *waveform) add(n int64, samples []float32) {
	if n < 0 {
		return
	}
	w.span = max(1, w.span)
	for n/w.span >= maxBins {
		for i := range w.bins {
			if i%2 == 0 {
				w.bins[i/2] = w.bins[i]
			} else {
				w.bins[i/2].join(w.bins[i])
			}
		}
		w.bins = w.bins[:(len(w.bins)+1)/2]
		w.span *= 2
	}
	for int64(len(w.bins)) <= n/w.span {
		w.bins = append(w.bins, bin{})
	}
	var b bin
	for _, x := range samples {
		b.lo, b.hi = min(b.lo, x), max(b.hi, x)
	}
	w.bins[n/w.span].join(b)
	w.last = max(w.last, n+1)
}

func (b *bin) join(o bin) { b.lo, b.hi = min(b.lo, o.lo), max(b.hi, o.hi) }

// end is the block after the last one.
func (w *waveform) end() int64 { return w.last }
