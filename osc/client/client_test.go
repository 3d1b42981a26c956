package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/client"
	"github.com/music-chronus/chronus/osc/server"
)

const patience = 5 * time.Second

func networks() []string { return []string{client.UDP, client.TCP, client.WebSocket} }

// serve starts a server that answers /echo with its arguments, /three with three messages, and
// refuses the rest, but for /silence.
func serve(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.Listen("127.0.0.1:0", server.Access{Token: "0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(context.Background(), server.HandlerFunc(func(m *osc.Message, from server.Peer) {
			switch string(m.Address) {
			case "/echo":
				_ = from.Reply("/echo.reply", string(m.Args[0].Bytes))
			case "/three":
				for i := range 3 {
					_ = from.Reply("/number", i)
				}
			case "/silence":
			default:
				_ = from.Fail(string(m.Address), osc.Refuse(osc.CodeUnknownAddress, "unknown"))
			}
		}))
	}()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-done); err != nil {
			t.Error(err)
		}
	})
	return s
}

func dial(t *testing.T, network string, at netip.AddrPort) *client.Client {
	t.Helper()
	c, err := client.Dial(network, at.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Over each network a client receives answers in order, whole, and valid after the next Receive.
func TestRoundTrip(t *testing.T) {
	s := serve(t)
	for _, network := range networks() {
		c := dial(t, network, s.Addr())
		long := strings.Repeat("x", 5000)
		for _, args := range [][]any{{"/echo", "a"}, {"/echo", long}, {"/three"}, {"/nothing"}} {
			if err := c.Send(args[0].(string), args[1:]...); err != nil {
				t.Fatalf("%s: %v", network, err)
			}
		}
		var got []*osc.Message
		for range 6 {
			m, err := c.Receive(patience)
			if err != nil {
				t.Fatalf("%s: %v", network, err)
			}
			got = append(got, m)
		}
		var texts []string
		for _, m := range got {
			texts = append(texts, m.String())
		}
		want := `/echo.reply "a"|/number 0|/number 1|/number 2|/fail "/nothing" "unknown"`
		if all := strings.Join(append(texts[:1], texts[2:]...), "|"); all != want || string(got[1].Args[0].Bytes) != long {
			t.Errorf("%s: %s", network, all)
		}
		if r := client.Refused(got[5]); r == nil || r.Address != "/nothing" || r.Reason != "unknown" || client.Refused(got[0]) != nil {
			t.Errorf("%s: %v", network, r)
		}
		if c.To() != s.Addr().String() {
			t.Errorf("%s: to %s", network, c.To())
		}
	}
}

// The errors of Receive tell a silent server, an ended connection and a missing server apart.
func TestReceiveErrors(t *testing.T) {
	s := serve(t)
	for _, network := range networks() {
		c := dial(t, network, s.Addr())
		if err := c.Send("/silence"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Receive(50 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.HasPrefix(err.Error(), "no reply from "+c.To()) {
			t.Errorf("%s: a silent server: %v", network, err)
		}
	}
	tcp := dial(t, client.TCP, s.Addr())
	if err := tcp.Write(make([]byte, 1<<20+4)); err != nil { // the server closes the connection
		t.Fatal(err)
	}
	if _, err := tcp.Receive(patience); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("an ended connection: %v", err)
	}
	closed := dial(t, client.UDP, s.Addr())
	time.AfterFunc(20*time.Millisecond, func() { _ = closed.Close() })
	if _, err := closed.Receive(0); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed client: %v", err)
	}
	missing := dial(t, client.UDP, netip.MustParseAddrPort("127.0.0.1:1"))
	if err := missing.Send("/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := missing.Receive(patience); !errors.Is(err, syscall.ECONNREFUSED) || !strings.HasPrefix(err.Error(), "nothing answers at 127.0.0.1:1") {
		t.Errorf("a missing server: %v", err)
	}
}

func TestDialErrors(t *testing.T) {
	for network, address := range map[string]string{client.UDP: "127.0.0.1", client.TCP: "127.0.0.1:1", client.WebSocket: "127.0.0.1:1", "smoke": "127.0.0.1:1"} {
		if _, err := client.Dial(network, address, patience); err == nil || !strings.HasPrefix(err.Error(), `OSC address "`+address+`"`) {
			t.Errorf("%s: %v", network, err)
		}
	}
}

// A wrong token is a refusal.
func TestAuthenticate(t *testing.T) {
	s := serve(t)
	for _, network := range networks() {
		c := dial(t, network, s.Addr())
		if err := c.Authenticate("0123456789abcdef", patience); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		r := (*osc.Refusal)(nil)
		if err := c.Authenticate("0123456789abcdeX", patience); !errors.As(err, &r) || err.Error() != "/auth: wrong token" {
			t.Errorf("%s: %v", network, err)
		}
	}
}

// A packet that cannot be sent is an error; a malformed answer too.
func TestSendErrors(t *testing.T) {
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := dial(t, client.UDP, l.LocalAddr().(*net.UDPAddr).AddrPort())
	if err := c.Send("a"); err == nil {
		t.Error("a bad address")
	}
	if err := c.Write(make([]byte, 1<<17)); err == nil || !strings.HasPrefix(err.Error(), "send to "+c.To()) {
		t.Errorf("too large a packet: %v", err)
	}
	if err := c.Send("/a"); err != nil {
		t.Fatal(err)
	}
	_, from, err := l.ReadFromUDPAddrPort(make([]byte, 100))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.WriteToUDPAddrPort([]byte("bad"), from); err != nil {
		t.Fatal(err)
	}
	fault := (*osc.DecodeError)(nil)
	if _, err := c.Receive(patience); !errors.As(err, &fault) || fault.Fault != osc.FaultSize {
		t.Errorf("a malformed answer: %v", err)
	}
}
