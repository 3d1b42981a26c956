package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/fleet"
)

var watchedAt = regexp.MustCompile(`watched and played at (\S+)`)

// remoteAt returns the address at which other machines watch the engine.
func (e *engineProcess) remoteAt() string {
	e.t.Helper()
	e.await("watched and played at ")
	return watchedAt.FindStringSubmatch(e.log.String())[1]
}

// monitorProcess is chronus monitor --json as a process of its own. A prefix of the command line
// may run it on another machine.
type monitorProcess struct {
	t   testing.TB
	cmd *exec.Cmd

	mu      sync.Mutex
	alarms  []fleet.Alarm
	members map[string]fleet.Member
}

func startMonitor(t testing.TB, prefix []string, args ...string) *monitorProcess {
	t.Helper()
	line := append(append(prefix, "/proc/self/exe", "monitor", "--json"), args...)
	if len(prefix) > 0 { // /proc/self/exe would be the prefix's own program
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		line[len(prefix)] = self
	}
	m := &monitorProcess{t: t, cmd: exec.Command(line[0], line[1:]...), members: map[string]fleet.Member{}}
	m.cmd.Env = append(os.Environ(), asCommand+"=1")
	m.cmd.Stderr = newLog(t).File
	out, err := m.cmd.StdoutPipe()
	if err == nil {
		err = m.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for in := bufio.NewScanner(out); in.Scan(); {
			m.note(in.Bytes())
		}
	}()
	t.Cleanup(func() {
		_ = m.cmd.Process.Kill()
		<-done
		_ = m.cmd.Wait()
	})
	return m
}

