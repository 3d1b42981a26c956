package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/music-chronus/chronus/actors"
)

// watchTick is how often a patch file is looked at. A file is read once it has been the same for two looks: whoever saves it may be in the middle of it.
const watchTick = 200 * time.Millisecond

// watchPatch has an engine take up its patch file whenever that is saved, until ctx ends, and says what came of it.
func (f samplesFlag) watchPatch(ctx context.Context, e *actors.Engine, path string, out io.Writer) {
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
		text, err := f.readPatch(path)
		var c actors.Commit
		if err == nil {
			c, err = e.Patch(ctx, path, text, true)
		}
		if err != nil {
			fmt.Fprintf(out, "chronus: %v; it plays on as it was\n", err)
			continue
		}
		fmt.Fprintf(out, "chronus: patch %s plays from frame %d on\n", path, c.Frame)
	}
}
