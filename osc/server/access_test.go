package server

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/admission"
	"github.com/music-chronus/chronus/osc/internal/osctest"
)

var errNo = errors.New("no")

const testToken = "0123456789abcdef0123"

// mute returns a server without sockets, for packets of senders on other machines. Its answers stay
// in the send queue.
func mute(t *testing.T, access Access) (*Server, *reader) {
	t.Helper()
	s := &Server{
		access: access, datagrams: admission.NewRateLimiter(), streams: admission.NewRateLimiter(), sendQueue: newSendQueue(), closed: make(chan struct{}),
		limits: standard(), now: time.Now, fails: admission.NewLimiter(failsPerSecond), refusals: newRefusalLog(), conns: admission.NewConnTable(standard().conns, standard().idle),
	}
	return s, newReader(s, each(func(m *osc.Message, from Peer) {
		switch {
		case string(m.Address) == "/load" && !from.Trusted():
			_ = from.Fail("/load", errNo)
		case string(m.Address) == "/large/answer":
			_ = from.Reply("/large/answer.reply", make([]byte, 400))
		case string(m.Address) == "/bad":
			_ = from.Fail("/bad", errors.New(strings.Repeat("long ", 100)))
		default:
			_ = from.Reply("/done", string(m.Address))
		}
	}))
}

// sent empties the send queue. It returns the messages, and the bytes of their packets.
func (s *Server) sent() (texts []string, bytes int) {
	for _, l := range s.sendQueue.take(nil) {
		got, _ := osctest.Seen(l.packet)
		texts = append(texts, got...)
		bytes += len(l.packet)
	}
	return texts, bytes
}

var (
	far   = netip.MustParseAddrPort("192.0.2.7:4000")
	other = netip.MustParseAddrPort("192.0.2.7:4001")
	near  = netip.MustParseAddrPort("127.0.0.1:4000")
)

func TestParseAllow(t *testing.T) {
	list, err := ParseAllow([]string{"192.168.1.7/24", "10.0.0.1", "fd00::/8", "::ffff:192.0.2.0/120"})
	if err != nil {
		t.Fatal(err)
	}
	a := Access{Allow: list}
	for from, hears := range map[string]bool{
		"192.168.1.99": true, "192.168.2.1": false, "10.0.0.1": true, "10.0.0.2": false, "fd12::1": true, "fd12::1%eth0": true, "fe80::1%eth0": false,
		"127.0.0.1": true, "127.3.2.1": true, "::1": true, "192.0.2.9": true, "192.0.3.9": false,
	} {
		if got := a.Allows(netip.MustParseAddr(from)); got != hears {
			t.Errorf("%s is heard: %t", from, got)
		}
	}
	for _, bad := range []string{"", "x", "192.168.1.0/33", "192.168.1", "fe80::1%eth0", "host.example"} {
		if _, err := ParseAllow([]string{bad}); err == nil || !strings.Contains(err.Error(), "invalid; use 192.168.1.0/24") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestReadToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for _, tt := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{testToken + "\n", 0o600, ""},
		{testToken, 0o640, ""},
		{testToken, 0o644, "chmod 600"},
		{"short", 0o600, "token of 5 bytes; want 16 to 256"},
		{strings.Repeat("x", 300), 0o600, "300 bytes"},
		{strings.Repeat("x", 3000), 0o600, "3000 bytes"},
		{"0123456789 abcdef", 0o600, "without spaces"},
	} {
		if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		got, err := ReadToken(path)
		if tt.want == "" && (err != nil || got != testToken) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%.20q: %q, %v", tt.text, got, err)
		}
	}
	if _, err := ReadToken(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no file")
	}
}

// Packets and connections of machines that are not allowed are dropped without an answer. Loopback
// is always allowed.
func TestStrangers(t *testing.T) {
	allow, _ := ParseAllow([]string{"192.0.2.0/28"})
	s, r := mute(t, Access{Allow: allow})
	s.handleDatagram(r, osctest.Encode(t, "/a"), netip.MustParseAddrPort("192.0.2.200:1"))
	if got, _ := s.sent(); len(got) != 0 {
		t.Errorf("a stranger is told %v", got)
	}
	s.handleDatagram(r, osctest.Encode(t, "/a"), far)
	s.handleDatagram(r, osctest.Encode(t, "/a"), near)
	if got, _ := s.sent(); len(got) != 2 || s.Stats().Denied != 1 || s.Stats().Packets != 2 {
		t.Errorf("%v, %+v", got, s.Stats())
	}
	for addr, in := range map[string]bool{"192.0.2.200": false, "192.0.2.7": true, "127.0.0.1": true} {
		ours, theirs := net.Pipe()
		s.admit(pipe{ours, &net.TCPAddr{IP: net.ParseIP(addr), Port: 1}})
		if got := s.conns.Len() == 1; got != in {
			t.Errorf("a connection from %s is in: %t", addr, got)
		}
		_ = theirs.Close()
		s.running.Wait()
	}
}

// pipe is a connection from an address of the test's choice.
type pipe struct {
	net.Conn
	from net.Addr
}

func (p pipe) RemoteAddr() net.Addr { return p.from }

