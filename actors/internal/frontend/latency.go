package frontend

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// latencyBuckets is how many buckets a histogram has. The last one counts from 33 s on.
const latencyBuckets = 26

// latencyHistogram counts packets by the time from their arrival until their commands were
// committed. Bucket i counts those below 2^i microseconds that no earlier bucket counts.
type latencyHistogram [latencyBuckets]atomic.Uint64

func (h *latencyHistogram) record(took time.Duration) {
	h[min(bits.Len64(uint64(max(took.Microseconds(), 0))), latencyBuckets-1)].Add(1)
}

func (h *latencyHistogram) counts() (list []uint64) {
	for i := range h {
		list = append(list, h[i].Load())
	}
	return list
}
