package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/client"
	"github.com/music-chronus/chronus/osc/internal/osctest"
	"github.com/music-chronus/chronus/osc/server"
)

const patience = 5 * time.Second

// serving starts a server that resolves messages in a small space.
func serving(t testing.TB, access server.Access) *server.Server {
	t.Helper()
	s, err := server.Listen("127.0.0.1:0", access)
	if err != nil {
		t.Fatal(err)
	}
	space := osctest.Space(t)
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(context.Background(), server.HandlerFunc(func(m *osc.Message, from server.Peer) {
			address := string(m.Address)
			if _, _, err := space.Resolve(m); err != nil {
				_ = from.Fail(address, err)
				return
			}
			_ = from.Done(address)
			s.Flush()
		}))
	}()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-done); err != nil {
			t.Error(err)
		}
	})
	return s
}

func dialing(t testing.TB, s *server.Server, network string) *client.Client {
	t.Helper()
	c, err := client.Dial(network, s.Addr().String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// lines collects what is written line by line, from any goroutine.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) Write(b []byte) (int, error) {
	l.add(strings.TrimSuffix(string(b), "\n"))
	return len(b), nil
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, line)
}

func (l *lines) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		all := strings.Join(l.list, "\n")
		l.mu.Unlock()
		if strings.Contains(all, text) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not in\n%s", text, all)
		}
	}
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.list)
}

// Each refusal is counted by its code, logged at debug with the reason, and shown to the observer.
func TestRefusals(t *testing.T) {
	s := serving(t, server.Access{})
	var log, shown lines
	s.SetLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	s.OnAnswer(func(a server.Answer) {
		texts, _ := osctest.Seen(a.Packet)
		for _, text := range texts {
			shown.add(a.To.String()[:3] + " " + text)
		}
	})
	c := dialing(t, s, client.TCP)
	for i, tt := range []struct {
		packet string
		code   osc.Code
		reason string
	}{
		{string(osctest.Encode(t, "/gate/adsr1", "up")), osc.CodeBadArgument, `\"up\" is not a number`},
		{string(osctest.Encode(t, "/gate/adsr2", "on")), osc.CodeUnknownAddress, "unknown; the nearest is /gate/adsr1"},
		{string(osctest.Encode(t, "/gate/*", "on")), osc.CodeBadPattern, "a pattern stands where one address must"},
		{string(osctest.Encode(t, "/auth", "x")), osc.CodeUnavailable, "engine has no token"},
		{osctest.Pad("/a") + osctest.Pad(",x"), osc.CodeMalformed, "unknown type tag"},
	} {
		if err := c.Write([]byte(tt.packet)); err != nil {
			t.Fatal(err)
		}
		m, err := c.Receive(patience)
		if err != nil || client.Refused(m) == nil {
			t.Fatalf("%v, %v", m, err)
		}
		log.await(t, "level=DEBUG msg=\"OSC message refused\" code="+tt.code.String())
		log.await(t, tt.reason)
		shown.await(t, "tcp "+m.String())
		st := s.Stats()
		if st.RefusedByCode[tt.code.String()] != 1 || len(st.RefusedByCode) != i+1 {
			t.Errorf("%v: %v", tt.code, st.RefusedByCode)
		}
	}
	if st := s.Stats(); st.Failed != 4 || st.Malformed["type_tag"] != 1 {
		t.Errorf("%+v", st)
	}
	s.OnAnswer(nil)
	before := shown.count()
	if err := c.Send("/gate/adsr1", "on"); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Receive(patience); err != nil || m.String() != `/done "/gate/adsr1"` || shown.count() != before {
		t.Errorf("%v, %v; %d answers are shown, %d before", m, err, shown.count(), before)
	}
}

// The log has at most 20 refusals a second, and says how many it skipped; without debug it has
// none.
func TestRefusalLogIsBounded(t *testing.T) {
	s := serving(t, server.Access{})
	var quiet, log lines
	s.SetLogger(slog.New(slog.NewTextHandler(&quiet, nil)))
	peer, refusal := s.Peer(netip.MustParseAddrPort("127.0.0.1:9")), osc.Refuse(osc.CodeBusy, "no room")
	for range 100 {
		_ = peer.Fail("/a", refusal)
	}
	s.SetLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	began := time.Now()
	for range 1000 {
		_ = peer.Fail("/a", refusal)
	}
	most := 20 * int(2+time.Since(began).Seconds())
	log.await(t, "no room")
	time.Sleep(1100 * time.Millisecond)
	_ = peer.Fail("/a", refusal)
	log.await(t, "skipped=")
	if n := log.count(); n > most+1 || quiet.count() != 0 {
		t.Errorf("%d lines at debug, at most %d; %d without", n, most, quiet.count())
	}
	if n := s.Stats().RefusedByCode["busy"]; n != 1101 {
		t.Errorf("%d are counted", n)
	}
}

// A /fail that is not sent is counted, and shown with the reason.
func TestWithheldRefusal(t *testing.T) {
	s := serving(t, server.Access{})
	var shown lines
	s.OnAnswer(func(a server.Answer) {
		if a.Err != nil {
			texts, _ := osctest.Seen(a.Packet)
			shown.add(texts[0] + ": " + a.Err.Error())
		}
	})
	peer := s.Peer(netip.MustParseAddrPort("127.0.0.1:9"))
	if !peer.SuppressErrors(true) {
		t.Fatal("errors are not suppressed")
	}
	if err := peer.Fail("/a", errors.New("no")); err != nil {
		t.Error(err)
	}
	shown.await(t, `/fail "/a" "no": the peer wants no /fail`)
	if st := s.Stats(); st.Failed != 1 || st.RefusedByCode["rejected"] != 1 || st.Replies != 0 {
		t.Errorf("%+v", st)
	}
}
