package audio

import (
	"errors"
	"slices"
	"testing"

	"github.com/music-chronus/chronus/audio/soundserver"
	"github.com/music-chronus/chronus/shm/wire"
)

// shelf is a backend with one device, and its stream.
type shelf struct {
	name   string
	err    error
	asked  []string // for devices
	wiring [][]string
}

func (s *shelf) Name() string               { return s.name }
func (s *shelf) Devices() ([]Device, error) { return nil, nil }
func (s *shelf) Info() Info                 { return Info{Backend: s.name, API: "A", Device: "d", Channels: 2} }
func (s *shelf) Start() error               { return nil }
func (s *shelf) Stop() error                { return nil }
func (s *shelf) Close() error               { return nil }
func (s *shelf) Xruns() uint64              { return 0 }
func (s *shelf) Err() error                 { return nil }
func (s *shelf) Wiring() [][]string         { return s.wiring }

func (s *shelf) Open(r Request, _ Fill) (Stream, error) {
	s.asked = append(s.asked, r.Device)
	if s.err != nil {
		return nil, s.err
	}
	return s, nil
}

// "auto" passes a device name to the backend that has it. The null device is never the preferred
// one: while it plays, the others are looked for.
func TestAuto(t *testing.T) {
	broken, other := errors.New("broken"), errors.New("no device hw:3")
	for _, tt := range []struct {
		name        string
		jack, pa    error
		alone       bool
		want        string // the backend that plays; "": none
		first       bool
		askedSecond string
	}{
		{"the first", nil, nil, false, "jack", true, ""},
		{"another's name", other, nil, false, "portaudio", true, "hw:3"},
		{"the first is broken", broken, nil, false, "portaudio", true, ""},
		{"a name is not for the last resort", other, broken, false, "", false, "hw:3"},
		{"alone", other, nil, true, "portaudio", true, "hw:3"},
		{"alone, none", other, broken, true, "", false, "hw:3"},
	} {
		jack, pa := &shelf{name: "jack", err: tt.jack}, &shelf{name: "portaudio", err: tt.pa}
		p := process{servers: func() soundserver.Servers { return soundserver.Servers{} }, backends: []Backend{jack, pa, &shelf{name: "null"}, &shelf{name: "file"}}}
		s, first, note, err := p.try(wire.Target{Backend: auto, Device: "hw:3"}, tt.alone, Request{}, nil)
		if (err != nil) != (tt.want == "") || err == nil && (s.Info().Backend != tt.want || first != tt.first) {
			t.Errorf("%s: %v, first %t, %q, error %v", tt.name, s, first, note, err)
		}
		if tt.askedSecond != "" && !slices.Equal(pa.asked, []string{tt.askedSecond}) {
			t.Errorf("%s: portaudio was asked for %q", tt.name, pa.asked)
		}
	}
	p := process{servers: func() soundserver.Servers { return soundserver.Servers{} }, backends: []Backend{&shelf{name: "null"}}}
	if _, first, _, err := p.try(wire.Target{Backend: auto}, false, Request{}, nil); err != nil || !first {
		t.Errorf("null alone: first %t, error %v", first, err)
	}
}

// The process records the wiring of the device that plays, or the one it was given for the device
// that is replaced. Reading it allocates nothing.
func TestReportWiring(t *testing.T) {
	s := &shelf{name: "jack"}
	given := &wire.Wiring{Of: "jack/A/other", Ports: [][]string{{"x"}, {}}}
	p := process{stream: s, path: s.Info().Path(), opened: &wire.Opened{Wiring: given}, notify: func(wire.Notice) bool { return true }}
	p.reportWiring()
	if p.opened.Wiring != given {
		t.Errorf("wiring %+v of a device that has not decided", p.opened.Wiring)
	}
	s.wiring = [][]string{{"x"}, {}}
	p.reportWiring()
	if w := p.opened.Wiring; w.Of != "jack/A/d" || !slices.EqualFunc(w.Ports, s.wiring, slices.Equal) {
		t.Errorf("wiring %+v", w)
	}
	if n := testing.AllocsPerRun(10, p.reportWiring); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
