// Package wire defines what the engine exchanges with its processes over sockets: an [Order] to the
// audio process, a [Notice] back, and a [WorkerOrder] to a worker. Each is JSON in one packet, with
// the descriptors of segments beside it. The rest of the protocol is in shared memory: see package
// shm. This package is for Chronus itself and makes no compatibility promise.
package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/music-chronus/chronus/shm/sys"
)

// Order is one packet from the engine to the audio process. One field is set.
type Order struct {
	Open   *OpenOrder   `json:"open,omitempty"`
	Attach *AttachOrder `json:"attach,omitempty"` // with the descriptor of the slot segment
	Start  bool         `json:"start,omitempty"`  // play: the workers have rendered their lead
	Warm   string       `json:"warm,omitempty"`   // prepare this backend: it may be opened later
}

// Target is a device to play on.
type Target struct {
	Backend string `json:"backend"` // name of a backend, or "auto"
	Device  string `json:"device,omitempty"`
}

// String is the target as a user writes it: backend:device.
func (t Target) String() string {
	if t.Device == "" {
		return t.Backend
	}
	return t.Backend + ":" + t.Device
}

// OpenOrder asks for a device: Target, or the first of Others that can be opened.
type OpenOrder struct {
	Target
	Others   []Target `json:"others,omitempty"`
	Alone    bool     `json:"alone,omitempty"`   // only Target, without the fallback of "auto"
	OrNull   bool     `json:"or_null,omitempty"` // the null device, if no other can be opened
	Again    bool     `json:"again,omitempty"`   // the device was open before: append to a file
	Rate     int      `json:"rate"`              // Hz
	Channels int      `json:"channels"`
	Period   int      `json:"period,omitempty"` // frames; 0: the device's own
	Known    int      `json:"known,omitempty"`  // last measured period in frames, 0: measure it
	Wiring   *Wiring  `json:"wiring,omitempty"` // connections to restore; nil: unknown
	// ClientName names the program in a sound server's graph; "": chronus.
	ClientName string `json:"client_name,omitempty"`
}

// Wiring is how the ports of a device are connected in a sound server's graph.
type Wiring struct {
	Of    string     `json:"of"`    // the device: backend/API/device
	Ports [][]string `json:"ports"` // for each port of the device, the names of its peers
}

// Targets returns the devices to try, in order. last is the backend that needs no device.
func (o OpenOrder) Targets(last string) []Target {
	list := []Target{o.Target}
	if !o.Alone {
		list = append(list, o.Others...)
	}
	if o.OrNull {
		list = append(list, Target{Backend: last})
	}
	return list
}

// AttachOrder hands over the ring of a slot's new worker.
type AttachOrder struct {
	Slot       int    `json:"slot"`
	Generation uint64 `json:"generation"`
}

// Notice is one packet from the audio process to the engine. One field is set.
type Notice struct {
	Opened  *Opened  `json:"opened,omitempty"`
	Failed  string   `json:"failed,omitempty"`  // why the audio process ends
	Wiring  *Wiring  `json:"wiring,omitempty"`  // new connections of the device's ports
	Problem *string  `json:"problem,omitempty"` // of a device that plays on; "": solved
	Refused *Refused `json:"refused,omitempty"`
}

// Refused names a ring that the audio process rejected. The audio process goes on.
type Refused struct {
	AttachOrder        // as the engine announced it
	Reason      string `json:"reason"`
}

// Opened describes the device that plays.
type Opened struct {
	Backend    string `json:"backend"`
	API        string `json:"api,omitempty"`
	Device     string `json:"device"`
	Rate       int    `json:"rate"` // Hz
	Channels   int    `json:"channels"`
	Period     int    `json:"period"`                // frames
	OnFallback bool   `json:"on_fallback,omitempty"` // another device than the preferred one
	Note       string `json:"note,omitempty"`        // for the user: why it is a fallback, ...
	Path       string `json:"path,omitempty"`        // route to the sound card, and its reason
	Advice     string `json:"advice,omitempty"`      // a better route
	Library    string `json:"library,omitempty"`     // folder of PipeWire's JACK library, if used
	// Wiring is how the ports of the device are connected. A device without ports carries the
	// wiring of the device that it replaces.
	Wiring *Wiring `json:"wiring,omitempty"`
}

// Send sends one order or notice with descriptors. The caller keeps its descriptors.
func Send(s *sys.Socket, v any, fds ...int) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	if len(b) > sys.MaxPacket {
		return fmt.Errorf("%T of %d bytes; a packet holds %d", v, len(b), sys.MaxPacket)
	}
	return s.Send(b, fds...)
}

// packets are buffers to receive in. The audio process runs without a garbage collector, so each
// order must not leave a buffer behind.
var packets = sync.Pool{New: func() any { return new([sys.MaxPacket]byte) }}

// Receive waits for one order or notice. The caller owns the descriptors. An ended connection
// returns io.EOF.
func Receive[T any](s *sys.Socket) (v T, fds []int, err error) {
	packet := packets.Get().(*[sys.MaxPacket]byte)
	defer packets.Put(packet)
	buf := packet[:]
	n, fds, err := s.Receive(buf)
	if errors.Is(err, io.EOF) {
		return v, nil, io.EOF
	}
	if err == nil {
		err = json.Unmarshal(buf[:n], &v)
	}
	if err != nil {
		for _, fd := range fds {
			_ = sys.CloseFD(fd)
		}
		return v, nil, fmt.Errorf("packet of %d bytes: %w", n, err)
	}
	return v, fds, nil
}
