// Package terminal writes what only makes sense on a terminal.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Is says whether w is a terminal.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// Bar is a progress bar. Bar writes nothing if its writer is not a terminal.
type Bar struct {
	w     io.Writer
	total int64
	shown int64 // percent
}

// NewBar returns a bar that is full at total.
func NewBar(w io.Writer, total int64) *Bar {
	b := &Bar{total: max(1, total), shown: -1}
	if Is(w) {
		b.w = w
	}
	return b
}

// At shows that n of the total are done.
func (b *Bar) At(n int64) {
	percent := min(100, 100*n/b.total)
	if b.w == nil || percent == b.shown {
		return
	}
	b.shown = percent
	const width = 40
	full := int(percent * width / 100)
	fmt.Fprintf(b.w, "\r[%s%s] %3d%%", strings.Repeat("#", full), strings.Repeat(".", width-full), percent)
}

// End ends the bar's line.
func (b *Bar) End() {
	if b.w != nil && b.shown >= 0 {
		fmt.Fprintln(b.w)
	}
}
