package audio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// FuzzOrders sends packets, one a line, to a process that plays. The first digit of each selects
// the file that is sent along. No packet ends the process, stops the sound, or leaves a file open.
func FuzzOrders(f *testing.F) {
	for _, seed := range []string{
		`0{"start":true}`,
		`0{"open":{"backend":"auto","rate":44100,"channels":9}}`,
		`1{"attach":{"slot":0,"generation":1}}` + "\n" + `2{"attach":{"slot":0,"generation":2}}`,
		`2{"attach":{"slot":0,"generation":1},"start":true,"warm":"one"}`,
		`3{"attach":{"slot":1,"generation":2}}` + "\n" + `4{"attach":{"slot":-1,"generation":0}}`,
		`5{"attach":{"slot":9223372036854775807,"generation":18446744073709551615}}`,
		`1{"warm":"one"}` + "\n" + `1{}` + "\n" + `1null` + "\n" + `1[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, packets []byte) {
		h := newHarness(t, &device{name: "one", period: testBlock})
		process, engine, err := sys.SocketPair()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = process.Close(), engine.Close() }()
		other, _, err := shm.NewSlot(h.journal.Geometry(), 1, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		defer h.closeAll()
		files := [][]int{nil, {h.slots[0].FD()}, {h.slots[1].FD()}, {other.FD()}, {h.journal.FD()}, {h.slots[0].FD(), h.slots[1].FD()}}
		h.begin()
		h.run(2)
		open := descriptors(t)
		for _, line := range bytes.Split(packets, []byte("\n")) {
			if len(line) < 2 || len(line) > sys.MaxPacket {
				continue
			}
			if err := engine.Send(line[1:], files[int(line[0])%len(files)]...); err != nil {
				t.Fatal(err)
			}
			o, fds, err := wire.Receive[wire.Order](process)
			if err != nil {
				continue
			}
			if err := h.p.handleOrder(o, fds); err != nil {
				t.Fatalf("order %+v ends the process: %v", o, err)
			}
			h.run(1)
		}
		if err := h.p.check(); err != nil {
			t.Fatal(err)
		}
		h.run(8)
		if now := descriptors(t); now > open+1 { // the other ring may be attached
			t.Errorf("%d descriptors are open, %d were", now, open)
		}
		h.continues(h.dev.sound, 0)
		if c := h.control.Counters(); c.Concealed > 0 || h.dev.state != "open start " {
			t.Errorf("%+v; device: %s", c, h.dev.state)
		}
	})
}

// FuzzOpen opens any target, with a device that accepts everything. A process that cannot play
// gives a reason.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{
		`{"backend":"auto"}`, `{"backend":"one","device":"x","others":[{"backend":"two"}],"alone":true}`,
		`{"backend":"","anyhow":true,"rate":-1,"channels":0,"period":-5,"known":-7}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, order []byte) {
		var o wire.OpenOrder
		if json.Unmarshal(order, &o) != nil {
			return
		}
		h := newHarness(t, &device{name: "one", period: testBlock, rate: 48000}, &device{name: "null", period: testBlock, rate: 48000})
		defer h.closeAll()
		err := h.p.handleOrder(wire.Order{Open: &o}, nil)
		if played := len(h.notices) == 1 && h.notices[0].Opened != nil; played == (err != nil) || fmt.Sprint(err) == "" {
			t.Errorf("order %+v: %v, notices %+v", o, err, h.notices)
		}
	})
}
