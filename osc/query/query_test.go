package query

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/admission"
	"github.com/music-chronus/chronus/osc/feed"
)

// board implements Values with values that a test sets.
type board struct {
	space  *osc.Space
	mu     sync.Mutex
	values map[string]float64
	stamps map[string]uint64
}

func (b *board) Space() *osc.Space { return b.space }

func (b *board) Value(entry int) (v float64, stamp uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &b.space.Entries()[entry]
	return b.values[e.Address], b.stamps[e.Address], e.HasValue()
}

func (b *board) set(address string, v float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.values[address] = v
	b.stamps[address]++
}

func boardOf(t testing.TB, entries ...osc.Entry) *board {
	t.Helper()
	space, err := osc.NewSpace(entries)
	if err != nil {
		t.Fatal(err)
	}
	return &board{space: space, values: map[string]float64{}, stamps: map[string]uint64{}}
}

func testEntries() []osc.Entry {
	return []osc.Entry{
		{Address: "/mod/f/cutoff", Min: 10, Max: 20000, Unit: "Hz", Doc: "corner frequency"},
		{Address: "/mod/f/mode", Kind: osc.Name, Names: []string{"lp", "hp"}},
		{Address: "/mod/f/taps", Min: 1, Max: 8, Whole: true},
		{Address: "/gate/e", Kind: osc.Gate},
		{Address: "/note/on", Kind: osc.Key, Max: 1},
		{Address: "/note/off", Kind: osc.Key, All: true},
		{Address: "/seq/ramp", Kind: osc.List, Min: 1, Max: 400, Least: 2, Most: 2},
		{Address: "/pattern/0/steps", Kind: osc.Text, Most: 128},
		{Address: "/patch/connect", Kind: osc.Words, Least: 2, Most: 2, Usage: "from to", RequiresToken: true, Doc: "adds a cable"},
		{Address: "/engine/status", Kind: osc.Query},
		{Address: "/notify", Kind: osc.Words, Least: 1, Most: 1, Usage: "0 or 1"},
		{Address: "/notify/resync", Kind: osc.Query},
	}
}

