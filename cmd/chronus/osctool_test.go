package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/music-chronus/chronus/osc"
	oscclient "github.com/music-chronus/chronus/osc/client"
)

// The osc commands list, read, set and watch addresses, and make layouts.
func TestOSCTools(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "32")
	bundle := filepath.Join(t.TempDir(), "layout")
	for _, tt := range []struct {
		args string
		code int
		want string // regular expression for both outputs
	}{
		{"ls /mod/filter1", 0, `(?m)^/mod/filter1/mode +lp +lp, hp, bp.*\n/mod/filter1/cutoff +2000 +a number from 10 to \d+ Hz .*\n`},
		{"ls /mod/*/cutoff", 0, `^/mod/filter1/cutoff .*\n$`},
		{"ls /engine/st", 0, `^/engine/status +no argument +answers with the engine.s state.*\n$`},
		{"ls --json /mod/filter1/mode", 0, `"address": "/mod/filter1/mode",\s+"kind": "name",[^}]*"value": "lp"`},
		{"ls /nothing", 1, `no address begins with /nothing`},
		{"ls /mod/*/nothing", 1, `/mod/\*/nothing: `},
		{"get /mod/filter1/mode /mod/sine1/*", 0, `^/mod/filter1/mode "lp"\n/mod/sine1/freq 440\n/mod/sine1/gain 0.5\n$`},
		{"get /mod/filter1/mod", 1, `/get: /mod/filter1/mod: unknown; the nearest is /mod/filter1/mode`},
		{"set /mod/filter1/mode hp /mod/filter1/gain -3", 0, `^/done "/mod/filter1/mode"\n/done "/mod/filter1/gain"\n$`},
		{"set /mod/filter1/mode xx /mod/filter1/q 2", 1, `(?s)/fail "/mod/filter1/mode" .*/done "/mod/filter1/q"`},
		{"set /mod/filter1/mode", 1, `each address takes a value`},
		{"set nothing 1", 1, `must begin with /`},
		{"get /mod/filter1/*", 0, `^/mod/filter1/mode "hp"\n/mod/filter1/cutoff 2000\n/mod/filter1/q 2\n/mod/filter1/gain -3\n$`},
		{"send /mod/filter1/gain -1", 0, `^/done "/mod/filter1/gain"\n$`},
		{"watch --count 2 /mod/filter1/g /mod/filter1/m", 0, `^/mod/filter1/mode "hp"\n/mod/filter1/gain -1\n$`},
		{"layout touchosc -o " + bundle, 0, `^$`},
		{"layout open-stage-control -o " + bundle + " --patch songs/night", 0, `^$`},
		{"layout other -o " + bundle, 1, `layout "other": must be touchosc or open-stage-control`},
		{"layout touchosc --patch nothing -o " + bundle, 1, `nothing`},
		{"get --osc 127.0.0.1:1 /x", 1, `OSC address "127.0.0.1:1"`},
	} {
		words := strings.Fields(tt.args)
		args := append([]string{"osc", words[0], "--runtime-dir", e.dir}, words[1:]...)
		out, errOut, code := chronus(args...)
		if code != tt.code || !regexp.MustCompile(tt.want).MatchString(out+errOut) {
			t.Errorf("osc %s: %d %s%s, want %d %s", tt.args, code, out, errOut, tt.code, tt.want)
		}
	}
	if b, err := os.ReadFile(bundle); err != nil || !strings.Contains(string(b), "/seq/bpm") {
		t.Errorf("the layout: %v, %d bytes", err, len(b))
	}
}

// Dump prints what the engine receives, and with --replies what it answers.
func TestOSCDump(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "32")
	for _, tt := range []struct {
		flags []string
		send  []string
		want  string
	}{
		{[]string{"--count", "1"}, []string{"/mod/filter1/q", "3"}, `^udp 127.0.0.1:\d+ /mod/filter1/q 3\n$`},
		{[]string{"--replies", "--count", "30"}, []string{"/mod/filter1/q", "300"}, // with the answer to /dumpOSC itself
			`(?m)^udp 127.0.0.1:\d+ /mod/filter1/q 300\n(.*\n)*-> udp 127.0.0.1:\d+ /fail "/mod/filter1/q" "300 is not a number from `},
	} {
		done := make(chan string)
		go func() {
			out, errOut, _ := chronus(append([]string{"osc", "dump", "--runtime-dir", e.dir}, tt.flags...)...)
			done <- out + errOut
		}()
		for ended := false; !ended; { // until the dump has its lines
			select {
			case out := <-done:
				if ended = true; !regexp.MustCompile(tt.want).MatchString(out) {
					t.Errorf("dump %v: %s", tt.flags, out)
				}
			case <-time.After(20 * time.Millisecond):
				if c, err := oscclient.Dial(oscclient.UDP, e.must().OSC, replyWait); err != nil {
					t.Fatal(err)
				} else {
					args, _ := parseArgs(tt.send[1:])
					_ = c.Send(tt.send[0], args...)
					_ = c.Close()
				}
			}
		}
	}
}

