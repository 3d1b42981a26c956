package server

import "sync"

// hatch is where connections hand their packets to who serves. It is open while Serve runs; while it is shut, they wait.
type hatch struct {
	mu      sync.Mutex
	changed sync.Cond // of open, inside, closed; L is mu
	open    func() Handler
	turn    uint64 // counts the times it was opened
	inside  int    // connections that are handing over
	fell    any    // what a handler panicked with
	wake    func() // tells Serve of that
	closed  bool
}

func (h *hatch) opens(open func() Handler, wake func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open, h.wake, h.fell = open, wake, nil
	h.turn++
	h.changed.Broadcast()
}

// shuts returns once nobody is inside.
func (h *hatch) shuts() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = nil
	for h.inside > 0 {
		h.changed.Wait()
	}
}

func (h *hatch) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.changed.Broadcast()
}

// fallen is what a connection's handler has panicked with since the hatch was opened.
func (h *hatch) fallen() any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fell
}

// enter waits until somebody serves. It is false once nobody ever will. leave must follow.
func (h *hatch) enter() (open func() Handler, turn uint64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for (h.open == nil || h.fell != nil) && !h.closed {
		h.changed.Wait()
	}
	if h.closed {
		return nil, 0, false
	}
	h.inside++
	return h.open, h.turn, true
}

// leave ends what enter began; fell is what the handler panicked with, nil mostly.
func (h *hatch) leave(fell any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inside--
	if fell != nil && h.fell == nil {
		h.fell = fell
		h.wake()
	}
	h.changed.Broadcast()
}

// handOver gives one packet of a connection to its handler. It is false once the server is closed.
func (r *reader) handOver(packet []byte, from Peer, turn *uint64) (ok bool) {
	h := &r.s.hatch
	open, now, ok := h.enter()
	if !ok {
		return false
	}
	defer func() { h.leave(recover()) }()
	if *turn != now {
		r.handler, *turn = open(), now // those of an earlier Serve may be in the middle of something
	}
	r.packet(packet, from)
	r.handler.Flush()
	return true
}
