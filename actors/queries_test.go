package actors_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/osc"
)

// talk is a test's connection to an engine.
type talk struct {
	t    *testing.T
	conn net.Conn
	tcp  bool
	heap []string // of a bundle, to be told next
}

func talkTo(t *testing.T, e *actors.Engine, network string) *talk {
	t.Helper()
	c, err := net.Dial(network, status(t, e).OSC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &talk{t: t, conn: c, tcp: network == "tcp"}
}

func (k *talk) send(address string, args ...any) {
	k.t.Helper()
	packet, err := osc.Encode(address, args...)
	if err != nil {
		k.t.Fatal(err)
	}
	if k.tcp {
		packet = append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...)
	}
	if _, err := k.conn.Write(packet); err != nil {
		k.t.Fatal(err)
	}
}

// next returns the next message, "" if none comes within wait.
func (k *talk) next(wait time.Duration) string {
	k.t.Helper()
	for len(k.heap) == 0 {
		_ = k.conn.SetReadDeadline(time.Now().Add(wait))
		buf := make([]byte, 1<<16)
		n, err := 0, error(nil)
		if k.tcp {
			if _, err = io.ReadFull(k.conn, buf[:4]); err == nil {
				n, err = io.ReadFull(k.conn, buf[:binary.BigEndian.Uint32(buf)])
			}
		} else {
			n, err = k.conn.Read(buf)
		}
		if err != nil {
			return ""
		}
		var d osc.Decoder
		d.Decode(buf[:n], func(m *osc.Message) { k.heap = append(k.heap, m.String()) }, func(e *osc.DecodeError) { k.t.Error(e) })
	}
	m := k.heap[0]
	k.heap = k.heap[1:]
	return m
}

// patience is how long an answer may take on a busy machine.
const patience = 10 * time.Second

// await returns what comes up to and with the first message that begins with prefix.
func (k *talk) await(prefix string) (list []string) {
	k.t.Helper()
	for {
		m := k.next(patience)
		if m == "" {
			k.t.Fatalf("no %s after %q", prefix, list)
		}
		if list = append(list, m); strings.HasPrefix(m, prefix) {
			return list
		}
	}
}

// Queries are answered as documented, by UDP and by TCP; invalid ones say what would be right.
func TestQueries(t *testing.T) {
	e := start(t)
	for _, network := range []string{"udp", "tcp"} {
		k := talkTo(t, e, network)
		for _, tt := range []struct {
			address string
			args    []any
			want    string // a regular expression, of all messages up to the last of as many as it has lines
		}{
			{"/ping", nil, `/pong`},
			{"/ping", []any{1, int64(1) << 40, float32(0.5), 0.25, "two", []byte{1, 2}, true, false}, `/pong 1 1099511627776 0\.5 0\.25 "two" <2 bytes> true false`},
			{"/version", nil, `/version\.reply "chronus" 0 0 "devel" ".*"`},
			{"/version", []any{1}, `/fail "/version" "want no argument; got 1"`},
			{"/status", nil, `/status\.reply 1 4 0 1 4 [0-9.e-]+ [0-9.e-]+ 48000 4[78][0-9]{3}(\.[0-9]+)?`},
			{"/sync", nil, `/synced`},
			{"/sync", []any{7}, `/synced 7`},
			{"/sync", []any{float32(1.5)}, `/synced 1\.5`},
			{"/sync", []any{"x"}, `/fail "/sync" "argument 1: want a number, or no argument"`},
			{"/mod/filter1/cutoff", []any{500}, `/done "/mod/filter1/cutoff"`},
			{"/mod/filter1/mode", []any{"hp"}, `/done "/mod/filter1/mode"`},
			{"/get", []any{"/mod/filter1/cutoff", "/mod/filter1/mode", "/engine/freq"}, "/mod/filter1/cutoff 500\n/mod/filter1/mode \"hp\"\n/engine/freq 440\n/done \"/get\" 3"},
			{"/get", []any{"/mod/*/[gq]*"}, "/mod/sine1/gain 0.5\n/mod/filter1/q 0.707\n/mod/filter1/gain 0\n/done \"/get\" 3"},
			{"/get", []any{"/mod/filter1/cutof"}, `/fail "/get" "/mod/filter1/cutof: unknown; the nearest is /mod/filter1/cutoff.*"`},
			{"/get", []any{"/engine/status"}, `/fail "/get" "/engine/status: address has no value"`},
			{"/get", []any{1}, `/fail "/get" "argument 1: want an address, as a string"`},
			{"/get", nil, `/fail "/get" "want address\.\.\.; got 0 arguments"`},
			{"/notify", []any{3}, `/fail "/notify" "argument 1: want a whole number from 0 to 2"`},
			{"/notify", []any{0.5}, `/fail "/notify" "argument 1: want a whole number from 0 to 2"`},
			{"/notify/resync", nil, `/fail "/notify/resync" "not subscribed: send /notify 1 first"`},
			{"/notify", []any{true}, `/done "/notify" 1 64`},
			{"/notify", []any{0}, `/done "/notify" 0 64`},
			{"/dumpOSC", []any{3}, `/fail "/dumpOSC" "argument 1: want a whole number from 0 to 2"`},
			{"/dumpOSC", []any{0}, `/done "/dumpOSC"`},
			{"/error", []any{0}, `/done "/error"`},
			{"/nothing", nil, ``},
			{"/error", []any{1}, `/done "/error"`},
			{"/nothing", nil, `/fail "/nothing" "unknown.*`},
			{"/n?tify", []any{1}, `/fail "/n\?tify" ".*"`},
		} {
			k.send(tt.address, tt.args...)
			var got []string
			for range strings.Count(tt.want, "\n") + 1 {
				if tt.want != "" {
					got = append(got, k.next(patience))
				}
			}
			if !regexp.MustCompile("^" + tt.want + "$").MatchString(strings.Join(got, "\n")) {
				t.Errorf("%s: %s %v: %q, want %q", network, tt.address, tt.args, got, tt.want)
			}
		}
	}
}

