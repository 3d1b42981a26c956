package server

import (
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// A client that reads its answers keeps its connection, however many answers a packet causes.
func TestManyAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("waits a second")
	}
	const bundles = 30
	one := osctest.Encode(t, "/engine/status")
	packet, err := osc.EncodeBundle(osc.Immediately, slices.Repeat([][]byte{one}, osc.MaxElements)...)
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
		for i := range bundles * osc.MaxElements {
			if c.read(patience) == "" {
				t.Fatalf("%s: after %d answers there are no more; %d connections were slow", transport, i, s.Stats().SlowClients)
			}
		}
		<-written
	}
}

// A request with an announced body that does not arrive ends.
func TestUnsentBody(t *testing.T) {
	l := standard()
	l.first = 50 * time.Millisecond
	s := serveWith(t, "127.0.0.1:0", Access{}, l, echo)
	c := dialTCP(t, s)
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if b, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is waited for, behind %q", b)
	}
}
