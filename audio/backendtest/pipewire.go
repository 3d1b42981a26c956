package backendtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startLimit bounds how long a daemon, a node or a link may take to appear.
const startLimit = 15 * time.Second

// PipeWire is a PipeWire daemon with its session manager and session bus, in its own runtime
// directory. It needs no sound card: Sink makes null sinks, and Capture records their monitors.
type PipeWire struct {
	Dir   string // XDG_RUNTIME_DIR of the daemon and its clients
	bus   *exec.Cmd
	core  *exec.Cmd
	agent *exec.Cmd // WirePlumber
	log   *os.File
}

// StartPipeWire starts PipeWire until the test ends, for this process and its children. It has no
// sink yet.
func StartPipeWire(t testing.TB) *PipeWire {
	t.Helper()
	skipIfShort(t)
	for _, tool := range []string{"dbus-daemon", "pipewire", "wireplumber", "pw-cli", "pw-record", "pw-link", "pw-metadata"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: install pipewire, wireplumber and dbus (sh .ci/interop/deps does)", err)
		}
	}
	// A unix socket's path has at most 107 bytes, which t.TempDir may exceed.
	dir, err := os.MkdirTemp("", "pipewire")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &PipeWire{Dir: dir}
	if p.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.log.Close() })
	for k, v := range map[string]string{
		"XDG_RUNTIME_DIR": dir, "PIPEWIRE_RUNTIME_DIR": "", "PIPEWIRE_REMOTE": "", "PULSE_SERVER": "",
		"XDG_STATE_HOME": filepath.Join(dir, "state"), "XDG_CONFIG_HOME": filepath.Join(dir, "config"),
		"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + filepath.Join(dir, "bus"),
	} {
		t.Setenv(k, v)
	}
	for _, k := range []string{"PIPEWIRE_RUNTIME_DIR", "PIPEWIRE_REMOTE", "PULSE_SERVER"} {
		_ = os.Unsetenv(k) // t.Setenv restores it
	}
	p.bus = p.run(t, "dbus-daemon", "--session", "--nofork", "--nopidfile",
		"--address="+os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	t.Cleanup(func() { end(p.bus, syscall.SIGTERM) })
	await(t, "the session bus", func() bool { return exists(filepath.Join(dir, "bus")) })
	t.Cleanup(p.halt)
	p.Start(t)
	return p
}

// skipIfShort skips a test that needs a sound server in a test run with -short.
func skipIfShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a sound server")
	}
}

// Start starts the daemon and its session manager, after Stop.
func (p *PipeWire) Start(t testing.TB) {
	t.Helper()
	p.core = p.run(t, "pipewire")
	await(t, "PipeWire", func() bool { return p.try("pw-cli", "info", "0") })
	p.agent = p.run(t, "wireplumber")
	await(t, "WirePlumber", func() bool {
		return bytes.Contains(p.output("pw-cli", "ls", "Client"), []byte(`"WirePlumber"`))
	})
}

// Stop ends the daemon and its session manager. All clients lose their connections.
func (p *PipeWire) Stop() { p.halt() }

func (p *PipeWire) halt() {
	end(p.agent, syscall.SIGTERM)
	end(p.core, syscall.SIGTERM)
}

// Kill ends the daemon as a crash does.
func (p *PipeWire) Kill() {
	end(p.core, syscall.SIGKILL)
	end(p.agent, syscall.SIGTERM)
}

// Sink makes a null sink: two channels, float, at the daemon's rate of 48 kHz. The sink is a timer
// of the daemon, and passes samples to its monitor unchanged.
func (p *PipeWire) Sink(t testing.TB, name string) {
	t.Helper()
	node := fmt.Sprintf("{ factory.name=support.null-audio-sink node.name=%s media.class=Audio/Sink "+
		"object.linger=true audio.position=[FL FR] }", name)
	must(t, "pw-cli", "create-node", "adapter", node)
	await(t, "sink "+name, func() bool {
		return bytes.Contains(p.output("pw-link", "-i"), []byte(name+":playback_FR"))
	})
}

