package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/fleet"
	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/shm/sys"
)

// BenchmarkRequest sends requests to an engine of another process on loopback, one after the other.
func BenchmarkRequest(b *testing.B) {
	at := up(b, "--backend", "null", "--lead", "64", "--remote", "127.0.0.1:0").remoteAt()
	node, err := remote.Listen(remote.Options{Address: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	defer node.Close()
	for what, request := range map[string]*pb.Request{
		"status": {Do: &pb.Request_GetStatus{GetStatus: &pb.GetStatus{}}},
		"param":  {Do: &pb.Request_SetParam{SetParam: &pb.SetParam{Node: "sine1", Param: "freq", Value: 300}}},
	} {
		b.Run(what, func(b *testing.B) {
			const warm = 200
			var took []float64
			for i := range warm + 5000 {
				began := time.Now()
				if _, err := node.Ask(context.Background(), at, "", request); err != nil {
					b.Fatal(err)
				}
				if i >= warm {
					took = append(took, float64(time.Since(began))/1e6)
				}
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "p50-ms")
			b.ReportMetric(took[len(took)*99/100], "p99-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkLoss stops and kills engines that a monitor follows.
func BenchmarkLoss(b *testing.B) {
	const rounds = 5
	flags := []string{"--backend", "null", "--lead", "64", "--grace", "1s", "--remote", "127.0.0.1:0"}
	var frozen, killed []float64
	for range rounds {
		e := up(b, flags...)
		at := e.remoteAt()
		m := startMonitor(b, nil, "--engines", at)
		m.member(at, "there", plays)
		began := time.Now()
		if err := e.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			b.Fatal(err)
		}
		frozen = append(frozen, m.alarm(at, fleet.Unreachable, false).Began.Sub(began).Seconds())
		if err := e.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			b.Fatal(err)
		}
		m.alarm(at, fleet.Unreachable, true)
		began = time.Now()
		e.murder()
		killed = append(killed, m.alarm(at, fleet.Unreachable, false).Began.Sub(began).Seconds())
	}
	b.ReportMetric(slices.Max(frozen), "frozen-max-s")
	b.ReportMetric(slices.Max(killed), "killed-max-s")
	b.ReportMetric(0, "ns/op")
}

// manyEngines is the number of engines of BenchmarkMonitor.
const manyEngines = 1000

// asEngines makes the test program act as so many stand-ins of engines, each at an address of its
// own.
const asEngines = "CHRONUS_TEST_AS_ENGINES"

// BenchmarkMonitor has one monitor follow 1,000 engines that report four times a second, and
// measures what that costs.
func BenchmarkMonitor(b *testing.B) {
	list := filepath.Join(b.TempDir(), "engines")
	crowd := exec.Command("/proc/self/exe")
	crowd.Env = append(os.Environ(), fmt.Sprint(asEngines, "=", manyEngines))
	said := newLog(b)
	crowd.Stderr = said.File
	out, err := crowd.StdoutPipe()
	if err == nil {
		err = crowd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = crowd.Process.Kill(); _ = crowd.Wait() }()
	var names []string
	for line := range lines(out) {
		if line == "ready" {
			break
		}
		names = append(names, line)
	}
	if len(names) != manyEngines {
		b.Fatalf("%d engines: %s", len(names), said)
	}
	if err := os.WriteFile(list, []byte(strings.Join(names, "\n")), 0o600); err != nil {
		b.Fatal(err)
	}
	m := startMonitor(b, nil, "--engines", list, "--every", "250ms")
	for _, name := range names {
		m.member(name, "heard", func(k fleet.Member) bool { return k.Reached })
	}
	pid, seconds := m.cmd.Process.Pid, 20*time.Second
	before, err := sys.CPUTime(pid)
	if err != nil {
		b.Fatal(err)
	}
	clocks := m.clocks()
	time.Sleep(seconds)
	after, err := sys.CPUTime(pid)
	if err != nil {
		b.Fatal(err)
	}
	var reports, fewest uint64 = 0, 1 << 60
	for name, was := range clocks {
		n := m.clocks()[name] - was
		reports, fewest = reports+n, min(fewest, n)
	}
	b.ReportMetric((after-before).Seconds()/seconds.Seconds(), "cores")
	b.ReportMetric(float64(residentSize(pid))/1e6, "MB")
	b.ReportMetric(float64(reports)/seconds.Seconds(), "reports/s")
	b.ReportMetric(float64(fewest)/seconds.Seconds(), "fewest/s")
	b.ReportMetric(0, "ns/op")
	if !b.Failed() && fewest < uint64(3*seconds.Seconds()) {
		b.Errorf("an engine reported %d times in %v", fewest, seconds)
	}
}
