package survivors

import (
	"fmt"

	"github.com/music-chronus/chronus/shm"
)

// Check returns an error if the requested engine differs from the one whose sound goes on. A user
// who starts a different engine must say that the sound may end. samePatch says whether the
// requested patch is the one that plays, or any will do.
func Check(runtimeDir string, want, has shm.Geometry, samePatch bool) error {
	const advice = "start it with what it was started with, or with --fresh to end that sound and begin anew"
	want.Ring = has.Ring // the lead can change, up to the length of the rings
	switch {
	case want != has:
		return fmt.Errorf("the sound of an engine that was lost goes on in %s, with %s; this one was to have %s: %s",
			runtimeDir, describe(has), describe(want), advice)
	case !samePatch:
		return fmt.Errorf("the sound of an engine that was lost goes on in %s, with another patch: %s", runtimeDir, advice)
	}
	return nil
}

func describe(g shm.Geometry) string {
	return fmt.Sprintf("%d Hz, block %d, %d channels, %d workers, guard %d, rings of %d blocks", g.Rate, g.Block, g.Channels, g.Slots, g.Guard, g.Ring)
}
