package actors_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/null"
	"github.com/music-chronus/chronus/audio/pipe"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/moduletest"
	"github.com/music-chronus/chronus/dsp/worker"
	"github.com/music-chronus/chronus/osc"
)

func TestMain(m *testing.M) {
	module.All = append(module.All, &moduletest.Bomb)
	moduletest.Flip = flips
	actors.RunChild(worker.With(ownModules()...), audio.Main(null.Backend{}, pipe.Backend{}))
	os.Exit(m.Run())
}

const testLead = 64 // longer than the stalls of a shared machine

// start starts an engine on the null device.
func start(t *testing.T, change ...func(*actors.Config)) *actors.Engine {
	t.Helper()
	skipIfShort(t)
	cfg := actors.Config{
		OSC: "127.0.0.1:0", Backend: "null", Lead: testLead, RuntimeDir: t.TempDir(), Grace: time.Second,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	e, err := actors.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return e
}

func status(t *testing.T, e *actors.Engine) actors.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	st, err := e.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// until waits for a condition of the status.
func until(t *testing.T, e *actors.Engine, what string, ok func(actors.Status) bool) actors.Status {
	t.Helper()
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		st := status(t, e)
		if ok(st) {
			return st
		}
		if time.Since(began) > 15*time.Second {
			t.Fatalf("%s: %+v", what, st)
		}
	}
}

func redundant(st actors.Status) bool { return st.Redundant }

// ask sends an OSC message and returns the reply.
func ask(t *testing.T, e *actors.Engine, address string, args ...any) string {
	t.Helper()
	c, err := net.Dial("udp", status(t, e).OSC)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	packet, err := osc.Encode(address, args...)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	for range 20 { // a request may come while the ingress is between two lives: it is sent again
		if _, err := c.Write(packet); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		n, err := c.Read(buf)
		if err != nil {
			continue
		}
		var d osc.Decoder
		reply := ""
		d.Decode(buf[:n], func(m *osc.Message) { reply = m.String() }, func(e *osc.DecodeError) { reply = e.Error() })
		return reply
	}
	t.Fatalf("%s is not answered", address)
	return ""
}

// taped records while f runs, and checks that each block was played once.
func taped(t *testing.T, e *actors.Engine, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var b bytes.Buffer
	done, begun := make(chan error, 1), make(chan struct{})
	go func() { done <- e.Record(ctx, &b, func() { close(begun) }) }()
	<-begun
	defer cancel()
	from := status(t, e).Clock
	f()
	until(t, e, "plays for a while", func(st actors.Status) bool { return st.Clock > from+40 }) // replay wants some blocks
	cancel()                                                                                    // the tape goes on to the clock of this moment
	if err := <-done; err != nil {
		t.Errorf("tape: %v", err)
	}
	if err := replay(&b); err != nil {
		t.Error(err)
	}
}

