//go:build sonicpi

package main

import (
	"bytes"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio/backendtest"
	"github.com/music-chronus/chronus/osc"
)

const (
	sonicPi     = "/usr/lib/sonic-pi/app/server/ruby/bin/sonic-pi-server.rb"
	sonicPiGUI  = "127.0.0.1:4558" // where the server expects its GUI
	sonicPiHost = "127.0.0.1:4557" // where the server listens to its GUI
	sonicPiCues = "127.0.0.1:4560" // where the server takes OSC, and sends it from
	inSonicPi   = "CHRONUS_TEST_SONIC_PI"
	// sonicPiSent is the number of messages of the example that are checked: 14 notes of four, the
	// mode, and the mistake.
	sonicPiSent = 58
)

// Sonic Pi's server runs the example as its GUI would. The notes are of the scale, each has its
// pitch and cutoff before it begins, and begins before it ends. Only a mistake that is added here
// is refused, and the example's last loop reports it. Sonic Pi's ports are fixed and its server
// starts other processes, so all run in namespaces that end with the test.
func TestSonicPi(t *testing.T) {
	if os.Getenv(inSonicPi) != "" {
		inNamespace(t)
		return
	}
	if _, err := os.Stat(sonicPi); err != nil {
		t.Fatalf("%v: apt-get install --no-install-recommends sonic-pi-server", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child",
		self, "-test.run", "^TestSonicPi$", "-test.v", "-test.timeout", "2m")
	cmd.Env = append(os.Environ(), inSonicPi+"=1", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "PASS: TestSonicPi") {
		t.Fatalf("%v; it needs to be root, iproute2, util-linux, jackd2 and sonic-pi-server", err)
	}
}

func inNamespace(t *testing.T) {
	ran(t, nil, "ip", "link", "set", "lo", "up")
	// JACK lists its servers there by process numbers, which mean other processes in this
	// namespace.
	ran(t, nil, "mount", "-t", "tmpfs", "none", "/dev/shm")
	backendtest.JACK(t, 48000, 1024)
	e := up(t, "--backend", "null", "--lead", "32")
	_, port, _ := strings.Cut(e.must().OSC, ":")
	var sent bytes.Buffer
	dump := exec.CommandContext(t.Context(), "/proc/self/exe", "osc", "dump", "--runtime-dir", e.dir, "--count", strconv.Itoa(sonicPiSent))
	dump.Env = append(os.Environ(), asCommand+"=1")
	dump.Stdout = &sent
	if err := dump.Start(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(otherPrograms + "play.rb")
	if err != nil {
		t.Fatal(err)
	}
	code := strings.Replace(string(text), "5005", port, 1) + "\nosc \"/mod/filter1/cutof\", 3\n"
	p := startSonicPi(t)
	p.send(sonicPiHost, "/run-code", int32(1), code)
	p.hears("/log/multi_message", "unknown; the nearest is /mod/filter1/cutoff")
	if err := dump.Wait(); err != nil {
		t.Errorf("osc dump: %v", err)
	}
	p.send(sonicPiHost, "/stop-all-jobs", int32(1))
	p.send(sonicPiHost, "/exit", int32(1))
	p.hears("/exited")
	sounds(t, sent.String())
	if st := e.must(); st.OSCStats.Failed != 1 || len(st.OSCStats.Malformed) > 0 || !st.Playing || st.FailoversTotal > 0 {
		t.Errorf("%d refused, malformed %v, playing %t, %d workers lost", st.OSCStats.Failed, st.OSCStats.Malformed, st.Playing, st.FailoversTotal)
	}
}

// sounds checks the messages of the example, as osc dump prints them.
func sounds(t *testing.T, sent string) {
	t.Helper()
	var order strings.Builder
	scale := []float64{164.81, 196.00, 220.00, 246.94, 293.66, 329.63} // E minor pentatonic, from E3 to E4
	for line := range strings.Lines(sent) {
		f := strings.Fields(line) // udp, from, address, value
		v, _ := strconv.ParseFloat(f[3], 64)
		switch f[2] {
		case "/engine/freq":
			order.WriteString("f")
			if !slices.ContainsFunc(scale, func(hz float64) bool { return math.Abs(v-hz) < 0.01 }) {
				t.Errorf("%s Hz is not of the scale", f[3])
			}
		case "/mod/filter1/cutoff":
			order.WriteString("c")
			if v < 400 || v > 4000 {
				t.Errorf("a cutoff of %s Hz", f[3])
			}
		case "/gate/adsr1":
			order.WriteString(f[3])
		}
	}
	if !regexp.MustCompile(`^((fc|cf)10){14}$`).MatchString(order.String()) {
		t.Errorf("came in the order %s:\n%s", &order, sent)
	}
}

// sonicPiServer is Sonic Pi without its GUI, whose part the test plays.
type sonicPiServer struct {
	t   *testing.T
	log logFile
	gui *net.UDPConn
}

// startSonicPi starts the server and waits until it takes OSC.
func startSonicPi(t *testing.T) *sonicPiServer {
	t.Helper()
	c, err := net.ListenPacket("udp4", sonicPiGUI)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	p := &sonicPiServer{t, newLog(t), c.(*net.UDPConn)}
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".sonic-pi", "log"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ruby", sonicPi)
	cmd.Env = append(os.Environ(), "HOME="+home, "SONIC_PI_HOME="+home, "TMPDIR="+home)
	cmd.Stdout, cmd.Stderr = p.log.File, p.log.File
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after /exit, or after a failure
		time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
	})
	p.hears("/incoming/osc", "/is/there")
	return p
}

// asks sends what the server answers once all of its processes run. One of them, its scheduler,
// takes OSC only after an order, and reports to the GUI.
func (p *sonicPiServer) asks() {
	p.t.Helper()
	p.send(sonicPiHost, "/cue-port-start", int32(1))
	p.send(sonicPiCues, "/is/there")
}

func (p *sonicPiServer) send(at, address string, args ...any) {
	p.t.Helper()
	packet, err := osc.Encode(address, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	to, _ := net.ResolveUDPAddr("udp4", at)
	if _, err := p.gui.WriteTo(packet, to); err != nil {
		p.t.Fatal(err)
	}
}

// hears waits for a packet to the GUI that begins with an address and contains all of the texts.
// Meanwhile it asks again and again.
func (p *sonicPiServer) hears(address string, texts ...string) {
	p.t.Helper()
	b := make([]byte, osc.MaxPacket)
	for began := time.Now(); time.Since(began) < clientWait; {
		_ = p.gui.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := p.gui.Read(b)
		if err != nil {
			p.asks()
			continue
		}
		got := string(b[:n])
		if strings.HasPrefix(got, address) && !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(got, s) }) {
			return
		}
	}
	p.t.Fatalf("Sonic Pi does not send %s %q: %s", address, texts, p.log)
}
