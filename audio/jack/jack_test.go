package jack_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/backendtest"
	"github.com/music-chronus/chronus/audio/jack"
)

func silent(out []float32) { clear(out) }

// open opens the default server, and closes the stream at the end of the test.
func open(t *testing.T, r audio.Request, fill audio.Fill) audio.Stream {
	t.Helper()
	s, err := jack.Backend{}.Open(r, fill)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func started(t *testing.T, r audio.Request, fill audio.Fill) audio.Stream {
	t.Helper()
	s := open(t, r, fill)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); <-time.After(5 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// connections lists the peers of each port of the graph, as jack_lsp prints them.
func connections(t *testing.T) map[string][]string {
	t.Helper()
	out, err := backendtest.Tool("jack_lsp", "-c")
	if err != nil {
		t.Fatalf("jack_lsp: %v", err)
	}
	all, last := map[string][]string{}, ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if other, ok := strings.CutPrefix(line, "   "); ok {
			all[last] = append(all[last], other)
		} else {
			last, all[line] = line, nil
		}
	}
	return all
}

func awaitConnected(t *testing.T, port string, want ...string) {
	t.Helper()
	var got []string
	for began := time.Now(); ; <-time.After(5 * time.Millisecond) {
		if got = connections(t)[port]; slices.Equal(got, want) {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%s is connected with %q, want %q", port, got, want)
		}
	}
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}

var both = audio.Request{Rate: 48000, Channels: 2}

func with(f func(*audio.Request)) audio.Request {
	r := both
	f(&r)
	return r
}

// The backend fulfils the contract of backends on synchronous and asynchronous servers, and uses
// the server's period.
func TestBackend(t *testing.T) {
	for _, as := range []backendtest.JACKOptions{{Rate: 48000, Period: 64}, {Rate: 48000, Period: 1024}, {Rate: 48000, Period: 256, Async: true}} {
		t.Run(fmt.Sprintf("%+v", as), func(t *testing.T) {
			server := backendtest.StartJACK(t, as)
			for range 2 {
				if got := backendtest.Run(t, jack.Backend{}, both); got != as.Period {
					t.Errorf("period %d", got)
				}
			}
			info := open(t, both, silent).Info()
			if want := (audio.Info{Backend: "jack", API: "JACK", Device: server.Name, Rate: 48000, Channels: 2, Period: as.Period}); info != want {
				t.Errorf("info %+v, want %+v", info, want)
			}
		})
	}
}

// Client and ports have the requested names. A name that is taken gets a number, which is reported.
func TestNames(t *testing.T) {
	backendtest.JACK(t, 48000, 128)
	first := open(t, with(func(r *audio.Request) { r.Channels = 3 }), silent)
	second := open(t, both, silent)
	third := open(t, with(func(r *audio.Request) { r.ClientName = "organ" }), silent)
	ports := connections(t)
	for _, p := range []string{"chronus:out_1", "chronus:out_3", "chronus-01:out_2", "organ:out_1"} {
		if _, ok := ports[p]; !ok {
			t.Errorf("port %s is missing: %v", p, ports)
		}
	}
	if n := first.Info().Note + third.Info().Note; n != "" {
		t.Errorf("note %q", n)
	}
	if n, want := second.Info().Note, `jack: client name "chronus" is taken: using "chronus-01"`; n != want {
		t.Errorf("note %q, want %q", n, want)
	}
}

// A stream that is opened again waits for the name of a client that is about to end.
func TestNameComesFree(t *testing.T) {
	backendtest.JACK(t, 48000, 128)
	first := open(t, both, silent)
	go func() {
		<-time.After(50 * time.Millisecond)
		_ = first.Close()
	}()
	second := open(t, with(func(r *audio.Request) { r.Again = true }), silent)
	if n := second.Info().Note; n != "" {
		t.Errorf("note %q", n)
	}
}

// An invalid request returns one line that names the fault and a remedy.
func TestRefusals(t *testing.T) {
	t.Setenv("JACK_DEFAULT_SERVER", "chronus-none")
	refused := func(r audio.Request, want string) {
		t.Helper()
		if _, err := (jack.Backend{}).Open(r, silent); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", r, err, want)
		}
	}
	refused(both, `jack: server "chronus-none" is not running: start jackd or PipeWire (with pw-jack), or choose another --backend`)
	if list, err := (jack.Backend{}).Devices(); err != nil || len(list) != 0 {
		t.Errorf("devices without a server: %v, %v", list, err)
	}
	name := backendtest.JACK(t, 44100, 128)
	refused(both, `jack: server "`+name+`" runs at 44100 Hz, not 48000: start with --rate 44100`)
	other := with(func(r *audio.Request) { r.Device, r.Rate = "hw:3", 44100 })
	refused(other, `jack: no device "hw:3": try JACK, or JACK/SERVER`)
	refused(with(func(r *audio.Request) { r.Device = "JACK/chronus-none" }),
		`jack: server "chronus-none" is not running: start jackd or PipeWire (with pw-jack), or choose another --backend`)
	refused(with(func(r *audio.Request) { r.Channels, r.Rate = 65, 44100 }), `jack: 65 channels: a client has at most 64 ports`)
	for _, device := range []string{"jack", "JACK/" + name, name} {
		open(t, audio.Request{Rate: 44100, Channels: 1, Device: device}, silent)
	}
}

