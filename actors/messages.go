package actors

import (
	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/replica"
)

// The messages between the engine's actors. All are values.
type (
	// workerEnded tells the proxy of a slot that its worker was reaped.
	workerEnded struct{ replica.Exit }
	// audioEnded tells AudioProxy that the audio process was reaped.
	audioEnded struct{ output.Exit }
	// statusRequest asks Monitor for the state.
	statusRequest struct {
		answer func(Status)
		done   func() // called after answer, even if that panics; nil: not needed
	}
	// later is a function for Monitor to call between two statuses, or for Editor to call after the
	// patch commands that came before.
	later struct{ do func() }
	// happened passes an event to Monitor.
	happened struct{ event Event }
	// fail makes any actor panic, in tests.
	fail struct{ reason string }
)
