// Package demo plays a phrase on an engine, and kills the active worker in the middle of some
// chords.
package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/audio/file"
	"github.com/music-chronus/chronus/dsp/samples"
)

// Patch is the preset that the phrase is played on.
const Patch = "keys/epiano"

// chord is one step of the phrase.
type chord struct {
	keys []int32
	kill bool // kill the active worker while it sounds
}

// phrase is a broken cadence in A minor over a bass.
var phrase = []chord{
	{[]int32{45, 64}, false}, {[]int32{60, 67}, true}, {[]int32{71}, false}, {[]int32{41, 69}, true},
	{[]int32{60, 64}, false}, {[]int32{67}, true}, {[]int32{48, 67}, false}, {[]int32{59, 64}, true},
	{[]int32{43, 62}, false}, {[]int32{59, 65}, true}, {[]int32{45, 60, 64, 71}, false},
}

const (
	chordTime = 320 * time.Millisecond // from chord to chord
	holdTime  = 220 * time.Millisecond // from the keys to their release
	killTime  = 60 * time.Millisecond  // from the keys to the kill
)

// Chords returns how many chords the phrase has, and in how many of them Play kills the active
// worker.
func Chords() (chords, kills int) {
	for _, c := range phrase {
		if c.kill {
			kills++
		}
	}
	return len(phrase), kills
}

// Play plays the phrase. send sends an OSC message to the engine; an error ends the phrase.
func Play(e *actors.Engine, send func(address string, args ...any) error) error {
	for _, c := range phrase {
		next := time.After(chordTime)
		for _, key := range c.keys {
			if err := send("/note/on", key, float32(0.8)); err != nil {
				return err
			}
		}
		off := time.After(holdTime)
		if c.kill {
			time.Sleep(killTime)
			if _, err := e.Kill(syscall.SIGKILL); err != nil {
				return err
			}
		}
		<-off
		if err := send("/note/off"); err != nil {
			return err
		}
		<-next
	}
	return nil
}

// Recording is a tape in memory.
type Recording struct {
	tape bytes.Buffer
	err  error
	end  context.CancelFunc
	done chan struct{}
}

// Record begins a tape of an engine of this process, and returns once the tape has begun or has
// failed.
func Record(ctx context.Context, e *actors.Engine) *Recording {
	r := &Recording{done: make(chan struct{})}
	ctx, r.end = context.WithCancel(ctx)
	began := make(chan struct{})
	go func() {
		defer close(r.done)
		r.err = e.Record(ctx, &r.tape, sync.OnceFunc(func() { close(began) }))
	}()
	select {
	case <-began:
	case <-r.done:
	}
	return r
}

// Stop ends the tape and returns it.
func (r *Recording) Stop() (*bytes.Buffer, error) {
	r.end()
	<-r.done
	return &r.tape, r.err
}

// Compare compares a sound file that began with block 0 with the uninterrupted render of a tape.
func Compare(path string, recorded io.Reader) (d tape.Difference, err error) {
	_, channels, got, err := file.Read(path)
	if err != nil {
		return d, err
	}
	t, err := tape.NewReader(recorded, tape.Options{Samples: samples.In(samples.DefaultDir())})
	if err != nil {
		return d, err
	}
	if from := t.Header().From; from != 0 {
		return d, fmt.Errorf("the tape begins at block %d, the recording at 0", from)
	}
	var want []float32
	if err := t.Compare(func(_ uint64, samples []float32, _ bool) { want = append(want, samples...) }); err != nil {
		return d, err
	}
	return tape.Diff(got, want, channels), nil
}
