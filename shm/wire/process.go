package wire

// WorkerSocket is the descriptor of a worker process's socket to the engine. The engine may start
// the process before a slot is free. It then sends one packet: a WorkerOrder, and the descriptors
// in the order below.
const WorkerSocket = 3

// The order of the descriptors that come with a WorkerOrder.
const (
	WorkerEngine = iota
	WorkerJournal
	WorkerSlot
	WorkerSnapshot
	WorkerPlans
	WorkerInitialState
	WorkerCheckpoint // held, never mapped: the next engine takes it from this process
	WorkerFDs        // their number
)

// WorkerOrder gives a worker process its slot.
type WorkerOrder struct {
	Slot    int    `json:"slot"`
	Samples string `json:"samples,omitempty"` // folder of the sample files that plans name
}

// The descriptors of an audio process at its start. Engines connect to its listener, send orders
// and hand over the workers' rings.
const (
	AudioEngine = 3 + iota
	AudioJournal
	AudioListener
	AudioCheckpoint // held, never mapped: the next engine takes it from this process
	AudioPlans      // likewise
)
