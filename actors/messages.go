package actors

// The messages between the engine's actors. All are values.
type (
	// died: the watcher has buried a process. To the proxy of the slot, or to AudioProxy.
	died struct{ corpse }
	// retry says that the back-off before a start is over. A proxy sends it to itself.
	retry struct{ gen uint64 }
	// statusRequest asks Monitor for the state.
	statusRequest struct {
		answer func(Status)
		done   func() // called after answer, even if that panics; nil: not needed
	}
	// later is a function for Monitor to call between two statuses, or for Editor to call after the
	// patch commands that came before.
	later struct{ do func() }
	// happened hands Monitor an event.
	happened struct{ event Event }
	// fail makes any actor panic, in tests.
	fail struct{ reason string }
)
