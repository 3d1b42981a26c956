package dsp

// Module is one node's processor. It is used by one goroutine at a time. No method but a
// Desc's New may allocate, lock, log or make a system call; the results may depend on nothing but
// the calls since New, and not on how Render's frames were cut into pieces.
type Module interface {
	// Set changes parameter p, an index into Desc.Params, from the next frame on. v is in the
	// parameter's range and finite. What would click is ramped, frame by frame.
	Set(p int, v float64)
	// Gate opens (on) or closes the gate from the next frame on. Opening an open gate triggers again.
	// Modules without a gate do nothing.
	Gate(on bool)
	// Render makes the next frames: as many as each signal of out is long. in and out hold the signals of the Desc's ports
	// in order, two for a stereo port, left first; all are of one length, and none of out is one of in. Where no cable
	// ends, in holds silence.
	Render(in, out [][]float32)
	// Reset makes the module as New made it, with the parameters' present values in force at once.
	Reset()
	// Save puts the complete state, parameters and ramps included, into e.
	Save(e *Encoder)
	// Restore takes it out again. After it every call gives what it would have given on the
	// module that was saved. What is wrong with the state is d's error.
	Restore(d *Decoder)
}

// Desc describes a kind of module.
type Desc struct {
	Type           string // as a patch names it
	Doc            string // one sentence
	Source         string // of the method: a paper, a cookbook; "" for what is common knowledge
	Inputs         []Port // a cable that names no port ends at the first
	Outputs        []Port // and begins at the first; the names of inputs and outputs are all different
	Params         []Param
	Gated          bool // it has a gate
	Sampled        bool // it plays a sample that its node names: its modules are Players
	GeneratesSound bool // it has inputs, and makes sound without hearing any
	// New makes one for a rate in Hz, with every parameter at its default.
	New func(rate float64) Module
}

// Port is where a signal goes in or out.
type Port struct {
	Name   string
	Unit   string // of the signal; "" for sound in [-1, 1]
	Doc    string
	Stereo bool // two signals. A module without stereo ports that hears one is there twice, a channel each
}

// Stereo tells whether any port is.
func (d *Desc) Stereo() bool {
	return Signals(d.Inputs) > len(d.Inputs) || Signals(d.Outputs) > len(d.Outputs)
}

// Signals is how many signals ports have together.
func Signals(ports []Port) int {
	n := len(ports)
	for _, p := range ports {
		if p.Stereo {
			n++
		}
	}
	return n
}

// FindPort is the index of the port called name, and that of its first signal; port is -1 if there is none.
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

// Index of the parameter called name, -1 if there is none.
func (d *Desc) Index(name string) int {
	for i := range d.Params {
		if d.Params[i].Name == name {
			return i
		}
	}
	return -1
}
