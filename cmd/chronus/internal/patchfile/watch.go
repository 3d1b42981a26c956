package patchfile

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/dsp/samples"
)

// watchTick is the interval between two looks at the file. A file is read once two looks agree,
// since a program may be in the middle of saving it.
const watchTick = 200 * time.Millisecond

// Watch has an engine play a patch file again whenever the file is saved, until ctx ends. Watch
// prints each change, and why a file was refused, to out.
func Watch(ctx context.Context, e *actors.Engine, store samples.Store, path string, out io.Writer) {
	type stamp struct {
		at   time.Time
		size int64
	}
	look := func() (s stamp) {
		if st, err := os.Stat(path); err == nil {
			s = stamp{st.ModTime(), st.Size()}
		}
		return s
	}
	read, last := look(), look()
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := look()
		if settled := now == last; now == read || !settled || now == (stamp{}) {
			last = now
			continue
		}
		read = now
		text, err := Read(store, path)
		var c actors.Commit
		if err == nil {
			c, err = e.Patch(ctx, path, text, true)
		}
		if err != nil {
			fmt.Fprintf(out, "chronus: %v; the previous patch plays on\n", err)
			continue
		}
		fmt.Fprintf(out, "chronus: patch %s plays from frame %d on\n", path, c.Frame)
	}
}
