package frontend

import (
	"net"
	"strconv"
	"testing"
)

// discovering returns a Frontend with an OSCQuery server on the default port.
func discovering(t *testing.T, address string) *Frontend {
	t.Helper()
	f := frontendOf(t, valuePatch, func(c *Config) { c.OSC, c.OSCQuery = address, "" })
	if err := f.Discover(); err != nil {
		t.Fatal(err)
	}
	return f
}

// The OSCQuery server listens 80 ports above OSC, or on any port if that one is taken or does not
// exist.
func TestQueryPort(t *testing.T) {
	free := func() (osc, query int) { // a pair of ports
		for {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			osc := l.Addr().(*net.TCPAddr).Port
			_ = l.Close()
			if l, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(min(osc+queryAbove, 1<<16-1))); err == nil {
				_ = l.Close()
				return osc, osc + queryAbove
			}
		}
	}
	port, above := free()
	f := discovering(t, "127.0.0.1:"+strconv.Itoa(port))
	if got := int(f.query.Addr().Port()); got != above && above < 1<<16 {
		t.Errorf("OSC at %d, OSCQuery at %d", port, got)
	}
	f.Close()
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(above))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if f = discovering(t, "127.0.0.1:"+strconv.Itoa(port)); int(f.query.Addr().Port()) == above {
		t.Error("it has a port that is taken")
	}
}
