package backendtest

import (
	"bytes"
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// ControlFrequency is the frequency in Hz of a Control. No period is a whole number of its cycles.
const ControlFrequency = 523.37

//go:embed testdata/sine.c
var sineSource []byte

// Control is a JACK client in plain C that plays a steady sine. Breaks in its sound are caused by
// the machine or the server.
type Control struct {
	cmd *exec.Cmd
	out *buffer
}

// StartControl compiles the client and connects it to the given ports, until the test ends. If
// library is not "", the client uses the libjack in that folder.
func StartControl(t testing.TB, library string, ports ...string) *Control {
	t.Helper()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "sine.c"), filepath.Join(dir, "sine")
	if err := os.WriteFile(source, sineSource, 0o600); err != nil {
		t.Fatal(err)
	}
	cc, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	compile := exec.Command(strings.Fields(string(cc))[0], "-O2", "-Wall", "-o", program, source, "-ljack", "-lm")
	if b, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("compile the control: %v: %s (.ci/deps installs JACK's headers)", err, b)
	}
	args := append([]string{"control", strconv.FormatFloat(ControlFrequency, 'g', -1, 64)}, ports...)
	c := &Control{cmd: exec.Command(program, args...), out: &buffer{}}
	c.cmd.Env = os.Environ()
	if library != "" {
		c.cmd.Env = append(c.cmd.Env, "LD_LIBRARY_PATH="+library)
	}
	c.cmd.Stdout, c.cmd.Stderr = c.out, c.out
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(c.cmd, syscall.SIGTERM) })
	await(t, "the control's sound", func() bool { return strings.Contains(c.out.String(), "playing\n") })
	return c
}

// Stop ends the client and returns its report: cycles, the largest period, and xruns.
func (c *Control) Stop() string {
	end(c.cmd, syscall.SIGTERM)
	_, report, _ := strings.Cut(c.out.String(), "playing\n")
	return strings.TrimSpace(report)
}

// buffer is a bytes.Buffer that may be written and read at the same time.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
