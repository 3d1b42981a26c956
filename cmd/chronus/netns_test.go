package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/fleet"
)

// inNetwork marks the process that has a network of its own for machines.
const inNetwork = "CHRONUS_TEST_NETWORK"

// TestMachines runs its cases on machines that are network namespaces. A process with namespaces of
// its own makes them, and the kernel removes them when that process ends. The test needs iproute2,
// and root or user namespaces.
func TestMachines(t *testing.T) {
	skipIfShort(t)
	if os.Getenv(inNetwork) != "" {
		for name, f := range map[string]func(*testing.T, *network){"Partition": partition, "Delay": delay} {
			t.Run(name, func(t *testing.T) { f(t, newNetwork(t)) })
		}
		return
	}
	flags := []string{"--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--user", "--map-root-user")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, 4*time.Minute+toolLimit, "unshare", append(flags, self, "-test.run", "^TestMachines$", "-test.v", "-test.timeout", "4m")...)
	cmd.Env = append(os.Environ(), inNetwork+"=1", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "PASS: TestMachines") {
		t.Fatalf("%v; it needs iproute2 and util-linux, and to be root, or user namespaces allowed", err)
	}
}

// network is a set of machines at a switch.
type network struct {
	t *testing.T
	n int
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{t: t}
	if !mounted {
		n.do("mount", "-t", "tmpfs", "none", "/run") // where ip keeps the names of its namespaces
		mounted = true
	}
	n.do("ip", "link", "add", "switch", "type", "bridge")
	n.do("ip", "link", "set", "switch", "up")
	t.Cleanup(func() {
		for i := range n.n {
			n.do("ip", "link", "del", cable(i+1)) // a namespace lives as long as a process in it
			n.do("ip", "netns", "del", machine(i+1))
		}
		n.do("ip", "link", "del", "switch")
	})
	return n
}

// mounted says that this process has a /run of its own.
var mounted bool

func machine(i int) string { return fmt.Sprint("machine", i) }
func cable(i int) string   { return fmt.Sprint("cable", i) }

func (n *network) do(args ...string) {
	n.t.Helper()
	tool(n.t, args[0], args[1:]...)
}

// add connects a machine to the switch. prefix begins the command lines that run on the machine.
func (n *network) add() (prefix []string, ip string) {
	n.t.Helper()
	n.n++
	name, here := machine(n.n), cable(n.n)
	ip = fmt.Sprint("10.77.0.", n.n)
	n.do("ip", "netns", "add", name)
	n.do("ip", "link", "add", here, "type", "veth", "peer", "name", "eth0", "netns", name)
	n.do("ip", "link", "set", here, "master", "switch", "up")
	prefix = []string{"ip", "netns", "exec", name}
	for _, args := range [][]string{{"ip", "addr", "add", ip + "/24", "dev", "eth0"}, {"ip", "link", "set", "eth0", "up"}, {"ip", "link", "set", "lo", "up"}} {
		n.do(append(prefix, args...)...)
	}
	return prefix, ip
}

// engine starts an engine on a machine, open to the others.
func (n *network) engine(prefix []string, ip string) (e *engineProcess, at string) {
	n.t.Helper()
	dir := n.t.TempDir()
	self, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	e = &engineProcess{t: n.t, dir: dir, log: newLog(n.t), Client: engineFlag{dir}.client()}
	line := append(append([]string{}, prefix...), self, "up", "--runtime-dir", dir, "--osc", "127.0.0.1:0", "--state", filepath.Join(dir, "state"),
		"--backend", "null", "--lead", "64", "--grace", "1s", "--remote", ip+":0", "--remote-plaintext", "operate")
	e.start(line[0], line[1:]...)
	return e, e.remoteAt()
}

// partition disconnects one machine and connects it again, twice. The monitor misses that engine
// alone. The engine plays on without a loss, is back after the reconnection, and then reports what
// happened meanwhile.
func partition(t *testing.T, n *network) {
	p1, ip1 := n.add()
	p2, ip2 := n.add()
	p3, _ := n.add()
	one, a := n.engine(p1, ip1)
	_, b := n.engine(p2, ip2)
	m := startMonitor(t, p3, "--remote-plaintext", "--engines", a+","+b)
	for _, name := range []string{a, b} {
		m.member(name, "there", plays)
	}
	for range 2 {
		before := one.must()
		n.do("ip", "link", "set", cable(1), "down")
		at := time.Now()
		cut := m.alarm(a, fleet.Unreachable, false)
		t.Logf("an engine that is cut off is missed after %v: %s", cut.Began.Sub(at), cut.Reason)
		one.redundancy()
		if _, err := one.Kill(t.Context(), "kill"); err != nil {
			t.Fatal(err)
		}
		one.redundancy()
		if k := m.member(b, "still there", plays); len(k.Alarms) > 0 {
			t.Errorf("the other: %v", k.Alarms)
		}
		at = time.Now()
		n.do("ip", "link", "set", cable(1), "up")
		healed := m.alarm(a, fleet.Unreachable, true)
		t.Logf("it is there again after %v", healed.Ended.Sub(at))
		m.member(a, "the failover is reported", func(k fleet.Member) bool {
			return plays(k) && k.Status.Failovers == before.FailoversTotal+1 && k.Boots == 1
		})
		if now := one.must(); now.Concealed != before.Concealed {
			t.Errorf("%d blocks were concealed", now.Concealed-before.Concealed)
		}
	}
}

// delay makes the network slow and lossy. The engines stay in view, and each order is carried out
// once.
func delay(t *testing.T, n *network) {
	p1, ip1 := n.add()
	p2, _ := n.add()
	_, a := n.engine(p1, ip1)
	m := startMonitor(t, p2, "--remote-plaintext", "--engines", a)
	m.member(a, "there", plays)
	n.do("ip", "link", "set", cable(1), "nomaster")
	n.do("ip", "link", "set", cable(2), "nomaster")
	link := &badLink{delay: 40 * time.Millisecond, jitter: 20 * time.Millisecond, loss: 0.05}
	link.join(t, [2]string{cable(1), cable(2)})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const flips = 6
	for range flips {
		args := append(slices.Clone(p2[1:]), self, "monitor", "--remote-plaintext", "--engines", a, "--do", "flip")
		cmd := command(t, toolLimit, p2[0], args...)
		cmd.Env = append(os.Environ(), asCommand+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	k := m.member(a, "flipped", func(k fleet.Member) bool { return plays(k) && k.Status.Flips == flips })
	if k.Boots != 1 || k.Status.Concealed != 0 {
		t.Errorf("%+v", k)
	}
	link.mu.Lock()
	if t.Logf("%d frames were carried, %d lost", link.carried, link.lost); link.carried < 100 || link.lost == 0 {
		t.Error("the network was better than it was to be")
	}
	link.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.alarms) > 0 {
		t.Errorf("alarms: %v", m.alarms)
	}
}
