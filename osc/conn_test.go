package osc

import (
	"slices"
	"testing"
)

// Who reads its answers keeps its connection, however many a packet is worth and however fast they are made.
func TestManyAnswers(t *testing.T) {
	const bundles = 30
	one := encode(t, "/engine/status")
	packet, err := EncodeBundle(Immediately, slices.Repeat([][]byte{one}, MaxElements)...)
	if err != nil {
		t.Fatal(err)
	}
	s := serveWith(t, "127.0.0.1:0", Access{}, standard(), echo)
	for _, transport := range transports[1:] {
		c := connect(t, s, transport)
		written := make(chan struct{})
		go func() {
			defer close(written)
			for range bundles {
				if err := c.write(packet); err != nil {
					t.Errorf("%s: %v", transport, err)
					return
				}
			}
		}()
		for i := range bundles * MaxElements {
			if c.read(patience) == "" {
				t.Fatalf("%s: after %d answers there are no more; %d connections were slow", transport, i, s.Stats().Slow)
			}
		}
		<-written
	}
}
