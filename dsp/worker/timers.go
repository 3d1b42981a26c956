package worker

import "time"

// Timer is a time after which a worker process acts by itself, whatever its engine does.
type Timer struct {
	Name  string
	After time.Duration
	Doc   string // what happens then
}

// Timers returns the timers of a worker process, for the documentation.
func Timers() []Timer {
	return []Timer{
		{"block", leastLimit, "the watchdog ends a worker that takes this much processor time for one block, or the length of four blocks if that is more"},
		{"run", runHard, "the kernel kills a worker with a real-time thread that runs without sleeping"},
		{"initial state", startTimeout, "a worker that has not been given its initial state ends"},
	}
}
