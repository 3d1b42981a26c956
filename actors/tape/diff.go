package tape

// Difference counts how a recording differs from the sound that it should have, in frames.
type Difference struct {
	Compared int `json:"compared"` // frames of the recording that were compared
	Lost     int `json:"lost"`     // frames that the recording lacks
	Doubled  int `json:"doubled"`  // frames that the recording has in excess
	Changed  int `json:"changed"`  // frames with another sample
	First    int `json:"first"`    // first frame that differs; -1: none
}

// Equal reports whether nothing differs.
func (d Difference) Equal() bool { return d.Lost == 0 && d.Doubled == 0 && d.Changed == 0 }

// After a difference, Diff looks for resyncMatch equal frames, up to resyncReach frames further on.
const (
	resyncReach = 16384
	resyncMatch = 64
)

// Diff compares a recording with the sound that it should have, both interleaved, from their first
// frames to the end of the shorter.
func Diff(got, want []float32, channels int) (d Difference) {
	d.First = -1
	g, w := frames{got, channels}, frames{want, channels}
	i, j := 0, 0
	for i < g.len() && j < w.len() {
		if g.equal(i, w, j) {
			i, j, d.Compared = i+1, j+1, d.Compared+1
			continue
		}
		if d.First < 0 {
			d.First = i
		}
		lost, doubled := resync(g, i, w, j)
		switch {
		case lost > 0:
			d.Lost += lost
			j += lost
		case doubled > 0:
			d.Doubled += doubled
			i += doubled
		default:
			d.Changed++
			i, j, d.Compared = i+1, j+1, d.Compared+1
		}
	}
	return d
}

// resync finds the fewest frames to leave out of either side so that the next ones are equal. It
// returns 0, 0 if the frames differ in place, or if nothing within reach is equal.
func resync(g frames, i int, w frames, j int) (lost, doubled int) {
	for n := 1; n < resyncReach; n++ {
		switch {
		case g.match(i+n, w, j+n):
			return 0, 0
		case g.match(i, w, j+n):
			return n, 0
		case g.match(i+n, w, j):
			return 0, n
		}
	}
	return 0, 0
}

// frames is interleaved sound by frame.
type frames struct {
	samples  []float32
	channels int
}

func (f frames) len() int { return len(f.samples) / f.channels }

func (f frames) equal(i int, o frames, j int) bool {
	for k := range f.channels {
		if f.samples[i*f.channels+k] != o.samples[j*f.channels+k] {
			return false
		}
	}
	return true
}

func (f frames) match(i int, o frames, j int) bool {
	if i+resyncMatch > f.len() || j+resyncMatch > o.len() {
		return false
	}
	for k := range resyncMatch {
		if !f.equal(i+k, o, j+k) {
			return false
		}
	}
	return true
}