// A subscriber receives events, and the latest value of an address at most 30 times a second. It
// receives all values on request, those of a new patch too, and nothing once it has unsubscribed.
func TestNotify(t *testing.T) {
	e := start(t)
	k, player := talkTo(t, e, "udp"), talkTo(t, e, "udp")
	k.send("/notify", 1)
	k.await(`/done "/notify"`)
	began := time.Now()
	const messages = 3000
	for i := range messages {
		player.send("/mod/filter1/cutoff", float32(1000+i))
		if i%100 == 99 {
			player.send("/sync", i)
			player.await(fmt.Sprint("/synced ", i))
		}
	}
	list := slices.DeleteFunc(k.await(fmt.Sprint("/mod/filter1/cutoff ", 1000+messages-1)), func(s string) bool {
		return strings.HasPrefix(s, "/event/") // a busy machine's flips and xruns
	})
	if most := 31*time.Since(began).Seconds() + 2; float64(len(list)) > most || !slices.IsSortedFunc(list, func(a, b string) int { return strings.Compare(a, b) }) {
		t.Errorf("%q were told in %v", list, time.Since(began))
	}
	player.send("/mod/filter1/mode", "bp")
	k.await(`/mod/filter1/mode "bp"`)
	k.send("/notify", 2)
	k.send("/notify/resync")
	k.await(`/done "/notify/resync"`)
	var all []string
	for len(all) < 18 {
		if m := k.next(patience); !strings.HasPrefix(m, "/event/") { // a busy machine's, as above
			all = append(all, m)
		}
	}
	slices.Sort(all)
	want := `/engine/amp 1, /engine/bend 0, /engine/freq 440, /engine/pressure 0, /engine/sustain 0, /engine/wheel 0, /gate/adsr1 0, /mod/adsr1/attack 0.01, /mod/adsr1/curve 0, `
	if got := strings.Join(all, ", "); !strings.HasPrefix(got, want) || !strings.Contains(got, "/mod/filter1/mode 2") {
		t.Errorf("all are %s, want %s", got, want)
	}
	until(t, e, "redundant", redundant)
	if _, err := e.Kill(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	k.await("/event/flipped ")
	k.await("/event/worker_ready ")
	player.send("/patch/create", "more", "delay")
	player.send("/patch/connect", "filter1", "more")
	player.send("/patch/connect", "more", "out")
	player.send("/patch/commit")
	player.send("/sync", 1)
	if got := player.await("/synced 1"); !strings.HasPrefix(got[len(got)-2], "/patch/commit.reply ") {
		t.Errorf("%q", got)
	}
	k.await("/mod/more/")
	k.send("/get", "/mod/filter1/mode", "/mod/filter1/cutoff")
	if got := k.await(`/done "/get"`); !slices.Contains(got, `/mod/filter1/mode "bp"`) || !slices.Contains(got, "/mod/filter1/cutoff 3999") {
		t.Errorf("after the change: %q", got)
	}
	k.send("/notify", 0)
	k.await(`/done "/notify"`)
	player.send("/mod/filter1/cutoff", 1)
	player.await(`/fail "/mod/filter1/cutoff"`)
	player.send("/mod/filter1/cutoff", 100)
	player.await(`/done "/mod/filter1/cutoff"`)
	k.send("/ping")
	if got := k.next(patience); got != "/pong" {
		t.Errorf("after the end: %s", got)
	}
}

// A subscriber that never reads loses its connection; the other subscribers notice nothing.
func TestNotifyUnread(t *testing.T) {
	e := start(t)
	deaf, k, player := talkTo(t, e, "tcp"), talkTo(t, e, "tcp"), talkTo(t, e, "udp")
	_ = deaf.conn.(*net.TCPConn).SetReadBuffer(1)
	deaf.send("/notify", 1)
	deaf.send("/dumpOSC", 1)
	deaf.await(`/done "/dumpOSC"`)
	k.send("/notify", 1)
	k.await(`/done "/notify" 2`)
	long, err := osc.Encode("/ping", strings.Repeat("x", 60000))
	if err != nil {
		t.Fatal(err)
	}
	long = append(binary.BigEndian.AppendUint32(nil, uint32(len(long))), long...)
	_ = deaf.conn.SetWriteDeadline(time.Now().Add(patience))
	for err == nil { // until more waits for it than its system and ours hold, and the connection ends
		_, err = deaf.conn.Write(long)
	}
	if n := status(t, e).OSCStats.SlowClients; n != 1 {
		t.Fatalf("%d connections were slow: %v", n, err)
	}
	player.send("/mod/filter1/cutoff", 333)
	k.await("/mod/filter1/cutoff 333")
	if st := status(t, e); st.Concealed > 0 {
		t.Errorf("%d blocks concealed", st.Concealed)
	}
}

// /dumpOSC 1 shows the messages that come in, /dumpOSC 2 also the answers.
func TestDumpOSC(t *testing.T) {
	e := start(t)
	k, player := talkTo(t, e, "tcp"), talkTo(t, e, "udp")
	at := player.conn.LocalAddr()
	for _, tt := range []struct {
		kind int
		want []string
	}{
		{1, []string{fmt.Sprintf("udp %s /mod/filter1/cutof 0.5 \\\"x\\\"", at)}},
		{2, []string{
			fmt.Sprintf("udp %s /mod/filter1/cutof 0.5 \\\"x\\\"", at),
			fmt.Sprintf("-> udp %s /fail \\\"/mod/filter1/cutof\\\" \\\"unknown; the nearest is /mod/filter1/cutoff", at),
		}},
	} {
		k.send("/dumpOSC", tt.kind)
		k.await(`/done "/dumpOSC"`)
		player.send("/mod/filter1/cutof", float32(0.5), "x")
		for _, want := range tt.want {
			got := k.await(`/dumpOSC.reply "` + want[:3])
			if line := got[len(got)-1]; !strings.HasPrefix(line, `/dumpOSC.reply "`+want) {
				t.Errorf("/dumpOSC %d: %s, want %s", tt.kind, line, want)
			}
		}
	}
}

// Values survive a take-over and a resume.
func TestValuesSurvive(t *testing.T) {
	dir := t.TempDir()
	ways := func(c *actors.Config) { c.RuntimeDir, c.StateFile = dir, dir+"/state" }
	e := start(t, ways)
	k := talkTo(t, e, "udp")
	k.send("/mod/filter1/cutoff", 321)
	k.send("/mod/filter1/mode", "bp")
	k.send("/gate/adsr1", 0.5)
	k.send("/sync")
	k.await("/synced")
	e.Stop()
	if got := e.Values()["/mod/filter1/cutoff"]; got != float32(321) {
		t.Errorf("after the end it has %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resumed, err := actors.Start(ctx, actors.Config{OSC: "127.0.0.1:0", Backend: "null", Lead: testLead, RuntimeDir: dir, StateFile: dir + "/state", Resume: true,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer resumed.Stop()
	k = talkTo(t, resumed, "udp")
	k.send("/get", "/mod/filter1/*", "/gate/adsr1")
	if got := strings.Join(k.await(`/done "/get"`), ", "); got != `/mod/filter1/mode "bp", /mod/filter1/cutoff 321, /mod/filter1/q 0.707, /mod/filter1/gain 0, /gate/adsr1 0.5, /done "/get" 5` {
		t.Error(got)
	}
}