// serve starts a server with its feed.
func serve(t *testing.T, b *board) (s *Server, view *atomic.Pointer[board]) {
	t.Helper()
	view = new(atomic.Pointer[board])
	view.Store(b)
	now := func() feed.Values { return view.Load() }
	f := feed.New(now)
	t.Cleanup(f.Close)
	s, err := Listen("127.0.0.1:0", Config{Name: "test", OSC: netip.MustParseAddrPort("127.0.0.1:5005"), Feed: f, Values: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, view
}

// get sends an HTTP request.
func get(t *testing.T, s *Server, method, path, host string) (code int, body string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+s.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// HTTP answers as the proposal says: the tree, a part of it, one attribute, and the right code for
// missing ones.
func TestHTTP(t *testing.T) {
	b := boardOf(t, testEntries()...)
	b.set("/mod/f/cutoff", 500)
	b.set("/mod/f/mode", 1)
	b.set("/mod/f/taps", 3)
	s, _ := serve(t, b)
	if s.http.ReadTimeout <= 0 || s.http.WriteTimeout <= 0 {
		t.Error("a body that is announced and not sent would be waited for without end")
	}
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"/mod/f/cutoff", 200, `{"FULL_PATH":"/mod/f/cutoff","DESCRIPTION":"corner frequency","ACCESS":3,"TYPE":"f","VALUE":[500],"RANGE":[{"MIN":10,"MAX":20000}],"UNIT":["frequency.Hz"],"CLIPMODE":["none"]}`},
		{"/mod/f/mode", 200, `{"FULL_PATH":"/mod/f/mode","ACCESS":3,"TYPE":"s","VALUE":["hp"],"RANGE":[{"VALS":["lp","hp"]}],"CLIPMODE":["none"]}`},
		{"/mod/f/taps", 200, `{"FULL_PATH":"/mod/f/taps","ACCESS":3,"TYPE":"i","VALUE":[3],"RANGE":[{"MIN":1,"MAX":8}],"CLIPMODE":["none"]}`},
		{"/gate/e", 200, `{"FULL_PATH":"/gate/e","ACCESS":3,"TYPE":"f","VALUE":[0],"RANGE":[{"MIN":0,"MAX":1}],"CLIPMODE":["none"]}`},
		{"/note", 200, `{"FULL_PATH":"/note","CONTENTS":{"off":{"FULL_PATH":"/note/off","ACCESS":2,"TYPE":"i","RANGE":[{"MIN":0,"MAX":127}],"CLIPMODE":["none"]},` +
			`"on":{"FULL_PATH":"/note/on","ACCESS":2,"TYPE":"if","RANGE":[{"MIN":0,"MAX":127},{"MIN":0,"MAX":1}],"CLIPMODE":["none","none"]}},"ACCESS":0}`},
		{"/seq/ramp", 200, `{"FULL_PATH":"/seq/ramp","ACCESS":2,"TYPE":"ff","RANGE":[{"MIN":1,"MAX":400},{"MIN":1,"MAX":400}],"CLIPMODE":["none","none"]}`},
		{"/pattern/0/steps", 200, `{"FULL_PATH":"/pattern/0/steps","ACCESS":2,"TYPE":"s"}`},
		{"/patch/connect", 200, `{"FULL_PATH":"/patch/connect","DESCRIPTION":"adds a cable; takes from to","ACCESS":2,"TYPE":"ss","TAGS":["requires_token"]}`},
		{"/notify/", 200, `{"FULL_PATH":"/notify","CONTENTS":{"resync":{"FULL_PATH":"/notify/resync","ACCESS":2,"TYPE":""}},"DESCRIPTION":"; takes 0 or 1","ACCESS":2,"TYPE":"s"}`},
		{"/mod/f/mode?VALUE", 200, `{"VALUE":["hp"]}`},
		{"/mod/f/mode?TYPE", 200, `{"TYPE":"s"}`},
		{"/mod?ACCESS", 200, `{"ACCESS":0}`},
		{"/note/on?VALUE", 204, ""},
		{"/mod?TYPE", 204, ""},
		{"/mod/f/mode?UNIT", 204, ""},
		{"/mod/f/mode?COLOUR", 400, "unknown attribute"},
		{"/mod/f/mod", 404, "unknown address"},
		{"/mod/f/mode/x", 404, "unknown address"},
		{"/mo", 404, "unknown address"},
	} {
		code, body := get(t, s, "GET", tt.path, "localhost")
		if code != tt.code || body != tt.want && !(code >= 400 && strings.HasPrefix(body, tt.want)) {
			t.Errorf("%s: %d %s\nwant %d %s", tt.path, code, body, tt.code, tt.want)
		}
	}
	b.set("/gate/e", 1e300) // a level above the range of float32
	if code, body := get(t, s, "GET", "/gate/e?VALUE", "localhost"); code != 200 || body != `{"VALUE":[3.4028235e+38]}` {
		t.Errorf("a level above what fits: %d %s", code, body)
	}
	var root node
	if _, body := get(t, s, "GET", "/", "127.0.0.1:1"); json.Unmarshal([]byte(body), &root) != nil || root.Path != "/" || len(root.Contents) != 8 ||
		root.Contents["mod"].Contents["f"].Contents["cutoff"].Value[0] != 500.0 {
		t.Errorf("the root: %s", body)
	}
	for _, tt := range []struct {
		method, host string
		code         int
	}{{"POST", "localhost", 405}, {"HEAD", "localhost", 200}, {"GET", "evil.example", 403}, {"GET", "[::1]:80", 200}, {"GET", s.names[0], 200}} {
		if code, body := get(t, s, tt.method, "/", tt.host); code != tt.code {
			t.Errorf("%s of %s: %d %s", tt.method, tt.host, code, body)
		}
	}
}

// HOST_INFO has the OSC address, and the supported parts of the proposal.
func TestHostInfo(t *testing.T) {
	s, _ := serve(t, boardOf(t, testEntries()...))
	s.cfg.OSC = netip.MustParseAddrPort("0.0.0.0:5005")
	for _, path := range []string{"/?HOST_INFO", "/nowhere?HOST_INFO"} {
		var h hostInfo
		_, body := get(t, s, "GET", path, "localhost")
		if err := json.Unmarshal([]byte(body), &h); err != nil {
			t.Fatal(err)
		}
		if h.Name != "test" || h.OSCIP != "127.0.0.1" || h.OSCPort != 5005 || h.Transport != "UDP" || h.WSPort != int(s.Addr().Port()) || h.WSIP != "127.0.0.1" ||
			!h.Extensions["LISTEN"] || !h.Extensions["PATH_CHANGED"] || h.Extensions["PATH_RENAMED"] {
			t.Errorf("%s: %s", path, body)
		}
	}
	for _, name := range []string{"ACCESS", "VALUE", "RANGE", "UNIT", "DESCRIPTION", "CLIPMODE", "TAGS"} {
		n := reflect.TypeFor[node]()
		found := false
		for i := range n.NumField() {
			found = found || strings.HasPrefix(n.Field(i).Tag.Get("json"), name)
		}
		if !found || !extensions()[name] {
			t.Errorf("%s is said to be there", name)
		}
	}
}

// client is a WebSocket client, and the frames that it received.
type client struct {
	t  *testing.T
	ws *websocket.Conn
}

func dial(t *testing.T, s *Server) *client {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+s.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &client{t, ws}
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := c.ws.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next frame: OSC as a line, text as it is.
func (c *client) next() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), httpTimeout)
	defer cancel()
	kind, b, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind == websocket.MessageText {
		return string(b)
	}
	line := ""
	var d osc.Decoder
	d.Decode(b, func(m *osc.Message) { line = m.String() }, func(e *osc.DecodeError) { line = e.Error() })
	return line
}

