package launch

import (
	"log/slog"

	"github.com/music-chronus/chronus/shm/sys"
)

// Warnings returns what this machine refuses to the processes of an engine, and logs it. The engine
// plays without.
func Warnings(log *slog.Logger) (list []string) {
	if err := sys.MayFIFO(sys.PriorityDevice); err != nil {
		list = append(list, "no real-time priority, a busy machine will be heard: "+err.Error())
	}
	if err := sys.MayLock(); err != nil {
		list = append(list, "pages are not locked, swapping will be heard: "+err.Error())
	}
	for _, w := range list {
		log.Warn(w)
	}
	return list
}