// Other machines need the token for some addresses: over UDP from the port that showed it, over a
// connection in that connection.
func TestAuth(t *testing.T) {
	s, r := mute(t, Access{Allow: anywhere, Token: testToken})
	for _, step := range []struct {
		from   netip.AddrPort
		packet []byte
		want   string
	}{
		{near, osctest.Encode(t, "/load"), `/done "/load"`},
		{far, osctest.Encode(t, "/load"), `/fail "/load" "no"`},
		{far, osctest.Encode(t, "/auth", "wrong, but not so short"), `/fail "/auth" "wrong token"`},
		{far, osctest.Encode(t, "/auth", testToken[:19]), `/fail "/auth" "wrong token"`},
		{far, osctest.Encode(t, "/auth", int32(5)), `/fail "/auth" "want the t`},
		{far, osctest.Encode(t, "/load"), `/fail "/load" "no"`},
		{far, osctest.Encode(t, "/auth", testToken), `/done "/auth"`},
		{far, osctest.Encode(t, "/load"), `/done "/load"`},
		{other, osctest.Encode(t, "/load"), `/fail "/load" "no"`},
	} {
		s.handleDatagram(r, step.packet, step.from)
		if got, _ := s.sent(); len(got) != 1 || !strings.HasPrefix(got[0], step.want) {
			t.Errorf("%v %q: %v, want %s", step.from, step.packet, got, step.want)
		}
	}
	now := time.Now()
	if !s.datagrams.Trusted(far, now) || s.datagrams.Trusted(far, now.Add(admission.TrustTime+time.Minute)) {
		t.Error("what was shown by UDP is not good for authLasts")
	}
	for range 3 * admission.WrongTokensPerAddress {
		s.handleDatagram(r, osctest.Encode(t, "/auth", "guess guess guess"), other)
	}
	s.handleDatagram(r, osctest.Encode(t, "/auth", testToken), other)
	if s.datagrams.Trusted(other, now) {
		t.Error("guesses are not slowed down")
	}
	none, r := mute(t, Access{Allow: anywhere})
	none.handleDatagram(r, osctest.Encode(t, "/auth", ""), far)
	if got, _ := none.sent(); len(got) != 1 || !strings.HasPrefix(got[0], `/fail "/auth" "engine has`) || none.datagrams.Trusted(far, now) {
		t.Errorf("without a token: %v", got)
	}
}

// Over UDP, another machine receives at most three bytes for each byte it sent. With the token,
// over TCP and on this machine there is no such limit.
func TestAmplification(t *testing.T) {
	s, r := mute(t, Access{Allow: anywhere, Token: testToken})
	came := 0
	for i := range 300 {
		packet := osctest.Encode(t, []string{"/large/answer", "/bad", "/a", "/x"}[i%4])
		if i%5 == 0 {
			packet = []byte("/b\x00\x00,x\x00\x00")
		}
		came += len(packet)
		s.handleDatagram(r, packet, netip.AddrPortFrom(far.Addr(), uint16(i)))
	}
	got, bytes := s.sent()
	if bytes > admission.Amplification*came || len(got) < 150 || s.Stats().AmplificationLimited == 0 {
		t.Errorf("%d bytes in, %d out in %d answers, %d withheld", came, bytes, len(got), s.Stats().AmplificationLimited)
	}
	s.fails = admission.NewLimiter(failsPerSecond)
	s.handleDatagram(r, osctest.Encode(t, "/large/answer"), netip.MustParseAddrPort("192.0.2.99:1"))
	if got, _ := s.sent(); len(got) != 1 || !strings.HasPrefix(got[0], `/fail "/large/answer.reply" "`) {
		t.Errorf("who is forged perhaps is told %v", got)
	}
	s.handleDatagram(r, osctest.Encode(t, "/auth", testToken), far)
	s.sent()
	for _, from := range []netip.AddrPort{far, near} {
		s.handleDatagram(r, osctest.Encode(t, "/large/answer"), from)
		if got, _ := s.sent(); len(got) != 1 || !strings.HasPrefix(got[0], "/large/answer.reply") {
			t.Errorf("%v: %v", from, got)
		}
	}
	c := s.newConn(far, "tcp", nil)
	if err := (Peer{far, c}).Reply("/large/answer.reply", make([]byte, 400)); err != nil || (Peer{far, c}).Trusted() {
		t.Errorf("by TCP: %v, trusted %t", err, (Peer{far, c}).Trusted())
	}
}

// The flood of one source is shed, and the source is notified once a second; other sources are
// served. A bundle costs its messages.
func TestFloodIsShed(t *testing.T) {
	for _, flooder := range []netip.AddrPort{far, near} {
		s, r := mute(t, Access{Allow: anywhere})
		served := 0
		r.handler = each(func(m *osc.Message, from Peer) {
			if from.Addr() != flooder {
				served++
			}
		})
		calm := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9"), netip.MustParseAddrPort("192.0.2.8:9")}
		packet := []byte(osctest.Bundle(strings.Split(strings.Repeat(osctest.Pad("/a")+"|", 999)+osctest.Pad("/a"), "|")...))
		began := time.Now()
		for range 500 {
			s.handleDatagram(r, packet, flooder)
			for _, a := range calm {
				s.handleDatagram(r, osctest.Encode(t, "/a"), a)
			}
		}
		rate, burst := admission.RateOf(flooder)
		most := burst + rate*time.Since(began).Seconds() + 1000
		st := s.Stats()
		if served != 1000 || float64(st.Messages) > most+1000 || st.Shed < 100 {
			t.Errorf("%v: %d of the others served, %d messages of at most %.0f, %d shed", flooder, served, st.Messages, most, st.Shed)
		}
		if got, _ := s.sent(); len(got) == 0 || len(got) > int(2+time.Since(began).Seconds()) || !strings.Contains(got[0], "too many messages") {
			t.Errorf("%v is told %d times: %.1v", flooder, len(got), got)
		}
	}
}
