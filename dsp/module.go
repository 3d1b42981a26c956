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
	// Render makes len(out) frames. in holds one signal for each input of the Desc, as long as out;
	// out may not be one of them.
	Render(in [][]float32, out []float32)
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
	Type   string // as a patch names it
	Doc    string // one sentence
	Inputs []Port
	Output Port
	Params []Param
	Gated  bool // it has a gate
	// New makes one for a rate in Hz, with every parameter at its default.
	New func(rate float64) Module
}

// Port is where a signal goes in or out.
type Port struct {
	Name string
	Unit string // of the signal; "" for sound in [-1, 1]
	Doc  string
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
