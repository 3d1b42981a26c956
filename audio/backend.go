package audio

import (
	"errors"

	"github.com/music-chronus/chronus/shm/sys"
)

// Refused marks an error of a backend whose device is there and refuses what was asked of it, such as
// the rate. The backend "auto" then does not end at the clock that nobody hears.
func Refused(err error) error { return refused{err} }

type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

func isRefused(err error) bool {
	r := refused{}
	return errors.As(err, &r)
}

// Device is one that a backend can open.
type Device struct {
	ID       string `json:"id"` // what --device takes: "api/name"
	API      string `json:"api"`
	Name     string `json:"name"`
	Channels int    `json:"channels"` // outputs
	Rate     int    `json:"rate"`     // its default, Hz
	Default  bool   `json:"default"`
}

// Request asks for a device.
type Request struct {
	Device   string // as the backend names it; "": its default
	Rate     int    // Hz
	Channels int    // what the engine renders
	Period   int    // frames wanted at a time; 0: what the device likes
	Again    bool   // the device was open before, for the same stream of sound: a file goes on where it ends
	// ClientName is what the program is called in a sound server's graph; "": "chronus".
	ClientName string
	// Wiring has, for each port of the stream, the names of the ports that it is connected with
	// again. nil: the backend chooses. WiringOf is the Info.Path of the device that had this
	// wiring; another device ignores it. "": any.
	Wiring   [][]string
	WiringOf string
	// Heard refuses a device whose sound goes nowhere yet, such as a server without a playback port.
	Audible bool
	// Prepare is called, by a backend that knows before the device does so, when it will take so many
	// frames at a time. It returns when they are there, or after 200 ms. It is not for the callback.
	Prepare func(frames int)
	// Ready is asked, by a backend that has no clock of its own, whether frames can be taken now.
	Ready func(frames int) bool
}

// Info describes what was opened.
type Info struct {
	Backend  string
	API      string
	Device   string
	Rate     int
	Channels int
	Period   int    // frames; 0: not known before it calls
	Note     string // what the user should know: a client name that was taken, a period refused
}

// Path names the device among those of all backends: backend/API/device.
func (i Info) Path() string { return i.Backend + "/" + i.API + "/" + i.Device }

// Fill makes the next frames, interleaved for the Info's Channels. It fills all of out. A backend
// with a clock of its own calls it on a thread that has called RealTime.
type Fill func(out []float32)

// RealTime gives the calling thread real-time priority, unless it has that already. The thread must
// allocate nothing and must belong to the backend: a C thread, or a goroutine that is locked to its
// thread until the end.
func RealTime() { _ = sys.DeviceFIFO() } // a refusal is bearable: the engine has told the user

// Stream is an open device. Start and Stop come in pairs, Close once, from one goroutine.
type Stream interface {
	Info() Info
	// Start begins to call Fill.
	Start() error
	// Stop returns when Fill has returned for the last time.
	Stop() error
	// Close releases the device; a second call does nothing.
	Close() error
	// Xruns counts what the device missed: underruns and overruns, or periods skipped after a stall.
	Xruns() uint64
	// Err is what ended the stream by itself; nil while it is well.
	Err() error
}

// ProblemReporter is a Stream that can go on though something is wrong with what it does with the sound.
type ProblemReporter interface {
	// Trouble says what is wrong; "" if nothing is.
	Problem() string
}

// Wired is a Stream whose ports can be connected with others.
type Wired interface {
	// Wiring returns, for each port of the stream, the names of the ports that it is connected
	// with, those that are away and waited for included; nil: not decided yet. It never blocks,
	// and it keeps the last wiring when the server has ended. The slices must not be changed.
	Wiring() [][]string
}

// Warmer is a Backend that can do beforehand what takes long about Open.
type Warmer interface {
	// Warm makes ready for one Open. Devices that come or go meanwhile are Open's business.
	Warm() error
}

// Backend is a way to get sound out. Its Open makes a Stream that has not started.
type Backend interface {
	Name() string
	Devices() ([]Device, error)
	Open(Request, Fill) (Stream, error)
}
