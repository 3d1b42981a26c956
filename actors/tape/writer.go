package tape

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Writer writes a tape. It buffers lines until Flush.
type Writer struct {
	out *bufio.Writer
	enc *json.Encoder
}

// NewWriter starts a tape with its header. The writer sets the header's Version.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	out := bufio.NewWriterSize(w, 1<<16)
	t := &Writer{out: out, enc: json.NewEncoder(out)}
	h.Version = Version
	return t, t.enc.Encode(h)
}

// Write adds a line.
func (w *Writer) Write(l Line) error { return w.enc.Encode(l) }

// Flush passes everything that was written on to the underlying writer.
func (w *Writer) Flush() error { return w.out.Flush() }

// Fail ends the tape early, with the reason. It returns the reason as an error.
func (w *Writer) Fail(reason string) error {
	_ = w.enc.Encode(Line{Error: reason})
	return fmt.Errorf("tape: %s", reason)
}
