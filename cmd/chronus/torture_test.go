package main

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
	"github.com/music-chronus/chronus/shm/sys"
)

// tortureDefault is the number of kills of a plain test run. CHRONUS_TORTURE gives another.
const tortureDefault = 40

// torturePause is the longest time between redundancy and the next kill.
const torturePause = 30 * time.Millisecond

// Each kind of kill, at random times while notes are played, on an idle and on a busy machine, at a
// lead of four blocks, loses, doubles and changes no frame. A control run without kills after each
// round shows what the machine itself does to the sound. It is as long as the round, or, in a plain
// test run, a second at most.
func TestTorture(t *testing.T) {
	kills := tortureDefault
	if s := os.Getenv("CHRONUS_TORTURE"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 8 {
			t.Fatalf("CHRONUS_TORTURE=%q: must be a number of kills, 8 or more", s)
		}
		kills = n
	}
	e := up(t, "--backend", "null", "--lead", "4")
	defer e.notes()()
	for _, load := range []struct {
		name  string
		start func() (stop func())
	}{{"idle", func() func() { return func() {} }}, {"busy", busy}} {
		for _, sig := range []string{"kill", "term", "segv", "stop"} {
			t.Run(load.name+"/"+sig, func(t *testing.T) {
				defer load.start()()
				tortureRound(t, e, sig, kills/8)
			})
		}
	}
}

// tortureRound does one round, and logs it beside its control run.
func tortureRound(t *testing.T, e *engineProcess, sig string, kills int) {
	t.Helper()
	began := time.Now()
	r, err := chaos.Kills(context.Background(), e.Client, kills, sig, torturePause)
	if err != nil {
		t.Fatalf("%v\n%s", err, e.log)
	}
	took := time.Since(began)
	quiet := e.must()
	stop := e.taping()
	control := took
	if !longRun() {
		control = min(took, time.Second)
	}
	time.Sleep(control)
	v, err := verifyBytes(stop())
	after := e.must()
	t.Logf("%4d kills in %6.2f s: %d blocks, %d lost, %d doubled, %d changed, %d concealed, %d rescued, %d xruns; "+
		"flip median %.2f p99 %.2f ms, redundant median %.1f ms | control: %d blocks, %d concealed, %d flips, %d xruns",
		kills, took.Seconds(), r.Compared, r.Lost, r.Doubled, r.Changed, r.Concealed, r.Rescued, r.Xruns,
		r.FlipUS.Median/1e3, r.FlipUS.P99/1e3, r.RedundantUS.Median/1e3,
		v.Blocks, after.Concealed-quiet.Concealed, after.CallbackFlips-quiet.CallbackFlips, after.Xruns-quiet.Xruns)
	if !r.OK() || err != nil || v.Changed != 0 {
		t.Errorf("the sound was touched: %d lost, %d doubled, %d changed; control %+v, %v", r.Lost, r.Doubled, r.Changed, v, err)
	}
	if n := len(r.Failovers); n < kills {
		t.Errorf("%d failovers of %d kills are on record", n, kills)
	}
}

// BenchmarkFailover kills the active worker 200 times, one failure at a time. BenchmarkFailover
// reports the times to the flip and to redundancy, beside how late this machine wakes a real-time
// thread in the same minute.
func BenchmarkFailover(b *testing.B) {
	e := up(b, "--backend", "null", "--lead", "4")
	defer e.notes()()
	const kills = 200
	for range b.N {
		stop := wakeups()
		r, err := chaos.Kills(context.Background(), e.Client, kills, "kill", 60*time.Millisecond)
		late := stop()
		if err != nil {
			b.Fatal(err)
		}
		if !r.OK() {
			b.Errorf("%d lost, %d doubled, %d changed", r.Lost, r.Doubled, r.Changed)
		}
		b.ReportMetric(r.FlipUS.Median/1e3, "flip-p50-ms")
		b.ReportMetric(r.FlipUS.P99/1e3, "flip-p99-ms")
		b.ReportMetric(r.RedundantUS.Median/1e3, "redundant-p50-ms")
		b.ReportMetric(float64(r.Concealed), "concealed")
		b.ReportMetric(late.Median/1e3, "machine-late-p50-ms")
		b.ReportMetric(late.P99/1e3, "machine-late-p99-ms")
		b.ReportMetric(0, "ns/op")
	}
}

// wakeups measures, until stop, how late the kernel wakes a real-time thread that sleeps for a
// millisecond.
func wakeups() (stop func() chaos.Quantiles) {
	quit, done := make(chan struct{}), make(chan []float64)
	go func() {
		runtime.LockOSThread()
		_ = sys.ThreadFIFO(sys.PriorityActive)
		var late []float64
		for {
			select {
			case <-quit:
				done <- late
				return
			default:
			}
			due := sys.Monotonic() + int64(time.Millisecond)
			time.Sleep(time.Millisecond)
			late = append(late, float64(sys.Monotonic()-due)/1e3)
		}
	}()
	return func() chaos.Quantiles { close(quit); return chaos.QuantilesOf(<-done) }
}
