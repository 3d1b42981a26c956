package audio

import (
	"errors"

	"github.com/music-chronus/chronus/shm/sys"
)

// Refused marks an error of a backend whose device exists but rejects the request, for example the
// rate. The backend "auto" then does not fall back to the null device.
func Refused(err error) error { return refused{err} }

type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

func isRefused(err error) bool {
	r := refused{}
	return errors.As(err, &r)
}

// Device is an output that a backend can open.
type Device struct {
	ID       string `json:"id"` // value of --device: "api/name"
	API      string `json:"api"`
	Name     string `json:"name"`
	Channels int    `json:"channels"` // output channels
	Rate     int    `json:"rate"`     // default rate, Hz
	Default  bool   `json:"default"`
}

// Request describes the device to open.
type Request struct {
	Device   string // the backend's name for it; "": the default device
	Rate     int    // Hz
	Channels int    // channels that the engine renders
	Period   int    // frames per call; 0: the device's own choice
	Again    bool   // the device was open before, for the same sound: append to a file
	// ClientName names the program in a sound server's graph; "": "chronus".
	ClientName string
	// Wiring lists, for each port of the stream, the names of the ports to connect it with;
	// nil: the backend chooses. Only the device whose Info.Path is WiringOf uses it; "": any
	// device.
	Wiring   [][]string
	WiringOf string
	// Audible rejects a device whose sound goes nowhere yet, such as a server without a
	// playback port.
	Audible bool
	// Prepare announces that the device will take this many frames at a time. A backend that
	// knows in advance calls it, outside of Fill. Prepare returns when the workers have
	// rendered them, or after 200 ms.
	Prepare func(frames int)
	// Ready reports whether frames can be taken now. A backend without a clock of its own calls
	// it.
	Ready func(frames int) bool
}

// Info describes an open device.
type Info struct {
	Backend  string
	API      string
	Device   string
	Rate     int
	Channels int
	Period   int    // frames; 0: unknown before the first call
	Note     string // for the user: a client name that was taken, a rejected period
}

// Path identifies the device among those of all backends: backend/API/device.
func (i Info) Path() string { return i.Backend + "/" + i.API + "/" + i.Device }

// Fill fills all of out with the next frames, interleaved for Info.Channels. A backend with a clock
// of its own calls it on a thread that has called RealTime.
type Fill func(out []float32)

// RealTime gives the calling thread real-time priority, unless it has one. The thread must belong
// to the backend and allocate nothing. It is a C thread, or a goroutine that stays locked to its
// thread.
func RealTime() { _ = sys.DeviceFIFO() } // the engine has told the user if this is refused

// Stream is an open device. One goroutine calls Start and Stop in pairs, and Close at the end.
type Stream interface {
	Info() Info
	// Start lets the device call Fill.
	Start() error
	// Stop returns after the last call of Fill.
	Stop() error
	// Close releases the device. A second call does nothing.
	Close() error
	// Xruns returns how many underruns, overruns or skipped periods there were.
	Xruns() uint64
	// Err returns what ended the stream, or nil while it works.
	Err() error
}

// ProblemReporter is a Stream that can go on although its sound is not heard or not written.
type ProblemReporter interface {
	// Problem describes what is wrong; "": nothing.
	Problem() string
}

// Wired is a Stream whose ports can be connected with others.
type Wired interface {
	// Wiring returns, for each port of the stream, the names of its peers. Peers that are
	// absent and waited for are included. nil means undecided. Wiring never blocks, and keeps
	// the last value after the server has ended. The caller must not change the slices.
	Wiring() [][]string
}

// Warmer is a Backend that can do the slow part of Open in advance.
type Warmer interface {
	// Warm prepares one Open. Devices may come or go in between.
	Warm() error
}

// Backend is a way to play sound. Open returns a Stream that has not started.
type Backend interface {
	Name() string
	Devices() ([]Device, error)
	Open(Request, Fill) (Stream, error)
}