// The server's period stays, and the note says how to change it.
func TestPeriodIsTheServers(t *testing.T) {
	backendtest.JACK(t, 48000, 128)
	info := open(t, with(func(r *audio.Request) { r.Period = 256 }), silent).Info()
	if want := "jack: the server's period is 128 frames, not 256; try jack_bufsize 256"; info.Period != 128 || info.Note != want {
		t.Errorf("period %d, note %q, want %q", info.Period, info.Note, want)
	}
}

func TestDevices(t *testing.T) {
	name := backendtest.StartJACK(t, backendtest.JACKOptions{Rate: 44100, Period: 128, Playback: 5}).Name
	list, err := jack.Backend{}.Devices()
	if err != nil {
		t.Fatal(err)
	}
	want := audio.Device{ID: "JACK/" + name, API: "JACK", Name: name, Channels: 5, Rate: 44100, Default: true}
	if len(list) != 1 || list[0] != want {
		t.Errorf("%+v, want %+v", list, want)
	}
}

// A server that dies ends the stream at once. Close then takes bounded time.
func TestServerDies(t *testing.T) {
	server := backendtest.JACKServer(t, 48000, 128)
	var calls atomic.Int64
	s := started(t, both, func(out []float32) { clear(out); calls.Add(1) })
	await(t, "calls", func() bool { return calls.Load() > 10 })
	awaitConnected(t, "chronus:out_1", "system:playback_1")
	wiring := s.(audio.Wired)
	await(t, "the wiring", func() bool { return len(wiring.Wiring()) == 2 })
	before := wiring.Wiring()
	server.Kill(t)
	await(t, "the error", func() bool { return s.Err() != nil })
	if err := s.Err().Error(); !strings.HasPrefix(err, `jack: server "`+server.Name+`" has ended: `) {
		t.Errorf("error %q", err)
	}
	if after := wiring.Wiring(); !slices.EqualFunc(before, after, slices.Equal) {
		t.Errorf("wiring %q, before the server died %q", after, before)
	}
	closed(t, s)
}

func closed(t *testing.T, s audio.Stream) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Close()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Close has not returned")
	}
}

// A stopped server ends the stream, too. Opening another stream fails in bounded time.
func TestServerStops(t *testing.T) {
	server := backendtest.JACKServer(t, 48000, 128)
	s := started(t, both, silent)
	server.Signal(t, syscall.SIGSTOP)
	defer server.Signal(t, syscall.SIGCONT)
	await(t, "the error", func() bool { return s.Err() != nil })
	if err := s.Err().Error(); !strings.Contains(err, "is lost: it asked for no sound in 1.1s") {
		t.Errorf("error %q", err)
	}
	if _, err := (jack.Backend{}).Open(both, silent); err == nil || !strings.Contains(err.Error(), "the server has not answered for 2s") {
		t.Errorf("opening another: %v", err)
	}
	closed(t, s)
}

// A server that dies during Open causes an error.
func TestServerDiesDuringOpen(t *testing.T) {
	server := backendtest.JACKServer(t, 48000, 128)
	server.Signal(t, syscall.SIGSTOP)
	refused := make(chan error)
	go func() {
		_, err := jack.Backend{}.Open(both, silent)
		refused <- err
	}()
	select {
	case err := <-refused:
		t.Fatalf("a server that stands still gave %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	server.Kill(t)
	if err := <-refused; err == nil || !strings.HasPrefix(err.Error(), "jack: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}
