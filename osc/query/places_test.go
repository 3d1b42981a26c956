package query

import (
	"net"
	"net/netip"
	"testing"

	"github.com/music-chronus/chronus/osc/admission"
	"github.com/music-chronus/chronus/osc/server"
)

// visits is a listener of connections that a test makes.
type visits struct {
	net.Listener
	come chan net.Conn
}

// Accept implements net.Listener.
func (v visits) Accept() (net.Conn, error) {
	c, ok := <-v.come
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

type visit struct {
	net.Conn
	from string
}

func (v visit) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(v.from)) }

// Endless connections of other machines leave places for this one.
func TestPlacesForThisMachine(t *testing.T) {
	v := visits{come: make(chan net.Conn, 2*maxConns)}
	l := &limited{Listener: v, access: server.Access{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}, places: admission.NewQuota(maxConns)}
	for i := range maxConns + 1 {
		from := "192.0.2.1:1"
		if i == maxConns {
			from = "127.0.0.1:1"
		}
		ours, theirs := net.Pipe()
		defer theirs.Close()
		v.come <- visit{ours, from}
	}
	close(v.come)
	var in []net.Conn
	for {
		c, err := l.Accept()
		if err != nil {
			break
		}
		in = append(in, c)
	}
	if n := len(in); n != maxConns/4+1 || in[n-1].RemoteAddr().String() != "127.0.0.1:1" {
		t.Fatalf("%d were let in", n)
	}
	for range 2 {
		for _, c := range in {
			_ = c.Close()
		}
	}
	for range maxConns {
		if !l.places.Acquire(netip.MustParseAddr("::1")) {
			t.Fatal("places were not freed")
		}
	}
}