// A listening client receives the value and each change as OSC, until IGNORE. After a change of the
// space it receives the paths.
func TestWebSocket(t *testing.T) {
	b := boardOf(t, testEntries()...)
	s, view := serve(t, b)
	c := dial(t, s)
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := c.next(); got != w {
				t.Errorf("told %s, want %s", got, w)
			}
		}
	}
	for _, nonsense := range []string{"", "{", `{"COMMAND":"LISTEN"}`, `{"COMMAND":"DANCE","DATA":"/gate/e"}`, `{"COMMAND":"LISTEN","DATA":["/gate/e"]}`} {
		c.say(nonsense)
	}
	c.say(`{"COMMAND":"LISTEN","DATA":"/mod/f/cutoff"}`)
	expect("/mod/f/cutoff 0")
	b.set("/gate/e", 1)
	b.set("/mod/f/cutoff", 440)
	expect("/mod/f/cutoff 440")
	c.say(`{"COMMAND":"LISTEN","DATA":"/mod/f/mode"}`)
	expect(`/mod/f/mode "lp"`)
	c.say(`{"COMMAND":"IGNORE","DATA":"/mod/f/mode"}`)
	c.say(`{"COMMAND":"LISTEN","DATA":"/gate/e"}`)
	expect("/gate/e 1")
	b.set("/mod/f/mode", 1)
	b.set("/gate/e", 0)
	expect("/gate/e 0")

	entries := slices.Delete(testEntries(), 3, 4)
	entries[0].Max = 10000
	now := boardOf(t, append(entries, osc.Entry{Address: "/mod/g/gain", Max: 1})...)
	now.set("/mod/f/cutoff", 440)
	view.Store(now)
	expect(`{"COMMAND":"PATH_REMOVED","DATA":"/gate/e"}`, `{"COMMAND":"PATH_ADDED","DATA":"/mod/g/gain"}`, `{"COMMAND":"PATH_CHANGED","DATA":"/mod/f/cutoff"}`)
	many := entries
	for i := range maxPaths + 1 {
		many = append(many, osc.Entry{Address: fmt.Sprint("/many/", i), Max: 1})
	}
	view.Store(boardOf(t, many...))
	expect(`{"COMMAND":"PATH_CHANGED","DATA":"/"}`)
}

// The number of WebSockets is bounded; one that ends makes room.
func TestWebSocketPlaces(t *testing.T) {
	s, _ := serve(t, boardOf(t, testEntries()...))
	var last *client
	for range maxSockets {
		last = dial(t, s)
		last.say(`{"COMMAND":"LISTEN","DATA":"/gate/e"}`)
		last.next()
	}
	if _, _, err := websocket.Dial(t.Context(), "ws://"+s.Addr().String(), nil); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("one too many: %v", err)
	}
	_ = last.ws.Close(websocket.StatusNormalClosure, "")
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if ws, _, err := websocket.Dial(t.Context(), "ws://"+s.Addr().String(), nil); err == nil {
			_ = ws.CloseNow()
			return
		}
		if time.Since(began) > httpTimeout {
			t.Fatal("the place is not free")
		}
	}
}

// A client that listens and never reads loses its connection. Others receive values all the same.
func TestWebSocketUnread(t *testing.T) {
	b := boardOf(t, testEntries()...)
	s, _ := serve(t, b)
	l := &listener{out: make(chan frame, maxQueue), end: func() {}}
	for range maxQueue {
		if err := l.send("/gate/e", 1); err != nil {
			t.Fatal(err)
		}
	}
	ended := false
	l.end = func() { ended = true }
	if err := l.send("/gate/e", 1); err == nil || !ended {
		t.Errorf("%v, ended %t", err, ended)
	}
	c := dial(t, s)
	c.say(`{"COMMAND":"LISTEN","DATA":"/gate/e"}`)
	c.next()
	s.Close() // with a client that listens
}

// Errors of the address say what is wrong. Connections above the quota are closed.
func TestListen(t *testing.T) {
	s, _ := serve(t, boardOf(t))
	for address, want := range map[string]string{
		s.Addr().String(): "in use", "nonsense": "want host:port", "0.0.0.0:0": "--osc-allow",
	} {
		if _, err := Listen(address, Config{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	in := &limited{Listener: l, places: admission.NewQuota(1)}
	go func() {
		for {
			if _, err := in.Accept(); err != nil {
				return
			}
		}
	}()
	for i := range 2 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if i == 1 {
			_ = c.SetReadDeadline(time.Now().Add(httpTimeout))
		}
		if _, err := c.Read(make([]byte, 1)); (err == io.EOF) != (i == 1) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}