// Default makes a sink the default one.
func (p *PipeWire) Default(t testing.TB, sink string) {
	t.Helper()
	value := fmt.Sprintf(`{"name":%q}`, sink)
	must(t, "pw-metadata", "-n", "default", "0", "default.configured.audio.sink", value, "Spa:String:JSON")
	await(t, "default sink "+sink, func() bool {
		return strings.Contains(string(p.output("pw-metadata", "-n", "default", "0", "default.audio.sink")), value)
	})
}

// RemoveSink destroys a sink.
func (p *PipeWire) RemoveSink(t testing.TB, name string) {
	t.Helper()
	id := ""
	for line := range strings.Lines(string(p.output("pw-cli", "ls", "Node"))) {
		f := strings.Fields(line)
		if len(f) > 1 && f[0] == "id" {
			id = strings.TrimSuffix(f[1], ",")
		}
		if strings.Contains(line, "node.name = "+strconv.Quote(name)) {
			break
		}
	}
	must(t, "pw-cli", "destroy", id)
	await(t, "the end of sink "+name, func() bool {
		return !bytes.Contains(p.output("pw-link", "-i"), []byte(name+":"))
	})
}

// Quantum forces the daemon's period, in frames; 0: the clients decide.
func (p *PipeWire) Quantum(t testing.TB, frames int) {
	t.Helper()
	must(t, "pw-metadata", "-n", "settings", "0", "clock.force-quantum", strconv.Itoa(frames))
}

// Recording is a running capture of a sink's monitor.
type Recording struct {
	path string
	cmd  *exec.Cmd
}

// Capture records what the sink plays, as 32-bit floats, until Stop.
func (p *PipeWire) Capture(t testing.TB, sink string) *Recording {
	t.Helper()
	r := &Recording{path: filepath.Join(t.TempDir(), sink+".wav")}
	// The quantum is the least latency that any client wants, and the recorder's is the default
	// quantum.
	r.cmd = p.run(t, "pw-record", "--target", sink, "-P", "{ stream.capture.sink=true node.name=record-"+sink+" }",
		"--latency", "1024", "--rate", "48000", "--channels", "2", "--format", "f32", r.path)
	t.Cleanup(func() { end(r.cmd, syscall.SIGINT) })
	await(t, "the capture of "+sink, func() bool { return p.Linked("record-" + sink) })
	return r
}

// Linked reports whether a port of the named node is linked to another.
func (p *PipeWire) Linked(node string) bool {
	return bytes.Contains(p.output("pw-link", "-l"), []byte("|-> "+node+":")) ||
		bytes.Contains(p.output("pw-link", "-l"), []byte("|<- "+node+":"))
}

// Stop ends the recording and returns the path of the WAV file.
func (r *Recording) Stop(t testing.TB) string {
	t.Helper()
	end(r.cmd, syscall.SIGINT)
	return r.path
}

// run starts a program that ends with its parent thread, also if the test crashes.
func (p *PipeWire) run(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func (p *PipeWire) output(name string, args ...string) []byte {
	b, _ := Tool(name, args...)
	return b
}

func (p *PipeWire) try(name string, args ...string) bool {
	_, err := Tool(name, args...)
	return err == nil
}

// toolLimit bounds a tool that asks a server: PipeWire's tools and JACK's wait for ever for an
// answer that does not come.
const toolLimit = 5 * time.Second

// Tool runs a tool that asks a server and returns what it prints. A tool without an answer ends
// after 5 s.
func Tool(name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}

// must runs a tool until it succeeds, for as long as a daemon may take to answer.
func must(t testing.TB, name string, args ...string) {
	t.Helper()
	for began := time.Now(); ; {
		b, err := Tool(name, args...)
		if err == nil {
			return
		}
		if time.Since(began) > startLimit {
			t.Fatalf("%s %q: %v: %s", name, args, err, b)
		}
	}
}

// end signals a program that run has started, and waits for its end.
func end(cmd *exec.Cmd, sig syscall.Signal) {
	if cmd == nil || cmd.ProcessState != nil {
		return
	}
	_ = cmd.Process.Signal(sig)
	kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	_ = cmd.Wait()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// await waits for a condition.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > startLimit {
			t.Fatalf("%s: not there within %v", what, startLimit)
		}
	}
}
