package fault_test

import (
	"reflect"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/fault"
	"github.com/music-chronus/chronus/shm"
)

// A status has each counter of the audio process.
func TestTotalsHaveEveryCounter(t *testing.T) {
	var c shm.Counters
	in := reflect.ValueOf(&c).Elem()
	for i := range in.NumField() {
		in.Field(i).SetUint(uint64(i + 1))
	}
	seen := map[uint64]bool{}
	var h fault.History
	out := reflect.ValueOf(h.Totals(c, 0))
	for i := range out.NumField() {
		seen[out.Field(i).Uint()] = true
	}
	for i := range in.NumField() {
		if !seen[uint64(i+1)] {
			t.Errorf("shm.Counters.%s is not in the status", in.Type().Field(i).Name)
		}
	}
}
