package dsp

// Module is the processor of one node of a patch. One goroutine at a time uses it. Only the
// function New of its Desc may allocate, lock, log or make a system call. Its output may depend
// only on the calls since New, and not on how the frames of Render are cut into pieces.
type Module interface {
	// Set changes parameter p, an index into Desc.Params, from the next frame on. The value v is
	// finite and in the parameter's range. A change that would click is ramped, frame by frame.
	Set(p int, v float64)
	// Gate opens the gate if on is true and closes it otherwise, from the next frame on. Opening an
	// open gate triggers again. A module without a gate ignores the call.
	Gate(on bool)
	// Render computes the next frames, as many as each signal of out has. The signals in and out
	// are those of the ports of the Desc in order: one for a mono port, two for a stereo port, left
	// first. All have the same length, and no signal of out is one of in. An input without a cable
	// is silent.
	Render(in, out [][]float32)
	// Reset returns the module to the state after New, with the present values of the parameters in
	// force at once.
	Reset()
	// Save appends the complete state to e, including parameters and ramps.
	Save(e *Encoder)
	// Restore reads what Save wrote. Each later call has the result that it would have had on the
	// saved module. An invalid state is the error of d.
	Restore(d *Decoder)
}

// Desc describes a kind of module.
type Desc struct {
	Type           string // name in patches
	Doc            string // one sentence
	Source         string // publication of the method, "" for common knowledge
	Inputs         []Port // a cable without a port name ends at the first
	Outputs        []Port // a cable without a port name starts at the first; all port names differ
	Params         []Param
	Gated          bool // has a gate
	Sampled        bool // plays a sample that its node names; modules are Players
	GeneratesSound bool // has inputs, and makes sound while these are silent
	// New returns a module for a rate in Hz, with every parameter at its default.
	New func(rate float64) Module
}

// Port is an input or output of a module.
type Port struct {
	Name   string
	Unit   string // unit of the signal, "" for sound in [-1, 1]
	Doc    string
	Stereo bool // has two signals
}

// Stereo reports whether any port is stereo. A node of a kind without stereo ports has two modules
// if it receives a stereo signal, one for each channel.
func (d *Desc) Stereo() bool {
	return Signals(d.Inputs) > len(d.Inputs) || Signals(d.Outputs) > len(d.Outputs)
}

// Signals returns the number of signals of ports: two for a stereo port, one for any other.
func Signals(ports []Port) int {
	n := len(ports)
	for _, p := range ports {
		if p.Stereo {
			n++
		}
	}
	return n
}

// FindPort returns the index of the port with a name, and the index of its first signal. The port
// is -1 if there is none.
func FindPort(ports []Port, name string) (port, signal int) {
	for i, p := range ports {
		if p.Name == name {
			return i, signal
		}
		signal++
		if p.Stereo {
			signal++
		}
	}
	return -1, 0
}

// Index returns the index of the parameter with a name, -1 if there is none.
func (d *Desc) Index(name string) int {
	for i := range d.Params {
		if d.Params[i].Name == name {
			return i
		}
	}
	return -1
}
