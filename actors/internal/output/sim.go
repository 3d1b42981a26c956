//go:build sim

package output

import (
	"time"

	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// Sim gives a simulation the place of the kernel: it starts and ends the audio process.
type Sim struct{ *Process }

// NoSpare makes the Process believe that a spare waits.
func (s Sim) NoSpare() { s.spare = process{running: true} }

// Generation returns the generation of the current process.
func (s Sim) Generation() uint64 { return s.current.gen }

// Connect replaces the current process by one of generation gen, at the other end of the socket.
func (s Sim) Connect(gen uint64, socket *sys.Socket) error {
	s.current = process{gen: gen, proc: sys.Process{FD: -1}, socket: socket, running: true}
	order := s.openOrder()
	return wire.Send(socket, wire.Order{Open: &order})
}

// Socket returns the connection to the current process.
func (s Sim) Socket() *sys.Socket { return s.current.socket }

// End ends the current process.
func (s Sim) End(now time.Time) { s.reapCurrent(now) }
