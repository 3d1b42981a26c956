package backendtest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
)

var servers atomic.Int64

// JACK starts a server as JACKServer does, and returns its name.
func JACK(t testing.TB, rate, period int) (name string) {
	t.Helper()
	return JACKServer(t, rate, period).Name
}

// Server is a running JACK server.
type Server struct {
	Name string
	as   JACKOptions
	cmd  *exec.Cmd
}

// JACKOptions tell which server to start.
type JACKOptions struct {
	Rate, Period int
	// Async makes the server go on without late clients. A machine that stalls then loses
	// cycles.
	Async bool
	// Playback is the number of playback ports; 0: two; below 0: none.
	Playback int
}

// JACKServer starts a JACK server in synchronous mode: a stalled machine delays a cycle and does
// not lose it. See StartJACK.
func JACKServer(t testing.TB, rate, period int) *Server {
	t.Helper()
	return StartJACK(t, JACKOptions{Rate: rate, Period: period})
}

// StartJACK starts a JACK server until the test ends, and makes it the default for this process and
// its children. The server has the dummy driver, a real-time clock without a sound card.
func StartJACK(t testing.TB, as JACKOptions) *Server {
	t.Helper()
	skipIfShort(t)
	for _, tool := range []string{"jackd", "jack_lsp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: install jackd2 (sh .ci/deps does)", err)
		}
	}
	s := &Server{Name: fmt.Sprintf("chronus-%d-%d", os.Getpid(), servers.Add(1)), as: as}
	for k, v := range map[string]string{
		"JACK_DEFAULT_SERVER": s.Name, "JACK_NO_AUDIO_RESERVATION": "1", "JACK_NO_START_SERVER": "1",
	} {
		t.Setenv(k, v)
	}
	s.start(t)
	t.Cleanup(s.end)
	return s
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	cmd := exec.Command("jackd", s.args()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // ends the server if the test crashes
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.cmd = cmd
	await(t, "jackd", func() bool {
		_, err := Tool("jack_lsp")
		return err == nil
	})
}

func (s *Server) args() (args []string) {
	if !s.as.Async {
		args = append(args, "-S")
	}
	if os.Geteuid() == 0 {
		args = append(args, "-R", "-P", "75")
	} else { // without the right to real-time priority jackd would not start
		args = append(args, "-r")
	}
	args = append(args, "-n", s.Name, "-d", "dummy", "-r", strconv.Itoa(s.as.Rate), "-p", strconv.Itoa(s.as.Period))
	if n := s.as.Playback; n != 0 {
		args = append(args, "-P", strconv.Itoa(max(0, n)))
	}
	return args
}

// Signal sends the server a signal. A stopped server does not answer.
func (s *Server) Signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Restart starts a killed server again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.start(t)
}

func (s *Server) end() { end(s.cmd, syscall.SIGTERM) }

// Kill ends the server as a crash would. A machine has room for eight servers, and a killed server
// keeps its place. A server of the same name frees the place at the end of the test.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	t.Cleanup(func() {
		if s.cmd.ProcessState != nil {
			s.start(t)
		}
		s.end()
	})
}
