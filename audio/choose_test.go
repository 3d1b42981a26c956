package audio

import (
	"errors"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/audio/soundserver"
	"github.com/music-chronus/chronus/shm/wire"
)

// fakeBackend has one device with its own name, or an error instead.
type fakeBackend struct {
	name string
	err  error
	got  *[]string // devices that Open was called with
}

func (b fakeBackend) Name() string               { return b.name }
func (b fakeBackend) Devices() ([]Device, error) { return nil, nil }

func (b fakeBackend) Open(r Request, _ Fill) (Stream, error) {
	*b.got = append(*b.got, b.name+":"+r.Device)
	if b.err != nil {
		return nil, b.err
	}
	if r.Device != "" && r.Device != b.name {
		return nil, errors.New(b.name + " has no device " + r.Device)
	}
	return fakeStream{b.name}, nil
}

type fakeStream struct{ backend string }

func (s fakeStream) Info() Info  { return Info{Backend: s.backend} }
func (fakeStream) Start() error  { return nil }
func (fakeStream) Stop() error   { return nil }
func (fakeStream) Close() error  { return nil }
func (fakeStream) Xruns() uint64 { return 0 }
func (fakeStream) Err() error    { return nil }

// TestChoose lists every case in which a device is missing, and what is opened or reported instead.
func TestChoose(t *testing.T) {
	none := soundserver.Servers{}
	absent := errors.New("no server")
	refusal := Refused(errors.New("runs at 44100 Hz"))
	target := func(s string) (t wire.Target) {
		t.Backend, t.Device, _ = strings.Cut(s, ":")
		return t
	}
	for _, tt := range []struct {
		name   string
		order  string // the target
		others []string
		alone  bool
		jack   error
		cards  error
		server soundserver.Servers
		want   string // the backend that opens, or a part of the error
		second bool
	}{
		{"best", "auto", nil, false, nil, nil, none, "jack", false},
		{"next", "auto", nil, false, absent, nil, none, "cards", false},
		{"no card", "auto", nil, false, absent, absent, none, "null", true},
		{"a server that dies", "auto", nil, false, absent, absent, soundserver.Servers{PipeWire: true}, "PipeWire is running and offers no device", false},
		{"a server that dies, with a fallback", "auto", []string{"null"}, false, absent, absent, soundserver.Servers{PipeWire: true}, "null", true},
		{"looked for again", "auto", nil, true, absent, absent, none, "no server", false},
		{"refused", "auto", nil, false, refusal, absent, none, "runs at 44100 Hz", false},
		{"refused, not by the next", "auto", nil, false, refusal, nil, none, "cards", false},
		{"refused, with a fallback", "auto", []string{"null"}, false, refusal, absent, none, "null", true},
		{"named", "auto:cards", nil, false, absent, nil, none, "cards", false},
		{"named and missing", "auto:hw:3", nil, false, absent, nil, none, "cards has no device hw:3", false},
		{"named and missing, with a fallback", "auto:hw:3", []string{"null"}, false, absent, nil, none, "null", true},
		{"the clock by name", "auto:null", nil, false, absent, nil, none, "null", false},
		{"backend without server", "jack", nil, false, absent, nil, none, "no server", false},
		{"backend without server, with a fallback", "jack", []string{"cards"}, false, absent, nil, none, "cards", true},
		{"unknown backend", "asio", nil, false, nil, nil, none, `backend "asio" is unknown: choose auto, jack, cards, null, file`, false},
	} {
		var got []string
		p := &process{servers: func() soundserver.Servers { return tt.server }, backends: []Backend{
			fakeBackend{"jack", tt.jack, &got}, fakeBackend{"cards", tt.cards, &got}, fakeBackend{"null", nil, &got}, fakeBackend{"file", nil, &got},
		}}
		o := wire.OpenOrder{Target: target(tt.order), Alone: tt.alone}
		for _, other := range tt.others {
			o.Others = append(o.Others, target(other))
		}
		c, err := p.choose(o.Targets(nullBackend), o)
		switch {
		case err != nil && !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		case err == nil && (c.stream.Info().Backend != tt.want || c.onFallback != tt.second):
			t.Errorf("%s: %s, second %t, want %s, %t", tt.name, c.stream.Info().Backend, c.onFallback, tt.want, tt.second)
		}
		if strings.Contains(strings.Join(got, " "), "file:") {
			t.Errorf("%s: auto chose a file: %v", tt.name, got)
		}
	}
}
