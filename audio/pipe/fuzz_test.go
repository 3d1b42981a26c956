package pipe

import (
	"bytes"
	"testing"
)

// Every hello that is accepted encodes to the same bytes.
func FuzzHello(f *testing.F) {
	var b bytes.Buffer
	if err := (hello{48000, 2}).write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:9])
	f.Add([]byte("HTTP/1.1 400 Bad"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readHello(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := h.write(&again); err != nil || !bytes.Equal(again.Bytes(), data[:16]) {
			t.Fatalf("% x became % x", data[:16], again.Bytes())
		}
	})
}
