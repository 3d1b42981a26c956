package main

// difference is how a recording differs from what it should be, in frames.
type difference struct {
	Compared int `json:"compared"` // frames of the recording that were looked at
	Lost     int `json:"lost"`     // frames that are not there
	Doubled  int `json:"doubled"`  // frames that are there and should not be
	Changed  int `json:"changed"`  // frames with another sample
	First    int `json:"first"`    // the first frame that differs; -1: none
}

// ok tells whether nothing differs.
func (d difference) ok() bool { return d.Lost == 0 && d.Doubled == 0 && d.Changed == 0 }

// How far and by how many equal frames a comparison finds its way back after a difference.
const (
	resyncReach = 16384
	resyncMatch = 64
)

// compare compares got with want, both interleaved, from their first frames to the end of the shorter.
func compare(got, want []float32, channels int) (d difference) {
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

// resync finds the fewest frames to leave out of either side so that the next ones are equal; 0, 0 if
// leaving none out will do, or nothing does.
func resync(g frames, i int, w frames, j int) (lost, doubled int) {
	for n := 1; n < resyncReach; n++ {
		switch {
		case g.match(i+n, w, j+n):
			return 0, 0 // a few changed frames, then it goes on
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
	s []float32
	c int
}

func (f frames) len() int { return len(f.s) / f.c }

func (f frames) equal(i int, o frames, j int) bool {
	for k := range f.c {
		if f.s[i*f.c+k] != o.s[j*f.c+k] {
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
