package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// bar is a progress bar on a terminal; elsewhere it writes nothing.
type bar struct {
	w     io.Writer
	total int64
	shown int64 // percent
}

func newBar(w io.Writer, total int64) *bar {
	b := &bar{total: max(1, total), shown: -1}
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			b.w = w
		}
	}
	return b
}

// at shows that n of the total are done.
func (b *bar) at(n int64) {
	percent := min(100, 100*n/b.total)
	if b.w == nil || percent == b.shown {
		return
	}
	b.shown = percent
	const width = 40
	full := int(percent * width / 100)
	fmt.Fprintf(b.w, "\r[%s%s] %3d%%", strings.Repeat("#", full), strings.Repeat(".", width-full), percent)
}

// end leaves the line.
func (b *bar) end() {
	if b.w != nil && b.shown >= 0 {
		fmt.Fprintln(b.w)
	}
}
