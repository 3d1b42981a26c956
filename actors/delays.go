package actors

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// delayBuckets is how many buckets there are; the last has all from half a minute on.
const delayBuckets = 26

// delays counts packets by how long it took from when they came until their commands were committed: bucket i has those
// of less than 2^i microseconds that are in no bucket before.
type delays [delayBuckets]atomic.Uint64

func (d *delays) note(took time.Duration) {
	d[min(bits.Len64(uint64(max(took.Microseconds(), 0))), delayBuckets-1)].Add(1)
}

// counts are the buckets so far.
func (d *delays) counts() (list []uint64) {
	for i := range d {
		list = append(list, d[i].Load())
	}
	return list
}
