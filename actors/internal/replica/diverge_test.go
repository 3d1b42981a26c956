package replica

import (
	"testing"

	"github.com/music-chronus/chronus/actors/internal/slots"
	"github.com/music-chronus/chronus/actors/internal/timing"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm/sys"
)

// The engine kills workers for several reasons. Failovers and events name the reason that applied.
func TestCauseOfCondemnedWorker(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		kill       func(r *Set, s *slots.Slot)
	}{
		{"its sound differed", "diverged", func(r *Set, s *slots.Slot) {
			if differs, _ := r.compare(s); !differs {
				t.Fatal("the copies of block 7 are equal")
			}
			r.arbitrate(s)
		}},
		{"it hung", "hung, nothing published for 200ms", func(r *Set, s *slots.Slot) {
			r.condemn(s, "hung, nothing published for "+timing.Default().Hang.String())
		}},
		{"the first reason counts", "diverged", func(r *Set, s *slots.Slot) {
			r.replaceDiverged(s, 7)
			r.condemn(s, "hung, nothing published for "+timing.Default().Hang.String())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := diverging(t, 2, 12, 1, 7)
			var killed []report.WorkerKilled
			var ended []report.WorkerEnded
			observe(r, func(ev report.Event) {
				switch ev := ev.(type) {
				case report.WorkerKilled:
					killed = append(killed, ev)
				case report.WorkerEnded:
					ended = append(ended, ev)
				}
			})
			s := r.slots[1]
			tt.kill(r, s)
			r.recordEnd(s, sys.Exit{})
			if len(killed) != 1 || killed[0].Slot != 1 || killed[0].Reason != tt.want {
				t.Errorf("killed: %+v, want worker 1 for %q", killed, tt.want)
			}
			cause := tt.want + ", killed by the engine"
			if len(ended) != 1 || ended[0].Cause != cause {
				t.Errorf("ended: %+v, want cause %q", ended, cause)
			}
			if list := r.failovers.List(); len(list) != 1 || list[0].Cause != cause {
				t.Errorf("failovers: %+v, want cause %q", list, cause)
			}
		})
	}
}