// asked decodes the answer of an OSCQuery server and returns its status code.
func asked(t *testing.T, e *engineProcess, path string, v any) int {
	t.Helper()
	resp, err := http.Get("http://" + e.must().OSCQuery + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, v); err != nil {
			t.Fatalf("%s: %v: %s", path, err, b)
		}
	}
	return resp.StatusCode
}

// A client of OSCQuery finds the addresses and values of an engine, plays it at the address of
// HOST_INFO, and is notified of changes and of another patch. An engine that takes over knows the
// values that were set.
func TestOSCQuery(t *testing.T) {
	dir := t.TempDir()
	e := upIn(t, dir, "--backend", "null", "--lead", "64")
	var host struct {
		IP   string `json:"OSC_IP"`
		Port int    `json:"OSC_PORT"`
	}
	var value struct{ VALUE []any }
	if asked(t, e, "/?HOST_INFO", &host); host.IP != "127.0.0.1" || !strings.HasSuffix(e.must().OSC, ":"+strconv.Itoa(host.Port)) {
		t.Errorf("%+v", host)
	}
	if asked(t, e, "/mod/filter1/mode?VALUE", &value); len(value.VALUE) != 1 || value.VALUE[0] != "lp" {
		t.Errorf("%+v", value)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+e.must().OSCQuery, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	next := func() string {
		t.Helper()
		kind, b, err := ws.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if kind == websocket.MessageBinary {
			var d osc.Decoder
			d.Decode(b, func(m *osc.Message) { text = m.String() }, func(e *osc.DecodeError) { text = e.Error() })
		}
		return text
	}
	if err := ws.Write(ctx, websocket.MessageText, []byte(`{"COMMAND":"LISTEN","DATA":"/mod/filter1/cutoff"}`)); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "/mod/filter1/cutoff 2000" {
		t.Error(got)
	}
	send := e.sender()
	send("/mod/filter1/mode", "hp")
	send("/mod/filter1/cutoff", "700")
	if got := next(); got != "/mod/filter1/cutoff 700" {
		t.Error(got)
	}
	send("/patch/create", "echo1", "delay")
	send("/patch/connect", "filter1", "echo1")
	send("/patch/connect", "echo1", "out")
	send("/patch/commit")
	if got := next(); !strings.HasPrefix(got, `{"COMMAND":"PATH_ADDED","DATA":"/mod/echo1/`) {
		t.Error(got)
	}
	if asked(t, e, "/mod/filter1/cutoff?VALUE", &value); len(value.VALUE) != 1 || value.VALUE[0] != 700.0 {
		t.Errorf("after the change: %+v", value)
	}
	if code := asked(t, e, "/mod/echo2", nil); code != http.StatusNotFound {
		t.Errorf("what there is not: %d", code)
	}
	outlived(t, e, dir)
}

// outlived waits until the values of TestOSCQuery are saved, and checks that the next engine knows
// them.
func outlived(t *testing.T, e *engineProcess, dir string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) { // until the values are saved
		b, _ := os.ReadFile(filepath.Join(dir, "state"))
		if head, _, _ := strings.Cut(string(b), "\n"); strings.Contains(head, `"/mod/filter1/cutoff":700`) && strings.Contains(head, "echo1") {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("the values are not saved")
		}
	}
	e.murder()
	e = upIn(t, dir, "--backend", "null", "--lead", "64")
	var value struct{ VALUE []any }
	if asked(t, e, "/mod/filter1/cutoff?VALUE", &value); len(value.VALUE) != 1 || value.VALUE[0] != 700.0 {
		t.Errorf("after the engine: %+v", value)
	}
}

// The OSCQuery server listens at the address of --oscquery, or not at all.
func TestOSCQueryAddress(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--oscquery", "none"}, `^$`}, {[]string{"--oscquery", "[::1]:0"}, `^\[::1\]:\d+$`}, {[]string{"--osc", "none"}, `^$`},
	} {
		e := up(t, append([]string{"--backend", "null"}, tt.flags...)...)
		if got := e.must().OSCQuery; !regexp.MustCompile(tt.want).MatchString(got) {
			t.Errorf("%v: %q, want %s", tt.flags, got, tt.want)
		}
		e.down()
	}
	for flags, want := range map[string]string{
		"--osc none --oscquery 127.0.0.1:0": "has no OSC server to describe", "--osc 127.0.0.1:0 --oscquery 0.0.0.0:0": "--osc-allow", "--osc 127.0.0.1:0 --oscquery x": "want host:port",
	} {
		_, errOut, code := chronus(append([]string{"up", "--backend", "null", "--state", "none", "--runtime-dir", t.TempDir()}, strings.Fields(flags)...)...)
		if code != 1 || !strings.Contains(errOut, want) {
			t.Errorf("%s: %d %s, want %s", flags, code, errOut, want)
		}
	}
}
