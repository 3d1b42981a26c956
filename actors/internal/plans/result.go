package plans

import "sync"

// Result delivers the outcome of a patch change to its requester exactly once. If the change is
// left out while the requester waits, Return delivers that. If it is left out afterwards, Answer
// does, unless the change had failed already.
type Result struct {
	Answer func(error) // nil: a later outcome is dropped

	mu       sync.Mutex
	returned bool
	err      error // with which the change ended
}

// LeftOut records that workers crashed in the change.
func (r *Result) LeftOut(err error) {
	r.mu.Lock()
	first, returned := r.err == nil, r.returned
	if first {
		r.err = err
	}
	r.mu.Unlock()
	if first && returned && r.Answer != nil {
		r.Answer(err)
	}
}

// Return records the error with which the change ended, and returns the error for the requester.
func (r *Result) Return(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.returned = true
	if err != nil || r.err == nil {
		r.err = err
	}
	return r.err
}
