package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// The number of timed bundles, the time between two of them, and the time that each is sent ahead.
const (
	bundleCount = 1000
	bundleApart = 5 * time.Millisecond
	bundleAhead = 50 * time.Millisecond
)

// steps is a sound that is constant between the edges of its gate.
const steps = `version: 1
nodes:
  - {id: one, type: const, params: {value: 0.5}}
  - {id: adsr1, type: adsr, params: {attack: 0.0001, release: 0.0001}}
cables: [one > adsr1 > out]
`

// packets encodes messages of an address and an argument each.
func packets(t testing.TB, words ...any) (list [][]byte) {
	t.Helper()
	for i := 0; i < len(words); i += 2 {
		p, err := osc.Encode(words[i].(string), words[i+1])
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func bundleOf(t testing.TB, tag uint64, packets ...[]byte) []byte {
	t.Helper()
	b, err := osc.EncodeBundle(tag, packets...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// replies counts the addresses of the messages that come to a socket until it is closed.
type replies struct {
	mu     sync.Mutex
	counts map[string]int
}

func countReplies(c net.Conn) *replies {
	r := &replies{counts: map[string]int{}}
	go func() {
		buf := make([]byte, 1<<16)
		var d osc.Decoder
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			r.mu.Lock()
			d.Decode(buf[:n], func(m *osc.Message) { r.counts[string(m.Address)]++ }, func(*osc.DecodeError) {})
			r.mu.Unlock()
		}
	}()
	return r
}

func (r *replies) of(address string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[address]
}

// await waits for n messages of an address.
func (r *replies) await(t testing.TB, address string, n int) {
	t.Helper()
	for began := time.Now(); r.of(address) < n; time.Sleep(time.Millisecond) {
		if time.Since(began) > replyWait {
			t.Fatalf("%d of %d %s have come", r.of(address), n, address)
		}
	}
}

// readTape lists the commands of a tape, and the block that each entered.
func readTape(t testing.TB, text []byte) (commands []tape.Command, entered map[uint64]uint64) {
	t.Helper()
	entered = map[uint64]uint64{}
	seq := uint64(0)
	in := bufio.NewScanner(bytes.NewReader(text))
	in.Buffer(nil, 2*shm.StateMax)
	in.Scan() // the header
	for in.Scan() {
		var l tape.Line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			break // the last line is incomplete
		}
		if l.Command != nil {
			commands = append(commands, *l.Command)
		}
		if l.Block != nil {
			for ; seq < l.Block.Seq; seq++ {
				entered[seq+1] = l.Block.N
			}
		}
	}
	return commands, entered
}

// A thousand bundles, each sent 50 ms ahead, begin at their exact frames, by tape and by sound, and
// as far apart as their times. No bundle is divided. A bundle that begins late is answered with
// /late; a machine that stalls for 50 ms makes bundles late. If the device stalled, a bundle begins
// at its frame, which comes later by the frames that the device lost.
func TestBundlesBeginAtTheirFrames(t *testing.T) {
	patch := filepath.Join(t.TempDir(), "steps.yaml")
	if err := os.WriteFile(patch, []byte(steps), 0o600); err != nil {
		t.Fatal(err)
	}
	e := up(t, "--backend", "null", "--lead", "16", "--patch", patch)
	time.Sleep(time.Second) // the timeline settles
	c, err := net.Dial("udp", e.must().OSC)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got := countReplies(c)
	stop, xruns := e.taping(), e.must().Xruns
	base := time.Now()
	clockBefore := e.clockAt(base)
	began := time.Now()
	first := began.Add(bundleAhead)
	for i := range bundleCount {
		time.Sleep(time.Until(began.Add(time.Duration(i) * bundleApart)))
		at := first.Add(time.Duration(i) * bundleApart).UnixNano()
		off := bundleOf(t, osc.Tag(at+int64(bundleApart/2)), packets(t, "/gate/adsr1", "off")...)
		if _, err := c.Write(bundleOf(t, osc.Tag(at), append(packets(t, "/engine/amp", float32(1), "/gate/adsr1", "on"), off)...)); err != nil {
			t.Fatal(err)
		}
	}
	got.await(t, "/done", 3*bundleCount)
	clockAfter := e.clockAt(base)
	time.Sleep(bundleAhead)
	ons, late := checkBundles(t, stop())
	xruns = e.must().Xruns - xruns
	if n := got.of("/late"); n < late || n > late && xruns == 0 {
		t.Errorf("%d messages began late, %d were reported as late; %d xruns", late, n, xruns)
	}
	const apart = 5 * 48 // frames
	even := 0
	for i := 1; i < len(ons); i++ {
		if d := int64(ons[i]-ons[i-1]) - apart; max(d, -d) <= 64 {
			even++
		}
	}
	// After a stall of the device, the timeline needs half a second for its new line. TestTimeline
	// measures its precision otherwise.
	to := first.Sub(base).Seconds()*48000 - float64(ons[0])
	begin, end := -to-clockBefore, float64(ons[bundleCount-1]-ons[0])-(bundleCount-1)*apart-to-clockAfter
	t.Logf("%d messages late; %d bundles as far apart as their times to within a block; first and last lie %.1f and %.1f frames from the clock", late, even, begin, end)
	if late > bundleCount/10 || even < bundleCount*9/10 || min(math.Abs(begin), math.Abs(end)) > 2400 {
		t.Errorf("%d late, %d even, %.1f and %.1f frames from the clock", late, even, begin, end)
	}
}

// clockAt returns the frame that was next to play at a time, as seen from here: late, but never
// early.
func (e *engineProcess) clockAt(base time.Time) (frame float64) {
	frame = math.Inf(-1)
	for range 200 {
		before := time.Since(base)
		frame = max(frame, float64(e.must().Clock*64)-before.Seconds()*48000)
	}
	return frame
}

// checkBundles checks each bundle on the tape: three commands in one block, with none between. A
// bundle that entered before its frame must begin at the frame in the sound. The others are counted
// as late.
func checkBundles(t *testing.T, text []byte) (ons []uint64, late int) {
	t.Helper()
	commands, entered := readTape(t, text)
	commands = slices.DeleteFunc(commands, func(c tape.Command) bool { return c.Frame == 0 })
	if len(commands) != 3*bundleCount {
		t.Fatalf("%d timed commands", len(commands))
	}
	samples := rendered(t, text)
	var header tape.Header
	line, _, _ := strings.Cut(string(text), "\n")
	if err := json.Unmarshal([]byte(line), &header); err != nil {
		t.Fatal(err)
	}
	var gates []uint64 // frames of their edges
	for i, c := range commands {
		at := max(c.Frame, entered[c.Seq]*64)
		if at > c.Frame {
			late++
		}
		if i%3 > 0 {
			gates = append(gates, at)
		}
	}
	exact, some := 0, 0
	for i := 0; i < len(commands); i += 3 {
		amp, on, off := commands[i], commands[i+1], commands[i+2]
		if on.Seq != amp.Seq+1 || off.Seq != amp.Seq+2 || amp.Frame != on.Frame || entered[amp.Seq] != entered[off.Seq] {
			t.Fatalf("bundle %d is not whole: %+v, %+v, %+v", i/3, amp, on, off)
		}
		ons = append(ons, on.Frame)
		near := 0 // gates that move so near that the edges could be confused, with this one
		for _, g := range gates {
			if g+96 > on.Frame && g < on.Frame+4 {
				near++
			}
		}
		if near > 1 || entered[on.Seq]*64 > on.Frame {
			continue
		}
		some++
		at := 2 * (int(on.Frame) - int(header.From)*64)
		// The sound is constant, except that the output limiter removes its offset, and rises from
		// this frame on.
		if still, rise := samples[at-2]-samples[at-4], samples[at]-samples[at-2]; max(still, -still) < 0.01 && rise > 0.09 {
			exact++
		}
	}
	t.Logf("%d of %d are heard from their exact frame on", exact, some)
	if exact != some || some < bundleCount*9/10 {
		t.Errorf("%d of %d are heard from their exact frame on", exact, some)
	}
	return ons, late
}

// A bundle that comes after its time begins at once, and is answered with /late and the delay. A
// bundle too far ahead, and an inner bundle before its outer one, are refused. The rest of their
// packets is not.
func TestLateBundles(t *testing.T) {
	e := up(t, "--backend", "null", "--lead", "16")
	time.Sleep(time.Second)
	to := e.must().OSC
	now := time.Now().UnixNano()
	for _, tt := range []struct {
		name   string
		packet []byte
		want   []string
	}{
		{"late", bundleOf(t, osc.Tag(now-2e9), packets(t, "/engine/freq", float32(300))...), []string{`/late "/engine/freq" 2.`, `/done "/engine/freq"`}},
		{"before the first frame", bundleOf(t, osc.Tag(now-3600e9), packets(t, "/engine/freq", float32(300))...), []string{`/late "/engine/freq" 3600.`, `/done "/engine/freq"`}},
		{"too far ahead", bundleOf(t, osc.Tag(now+65e9), packets(t, "/engine/freq", float32(300))...), []string{`/fail "/engine/freq" "time tag is more than 1m0s ahead: send the message later"`}},
		{"years ahead", bundleOf(t, 0xeeeeeeee00000000, packets(t, "/engine/freq", float32(300))...), []string{`/fail "/engine/freq" "time tag is more than 1m0s ahead: send the message later"`}},
		{
			"inner before outer", bundleOf(t, osc.Tag(now+10e9), bundleOf(t, osc.Tag(now+9e9), packets(t, "/engine/freq", float32(300))...), packets(t, "/engine/amp", float32(0.5))[0]),
			[]string{`/fail "" "OSC packet, byte 28: bundle has an earlier time tag`, `/done "/engine/amp"`},
		},
	} {
		c, err := net.Dial("udp", to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(tt.packet); err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			buf := make([]byte, 1<<16)
			_ = c.SetReadDeadline(time.Now().Add(replyWait))
			n, err := c.Read(buf)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			var d osc.Decoder
			got := ""
			d.Decode(buf[:n], func(m *osc.Message) { got = m.String() }, func(*osc.DecodeError) {})
			if !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s, want %s", tt.name, got, want)
			}
		}
		_ = c.Close()
	}
}
