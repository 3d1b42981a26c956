package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/music-chronus/chronus/actors/internal/supervise"
	"github.com/music-chronus/chronus/actors/report"
)

// errLost answers the requests that were lost with the tree's actors.
var errLost = errors.New("request lost: the engine's actors restarted; the request may have been carried out or not")

// treeStrategy restarts actors at once after a single failure, and after at most 2 s.
func treeStrategy(emit func(Event)) *supervise.Forever {
	return &supervise.Forever{
		First: 5 * time.Millisecond, Most: 2 * time.Second, Window: 10 * time.Second,
		Failed: func(child string, reason any, delay time.Duration) {
			emit(report.ActorFailed{Actor: child, Reason: fmt.Sprint(reason), After: delay})
		},
	}
}
