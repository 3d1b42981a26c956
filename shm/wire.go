package shm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/music-chronus/chronus/shm/sys"
)

// Order is what the engine sends to the audio process, one a packet.
type Order struct {
	Open   *OpenOrder   `json:"open,omitempty"`
	Attach *AttachOrder `json:"attach,omitempty"` // with the slot segment's descriptor
	Start  bool         `json:"start,omitempty"`  // blocks are there: begin to play
	Warm   string       `json:"warm,omitempty"`   // a backend to make ready for being opened later
}

// Target is a device to play on.
type Target struct {
	Backend string `json:"backend"` // a backend's name, or "auto"
	Device  string `json:"device,omitempty"`
}

// String is the target as a user writes it: backend:device.
func (t Target) String() string {
	if t.Device == "" {
		return t.Backend
	}
	return t.Backend + ":" + t.Device
}

// OpenOrder asks for a device: the preferred one, else the first of the others that can be opened.
type OpenOrder struct {
	Target
	Others   []Target `json:"others,omitempty"`
	Alone    bool     `json:"alone,omitempty"`   // none but the preferred one, not even what "auto" would take instead
	OrNull   bool     `json:"or_null,omitempty"` // if nothing else can be opened, the clock that needs no device
	Again    bool     `json:"again,omitempty"`   // it has been open before: a file goes on where it is
	Rate     int      `json:"rate"`
	Channels int      `json:"channels"`
	Period   int      `json:"period,omitempty"` // frames; 0: the device's own
	Known    int      `json:"known,omitempty"`  // the period that the device had a moment ago: it need not be found out
	Wiring   *Wiring  `json:"wiring,omitempty"` // how the device's ports were connected; nil: unknown
	// ClientName is how the program is called in a sound server; "": chronus.
	ClientName string `json:"client_name,omitempty"`
}

// Wiring is how the ports of a device are connected in a sound server's graph.
type Wiring struct {
	Of    string     `json:"of"`    // the device: backend/API/device
	Ports [][]string `json:"ports"` // for each of its ports, the names of those that it is connected with
}

// Targets lists the devices to try, in their order; last is the backend that needs no device.
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

// Notice is what the audio process sends to the engine, one a packet.
type Notice struct {
	Opened  *Opened  `json:"opened,omitempty"`
	Failed  string   `json:"failed,omitempty"`  // it cannot play, and ends
	Wiring  *Wiring  `json:"wiring,omitempty"`  // how the device's ports are connected from now on
	Problem *string  `json:"problem,omitempty"` // what is wrong with the device from now on, though it goes on; "": nothing any more
	Refused *Refused `json:"refused,omitempty"`
}

// Refused names a ring that the audio process does not play. The process itself goes on.
type Refused struct {
	AttachOrder        // as it was announced
	Reason      string `json:"reason"`
}

// Opened describes the device that plays.
type Opened struct {
	Backend    string `json:"backend"`
	API        string `json:"api,omitempty"`
	Device     string `json:"device"`
	Rate       int    `json:"rate"`
	Channels   int    `json:"channels"`
	Period     int    `json:"period"`                // frames
	OnFallback bool   `json:"on_fallback,omitempty"` // it is not the preferred one
	Note       string `json:"note,omitempty"`        // what the user should know: a fall-back, a refusal of real-time priority
	Path       string `json:"path,omitempty"`        // the way to the sound card, and why it was chosen
	Advice     string `json:"advice,omitempty"`      // what would be better
	Library    string `json:"library,omitempty"`     // folder of PipeWire's JACK library, if it serves JACK's place
	// Wiring is how the device's ports are connected. A device without ports has the wiring of the
	// one that it stands in for.
	Wiring *Wiring `json:"wiring,omitempty"`
}

// SendWire sends one order or notice, with descriptors.
func SendWire(s *sys.Socket, v any, fds ...int) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	if len(b) > sys.MaxPacket {
		return fmt.Errorf("%T of %d bytes; a packet holds %d", v, len(b), sys.MaxPacket)
	}
	return s.Send(b, fds...)
}

// packets are buffers to receive in. The audio process collects no garbage, and gets a packet for each new worker.
var packets = sync.Pool{New: func() any { return new([sys.MaxPacket]byte) }}

// ReceiveWire waits for one order or notice. The caller owns the descriptors. io.EOF: the peer is gone.
func ReceiveWire[T any](s *sys.Socket) (v T, fds []int, err error) {
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
