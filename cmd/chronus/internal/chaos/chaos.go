// Package chaos injects faults into a running engine, one at a time, and proves from a tape what
// they did to the sound. The package sees the engine from outside: by its status, its tape and its
// OSC address. The package signals only processes that the status names, through descriptors that
// it opened while the status named them, so that a later process of the same number is never hit.
package chaos

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/dsp/samples"
)

// Engine is the running engine as chaos sees it. A *control.Client implements it.
type Engine interface {
	// Status returns the engine's status.
	Status(ctx context.Context) (actors.Status, error)
	// Kill has the engine send a signal to its active worker: kill, term, segv or stop.
	Kill(ctx context.Context, signal string) (report.Killed, error)
	// Redundant waits until every worker is ready.
	Redundant(ctx context.Context) error
	// Tape streams what the engine plays from now on, until ctx ends.
	Tape(ctx context.Context) (io.ReadCloser, error)
}

// openTape reads the header of a tape. Samples of its patches are in the user's store.
func openTape(r io.Reader) (*tape.Reader, error) {
	return tape.NewReader(r, tape.Options{Samples: samples.In(samples.DefaultDir())})
}

// Waits for an engine.
const (
	redundantWait = 30 * time.Second // until it is fully redundant again
	replyWait     = 3 * time.Second  // for a status, or the end of a tape
	askWait       = replyWait / 10   // for an answer to one OSC message
)

// AwaitRedundant waits until every worker is ready, for 30 s at most, and returns the status after
// that.
func AwaitRedundant(ctx context.Context, e Engine) (actors.Status, error) {
	if err := awaitWorkers(ctx, e); err != nil {
		return actors.Status{}, err
	}
	return e.Status(ctx)
}

// awaitWorkers waits until every worker is ready, for redundantWait at most.
func awaitWorkers(ctx context.Context, e Engine) error {
	limited, cancel := context.WithTimeout(ctx, redundantWait)
	defer cancel()
	if err := e.Redundant(limited); err != nil {
		return fmt.Errorf("not every worker is ready again within %v: %w", redundantWait, err)
	}
	return nil
}

// Quantiles summarize a set of measurements.
type Quantiles struct {
	Count  int     `json:"count"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// QuantilesOf returns the quantiles of v, which it sorts.
func QuantilesOf(v []float64) (q Quantiles) {
	if len(v) == 0 {
		return q
	}
	slices.Sort(v)
	at := func(p float64) float64 { return v[min(len(v)-1, int(p*float64(len(v))))] }
	return Quantiles{len(v), at(0.5), at(0.99), v[len(v)-1]}
}

// less returns by how much b is less than a, or 0.
func less(a, b uint64) uint64 { return a - min(a, b) }
