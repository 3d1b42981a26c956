package server

import "sync"

// handoff lets the goroutines of connections run handlers while Serve runs. While Serve does not
// run, they block, and unread packets wait in the connections.
type handoff struct {
	mu         sync.Mutex
	changed    sync.Cond // open, active, panicValue, closed; L is mu
	open       func() Handler
	session    uint64 // number of the current Serve
	active     int    // connections in a handler
	panicValue any    // of a handler in this session
	wake       func() // interrupts Serve after a panic
	closed     bool
}

// resume lets connections in, with handlers that open makes.
func (h *handoff) resume(open func() Handler, wake func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open, h.wake, h.panicValue = open, wake, nil
	h.session++
	h.changed.Broadcast()
}

// pause keeps connections out, and returns once no handler runs.
func (h *handoff) pause() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = nil
	for h.active > 0 {
		h.changed.Wait()
	}
}

func (h *handoff) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.changed.Broadcast()
}

// panicked returns the value of a handler's panic in this session, or nil.
func (h *handoff) panicked() any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.panicValue
}

// enter waits for a Serve. It returns false once the server is closed; else leave must follow.
func (h *handoff) enter() (open func() Handler, session uint64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for (h.open == nil || h.panicValue != nil) && !h.closed {
		h.changed.Wait()
	}
	if h.closed {
		return nil, 0, false
	}
	h.active++
	return h.open, h.session, true
}

// leave ends what enter began. panicValue is that of the handler's panic, or nil.
func (h *handoff) leave(panicValue any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.active--
	if panicValue != nil && h.panicValue == nil {
		h.panicValue = panicValue
		h.wake()
	}
	h.changed.Broadcast()
}

// handOver passes one packet of a connection to its handler. It returns false once the server is
// closed.
func (r *reader) handOver(packet []byte, from Peer, session *uint64) (ok bool) {
	h := &r.s.handoff
	open, current, ok := h.enter()
	if !ok {
		return false
	}
	defer func() { h.leave(recover()) }()
	if *session != current {
		r.handler, *session = open(), current // a handler that panicked may be inconsistent
	}
	r.packet(packet, from)
	r.handler.Flush()
	return true
}