func (m *monitorProcess) note(line []byte) {
	var l struct {
		Alarm  *fleet.Alarm  `json:"alarm"`
		Engine *fleet.Member `json:"engine"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		m.t.Errorf("%q: %v", line, err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.Alarm != nil {
		m.alarms = append(m.alarms, *l.Alarm)
	}
	if l.Engine != nil {
		m.members[l.Engine.Name] = *l.Engine
	}
}

// member waits until an engine is as wanted.
func (m *monitorProcess) member(name, what string, ok func(fleet.Member) bool) fleet.Member {
	m.t.Helper()
	for began := time.Now(); time.Since(began) < 40*time.Second; time.Sleep(10 * time.Millisecond) {
		m.mu.Lock()
		k := m.members[name]
		m.mu.Unlock()
		if ok(k) {
			return k
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.t.Fatalf("%s: not %s: %+v; alarms %v", name, what, m.members[name], m.alarms)
	return fleet.Member{}
}

// alarm waits for an alarm's beginning, or its end, and returns it. alarm forgets the alarms before
// it.
func (m *monitorProcess) alarm(name string, kind fleet.Kind, ended bool) fleet.Alarm {
	m.t.Helper()
	for began := time.Now(); time.Since(began) < 60*time.Second; time.Sleep(5 * time.Millisecond) {
		m.mu.Lock()
		for i, a := range m.alarms {
			if a.Engine == name && a.Kind == kind && a.Ended.IsZero() != ended {
				m.alarms = m.alarms[i+1:]
				m.mu.Unlock()
				return a
			}
		}
		m.mu.Unlock()
	}
	m.t.Fatalf("%s: no alarm %q, ended %t", name, kind, ended)
	return fleet.Alarm{}
}

func plays(m fleet.Member) bool { return m.Reached && m.Status.GetPlaying() && m.Status.GetRedundant() }

// Two monitors follow two engines. Orders reach one engine, or a group. A monitor sees a dead
// worker as a failover, and an engine that hangs or is killed as lost. The end of a monitor
// disturbs no engine.
func TestMonitor(t *testing.T) {
	flags := []string{"--backend", "null", "--lead", "64", "--remote", "127.0.0.1:0", "--grace", "1s"}
	one, two := up(t, flags...), up(t, flags...)
	a, b := one.remoteAt(), two.remoteAt()
	list := filepath.Join(t.TempDir(), "engines")
	if err := os.WriteFile(list, []byte(a+" left\n"+b+" right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first, second := startMonitor(t, nil, "--engines", list), startMonitor(t, nil, "--engines", a+","+b, "--every", "100ms")
	for _, name := range []string{a, b} {
		first.member(name, "there", plays)
		second.member(name, "there", plays)
	}
	if out, errOut, code := chronus("monitor", "--engines", list, "--group", "right", "--do", "flip"); code != 0 || out != b+": done\n" {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
	first.member(b, "flipped", func(m fleet.Member) bool { return m.Status.Flips == 1 && m.Status.Failovers == 0 })
	if out, errOut, code := chronus("monitor", "--engines", list, "--do", "send=/gate/adsr1,on"); code != 0 || strings.Count(out, "done") != 2 {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
	first.member(a, "heard", func(m fleet.Member) bool { return m.Status.Peak > 0.01 && m.Status.NotesHeld == 1 })
	if out, _, code := chronus("monitor", "--engines", list, "--do", "send=/gate/adsr9,on"); code != 1 || strings.Count(out, "INVALID") != 2 {
		t.Errorf("%d: %s", code, out)
	}
	// A monitor that hangs, and one that is killed, cost the engines nothing.
	before := one.must()
	if err := second.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	one.redundancy()
	if _, err := one.Kill(context.Background(), "kill"); err != nil {
		t.Fatal(err)
	}
	first.member(a, "failed over", func(m fleet.Member) bool { return m.Status.Failovers == 1 && m.Status.Redundant })
	if err := second.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if now := one.must(); now.Concealed != before.Concealed {
		t.Errorf("%d blocks were concealed", now.Concealed-before.Concealed)
	}
	lossesSeen(t, first, one, two)
}

// lossesSeen stops one engine and kills the other.
func lossesSeen(t *testing.T, m *monitorProcess, one, two *engineProcess) {
	a, b := one.remoteAt(), two.remoteAt()
	if err := one.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	frozen := m.alarm(a, fleet.Unreachable, false)
	t.Logf("an engine that hangs is missed after %v: %s", frozen.Began.Sub(at), frozen.Reason)
	if err := one.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	m.alarm(a, fleet.Unreachable, true)
	m.member(a, "back", plays)
	at = time.Now()
	two.murder()
	killed := m.alarm(b, fleet.Unreachable, false)
	t.Logf("an engine that is killed is missed after %v: %s", killed.Began.Sub(at), killed.Reason)
	if !strings.Contains(killed.Reason, "connection") || !strings.Contains(frozen.Reason, "no report for") {
		t.Errorf("killed: %s; frozen: %s", killed.Reason, frozen.Reason)
	}
	boot := m.member(b, "known", func(m fleet.Member) bool { return m.Status != nil }).Status.BootId
	again := upIn(t, two.dir, "--backend", "null", "--lead", "64", "--remote", b, "--grace", "1s")
	m.alarm(b, fleet.Unreachable, true)
	m.member(b, "another life", func(m fleet.Member) bool { return plays(m) && m.Boots == 2 && m.Status.BootId != boot })
	again.down()
	if end := m.alarm(b, fleet.Unreachable, false); end.Reason != "engine stopped" {
		t.Error(end)
	}
}

// monitor and up refuse flags with which they could not work.
func TestMonitorRefused(t *testing.T) {
	dir := t.TempDir()
	start := []string{"up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--backend", "null", "--state", noState}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"monitor", "--engines", "nowhere"}, "HOST:PORT"},
		{[]string{"monitor", "--engines", "127.0.0.1:1", "--group", "x"}, "none of the 1 engines"},
		{[]string{"monitor", "--engines", "127.0.0.1:1", "--every", "1ms"}, "50ms to 1m"},
		{[]string{"monitor", "--engines", "127.0.0.1:1", "--do", "dance"}, "must be flip"},
		{[]string{"monitor", "--engines", "127.0.0.1:1", "--do", "patch=" + dir + "/none"}, "no such file"},
		{[]string{"monitor", "--engines", "127.0.0.1:1", "--remote-tls", dir}, "want a directory with ca.pem"},
		{[]string{"monitor", "--engines", "127.0.0.1:1", "--listen", "0.0.0.0:0"}, "give certificates"},
		{append(start, "--remote", "0.0.0.0:0"), "give certificates"},
		{append(start, "--remote", "127.0.0.1:0", "--remote-plaintext", "king"), `role "king"`},
		{append(start, "--remote-tls", dir), "--remote HOST:PORT"},
		{append(start, "--remote", "127.0.0.1:99999"), "want a number up to 65535"},
	} {
		_, errOut, code := chronus(tt.args...)
		if code != 1 || !strings.Contains(errOut, tt.want) {
			t.Errorf("%v: %d, %q; want %q", tt.args, code, errOut, tt.want)
		}
	}
}
