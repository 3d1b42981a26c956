package wire_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

func pair(t *testing.T) (a, b *sys.Socket) {
	t.Helper()
	a, b, err := sys.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	return a, b
}

// A message arrives whole, with its descriptors. The end of the connection is io.EOF.
func TestSendReceive(t *testing.T) {
	a, b := pair(t)
	sent := wire.Order{Attach: &wire.AttachOrder{Slot: 1, Generation: 7}}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := wire.Send(a, sent, int(f.Fd())); err != nil {
		t.Fatal(err)
	}
	got, fds, err := wire.Receive[wire.Order](b)
	if err != nil || got.Attach == nil || *got.Attach != *sent.Attach || len(fds) != 1 {
		t.Errorf("%+v with descriptors %v, %v", got, fds, err)
	}
	sys.CloseAll(fds)
	a.Shutdown()
	if _, _, err := wire.Receive[wire.Order](b); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v, want io.EOF", err)
	}
}

// A packet that is no message is an error, and the connection stays usable. A message too long for
// a packet is not sent.
func TestInvalidMessages(t *testing.T) {
	a, b := pair(t)
	if err := wire.Send(a, wire.Notice{Failed: strings.Repeat("x", sys.MaxPacket)}); err == nil {
		t.Error("a message above MaxPacket was sent")
	}
	if err := a.Send([]byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, fds, err := wire.Receive[wire.Notice](b); err == nil || fds != nil {
		t.Errorf("half a message: %v, %v", fds, err)
	}
	if err := wire.Send(a, wire.Notice{Failed: "reason"}); err != nil {
		t.Fatal(err)
	}
	if n, _, err := wire.Receive[wire.Notice](b); err != nil || n.Failed != "reason" {
		t.Errorf("%+v, %v", n, err)
	}
}

// Targets lists the preferred device first and the last resort last.
func TestTargets(t *testing.T) {
	o := wire.OpenOrder{Target: wire.Target{Backend: "jack"}, Others: []wire.Target{{Backend: "file", Device: "a.wav"}}}
	for _, tt := range []struct {
		alone, orNull bool
		want          string
	}{
		{false, false, "jack file:a.wav"},
		{true, false, "jack"},
		{false, true, "jack file:a.wav null"},
		{true, true, "jack null"},
	} {
		o.Alone, o.OrNull = tt.alone, tt.orNull
		var names []string
		for _, target := range o.Targets("null") {
			names = append(names, target.String())
		}
		if !slices.Equal(names, strings.Fields(tt.want)) {
			t.Errorf("alone %t, or null %t: %v, want %s", tt.alone, tt.orNull, names, tt.want)
		}
	}
}
