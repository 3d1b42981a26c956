package audio

import (
	"errors"
	"io"
	"log/slog"

	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// received is one packet from an engine, with its descriptors; or the news that an engine has connected, or is gone.
type received struct {
	from         *sys.Socket
	order        wire.Order
	fds          []int
	connected    bool // it has just connected
	disconnected bool
}

// accept takes connections, and receives from each on a goroutine of its own. It ends with the process.
func accept(l *sys.Listener, to chan<- received) {
	for {
		s, err := l.Accept()
		if err != nil {
			slog.Error("no engine can connect any more", "error", err)
			return
		}
		to <- received{from: s, connected: true}
		go receive(s, to)
	}
}

// receive passes on what an engine sends until it is gone.
func receive(s *sys.Socket, to chan<- received) {
	for {
		o, fds, err := wire.Receive[wire.Order](s)
		if errors.Is(err, io.EOF) {
			to <- received{from: s, disconnected: true}
			return
		}
		if err != nil {
			slog.Error("order from the engine", "error", err)
			continue
		}
		to <- received{from: s, order: o, fds: fds}
	}
}

// link is the connection to the engine that connected last; nil while there is none. The music plays on without.
type link struct{ *sys.Socket }

// admit tells whether r is an order of the present engine. A later engine takes the place of an
// earlier one.
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

// notify sends a notice to the engine, if there is one, and tells whether it was sent.
func (l *link) notify(n wire.Notice) bool {
	return l.Socket != nil && wire.Send(l.Socket, n) == nil
}
