package tape

import "io"

// Result is the comparison of a tape's blocks with the samples that were played.
type Result struct {
	Blocks  uint64 `json:"blocks"`  // that were compared
	Changed uint64 `json:"changed"` // blocks that differ in a bit
	First   uint64 `json:"first"`   // number of the first block
}

// Verify renders a tape to its end and counts the blocks that differ. A missing or duplicate block
// is an error. Verify calls progress, if not nil, with the number of each compared block.
func Verify(r io.Reader, o Options, progress func(n uint64)) (v Result, err error) {
	t, err := NewReader(r, o)
	if err != nil {
		return v, err
	}
	v.First = t.header.From
	return v, t.Compare(func(n uint64, _ []float32, same bool) {
		v.Blocks++
		if !same {
			v.Changed++
		}
		if progress != nil {
			progress(n)
		}
	})
}
