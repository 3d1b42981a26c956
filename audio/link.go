package audio

import (
	"errors"
	"io"
	"log/slog"

	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// received is an event of a connection to an engine: a packet with its descriptors, the connection
// itself, or its end.
type received struct {
	from         *sys.Socket
	order        wire.Order
	fds          []int
	connected    bool
	disconnected bool
}

// accept takes connections, and starts a receiving goroutine for each. It runs until the process
// ends.
func accept(l *sys.Listener, to chan<- received) {
	for {
		s, err := l.Accept()
		if err != nil {
			slog.Error("audio process accepts no more engines", "error", err)
			return
		}
		to <- received{from: s, connected: true}
		go receive(s, to)
	}
}

// receive passes on what an engine sends, until the connection ends.
func receive(s *sys.Socket, to chan<- received) {
	for {
		o, fds, err := wire.Receive[wire.Order](s)
		if errors.Is(err, io.EOF) {
			to <- received{from: s, disconnected: true}
			return
		}
		if err != nil {
			slog.Error("receive order from engine", "error", err)
			continue
		}
		to <- received{from: s, order: o, fds: fds}
	}
}

// link is the connection to the latest engine; nil: there is none, and the sound plays on.
type link struct{ *sys.Socket }

// admit reports whether r is an order of the present engine. A later engine replaces an earlier
// one.
func (l *link) admit(r received) bool {
	switch {
	case r.connected:
		if l.Socket != nil {
			l.Shutdown() // its receiver ends, and closes it
		}
		l.Socket = r.from
		return false
	case r.disconnected:
		if l.Socket == r.from {
			l.Socket = nil
		}
		_ = r.from.Close()
		return false
	}
	if l.Socket != r.from {
		sys.CloseAll(r.fds)
		return false
	}
	return true
}

// notify sends a notice to the engine. It returns false if there is no engine, or if sending fails.
func (l *link) notify(n wire.Notice) bool {
	return l.Socket != nil && wire.Send(l.Socket, n) == nil
}