// The second kill, and the tenth, is as silent as the first: a new worker has joined by snapshot.
func TestSecondKill(t *testing.T) {
	e := start(t)
	before := status(t, e)
	taped(t, e, func() {
		ask(t, e, "/gate/adsr1", "on")
		for range 10 {
			st := until(t, e, "redundant", redundant)
			if _, err := e.Kill(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			until(t, e, "another is heard", func(now actors.Status) bool { return now.Active.Epoch > st.Active.Epoch && now.Redundant })
			if got := ask(t, e, "/engine/freq", float32(300)); got != `/done "/engine/freq"` {
				t.Errorf("%s", got)
			}
		}
	})
	after := until(t, e, "redundant", redundant)
	if after.Removed == 0 {
		t.Error("the audio process was never the first to know")
	}
	if after.Concealed != before.Concealed || after.FailoversTotal < 10 || after.Flips < 10 || after.Mismatches != 0 {
		t.Errorf("concealed %d, failovers %d, flips %d, mismatches %d",
			after.Concealed-before.Concealed, after.FailoversTotal, after.Flips, after.Mismatches)
	}
	for _, w := range after.Workers {
		if w.State != "ready" {
			t.Errorf("%+v", w)
		}
	}
}

// A killed standby is replaced too, and nothing flips.
func TestStandbyKilled(t *testing.T) {
	e := start(t)
	st := until(t, e, "redundant", redundant)
	standby := st.Workers[1-st.Active.Slot]
	if err := syscall.Kill(standby.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	after := until(t, e, "replaced", func(now actors.Status) bool {
		return now.Redundant && now.Workers[standby.Slot].Generation > standby.Generation
	})
	if after.Active.Slot != st.Active.Slot || after.Flips != 0 || after.Concealed != st.Concealed {
		t.Errorf("%+v", after)
	}
}

// When all workers die at once there is a gap, which is told; then the stream goes on at the very
// block where it stopped, with every command that was given.
func TestAllWorkersKilled(t *testing.T) {
	e := start(t)
	taped(t, e, func() {
		ask(t, e, "/gate/adsr1", "on")
		ask(t, e, "/engine/freq", float32(550))
		for range 3 {
			killAll(t, e)
		}
	})
}

// killAll kills both workers at once, and waits until two others play.
func killAll(t *testing.T, e *actors.Engine) {
	t.Helper()
	st := until(t, e, "redundant", redundant)
	for _, w := range st.Workers {
		if err := syscall.Kill(w.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	until(t, e, "plays again", func(now actors.Status) bool {
		return now.Redundant && now.Clock > st.Clock+2*testLead && now.Workers[0].PID != st.Workers[0].PID && now.Workers[1].PID != st.Workers[1].PID
	})
}

// Three workers, or four, two of them killed at the same instant: nothing is lost.
func TestTwoOfMoreKilled(t *testing.T) {
	for _, replicas := range []int{3, 4} {
		e := start(t, func(c *actors.Config) { c.Replicas = replicas })
		before := status(t, e)
		taped(t, e, func() {
			ask(t, e, "/gate/adsr1", "on")
			for k := range 4 {
				st := until(t, e, "redundant", redundant)
				for _, slot := range []int{st.Active.Slot, (st.Active.Slot + 1 + k%(replicas-1)) % replicas} { // the active one and one standby
					if err := syscall.Kill(st.Workers[slot].PID, syscall.SIGKILL); err != nil {
						t.Fatal(err)
					}
				}
				until(t, e, "replaced", func(now actors.Status) bool { return now.Redundant && now.FailoversTotal >= st.FailoversTotal+2 })
			}
		})
		if after := status(t, e); after.Concealed != before.Concealed {
			t.Errorf("%d workers: %d blocks concealed", replicas, after.Concealed-before.Concealed)
		}
		e.Stop()
	}
}

// A panic in any actor leaves the processes and the sound as they are; the actor is restarted.
func TestActorsPanic(t *testing.T) {
	e := start(t)
	taped(t, e, func() {
		ask(t, e, "/gate/adsr1", "on")
		for _, name := range []string{"conductor", "ingress", "monitor", "audio", "worker-0", "worker-1", ""} {
			before := until(t, e, "redundant", redundant)
			actors.Panic(t, e, name)
			if got := ask(t, e, "/engine/freq", float32(330)); got != `/done "/engine/freq"` {
				t.Errorf("after a panic of %q: %s", name, got)
			}
			after := until(t, e, "redundant", redundant)
			for i := range after.Workers {
				if after.Workers[i].PID != before.Workers[i].PID {
					t.Errorf("a panic of %q cost worker %d", name, i)
				}
			}
			if after.AudioPID != before.AudioPID || after.Concealed != before.Concealed {
				t.Errorf("a panic of %q cost the audio process, or %d blocks", name, after.Concealed-before.Concealed)
			}
		}
	})
}

// A killed audio process is replaced. The workers live on, and the clock continues.
func TestAudioKilled(t *testing.T) {
	e := start(t)
	taped(t, e, func() {
		for range 3 {
			st := until(t, e, "plays", func(now actors.Status) bool { return now.Playing })
			if err := syscall.Kill(st.AudioPID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			now := until(t, e, "plays again", func(now actors.Status) bool {
				return now.Playing && now.AudioPID != st.AudioPID && now.Clock > st.Clock+100
			})
			for i := range now.Workers {
				if now.Workers[i].PID != st.Workers[i].PID {
					t.Errorf("worker %d was lost with the audio process", i)
				}
			}
		}
	})
}

// 10,000 malformed packets leave the sound as it is, and are counted.
func TestMalformedPackets(t *testing.T) {
	e := start(t)
	before := status(t, e)
	taped(t, e, func() {
		c, err := net.Dial("udp", before.OSC)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for i := range 10000 {
			p := fmt.Sprintf("/a%d\x00\x00,x%c", i, i%256)
			_, _ = c.Write([]byte(p[:len(p)-i%3]))
			if i%100 == 0 {
				ask(t, e, "/gate/adsr1", i%200 == 0)
			}
		}
	})
	after := until(t, e, "redundant", redundant)
	var malformed uint64
	for _, n := range after.OSCStats.Malformed {
		malformed += n
	}
	if malformed < 5000 || after.Concealed != before.Concealed {
		t.Errorf("%d counted, %d blocks concealed", malformed, after.Concealed-before.Concealed)
	}
}

// A worker that dies during the start, before a block was played, is replaced.
func TestKilledWhileStarting(t *testing.T) {
	for range 5 {
		started := make(chan struct{})
		dir := t.TempDir()
		go func() {
			defer close(started)
			for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(100 * time.Microsecond) {
				if pid := childOf(os.Getpid(), "chronus-worker"); pid != 0 {
					_ = syscall.Kill(pid, syscall.SIGKILL)
					return
				}
			}
		}()
		e := start(t, func(c *actors.Config) { c.RuntimeDir = dir })
		<-started
		until(t, e, "plays", func(st actors.Status) bool { return st.Redundant && st.Played > 10 })
		e.Stop()
	}
}

// childOf is a child process of pid with the given name, 0 if there is none.
func childOf(pid int, name string) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, task := range tasks(pid) {
		more, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task))
		b = append(append(b, ' '), more...)
	}
	for _, f := range strings.Fields(string(b)) {
		comm, _ := os.ReadFile("/proc/" + f + "/comm")
		if strings.TrimSpace(string(comm)) == name {
			child, _ := strconv.Atoi(f)
			return child
		}
	}
	return 0
}

func tasks(pid int) (names []string) {
	list, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, d := range list {
		names = append(names, d.Name())
	}
	return names
}

// Stop ends every process and removes every file.
func TestStop(t *testing.T) {
	dir := t.TempDir()
	e := start(t, func(c *actors.Config) { c.RuntimeDir = dir })
	st := status(t, e)
	e.Stop()
	e.Stop()
	pids := []int{st.AudioPID, st.Workers[0].PID, st.Workers[1].PID}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
	if _, err := os.Stat(dir + "/engine.sock"); err == nil {
		t.Error("the socket is still there")
	}
	if err := e.Record(context.Background(), io.Discard, nil); err == nil {
		t.Error("a tape of a stopped engine")
	}
	if _, err := e.Kill(syscall.SIGKILL); err == nil {
		t.Error("a worker of a stopped engine was killed")
	}
	again := start(t, func(c *actors.Config) { c.RuntimeDir = dir })
	again.Stop()
}

// A worker takes no more than 25 MB.
func TestWorkerRSS(t *testing.T) {
	e := start(t)
	st := until(t, e, "plays", func(st actors.Status) bool { return st.Played > 300 })
	for _, w := range st.Workers {
		if rss := resident(w.PID); rss == 0 || rss > 25<<20 {
			t.Errorf("worker %d has %d kB resident", w.Slot, rss>>10)
		} else {
			t.Logf("worker %d has %d kB resident", w.Slot, rss>>10)
		}
	}
}

// resident is the resident memory of a process in bytes: field 2 of proc(5)'s statm.
func resident(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}
