package backendtest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var servers atomic.Int64

// JACK is JACKServer for who needs no more than its name.
func JACK(t testing.TB, rate, period int) (name string) {
	t.Helper()
	return JACKServer(t, rate, period).Name
}

// Server is a running JACK server.
type Server struct {
	Name         string
	rate, period int
	cmd          *exec.Cmd
}

// JACKServer starts a JACK server with the dummy driver, a real-time clock that needs no sound card, for the
// length of a test, and makes it the default of this process and its children. In synchronous mode, so that a
// machine that stalls delays a cycle and does not drop it.
func JACKServer(t testing.TB, rate, period int) *Server {
	t.Helper()
	for _, tool := range []string{"jackd", "jack_lsp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: install jackd2 (sh .ci/deps does)", err)
		}
	}
	s := &Server{Name: fmt.Sprintf("chronus-%d-%d", os.Getpid(), servers.Add(1)), rate: rate, period: period}
	for k, v := range map[string]string{"JACK_DEFAULT_SERVER": s.Name, "JACK_NO_AUDIO_RESERVATION": "1", "JACK_NO_START_SERVER": "1"} {
		t.Setenv(k, v)
	}
	s.start(t)
	t.Cleanup(s.end)
	return s
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	cmd := exec.Command("jackd", "-S", "-R", "-P", "75", "-n", s.Name, "-d", "dummy", "-r", strconv.Itoa(s.rate), "-p", strconv.Itoa(s.period))
	if os.Geteuid() != 0 { // without the right to real-time priority jackd would not start
		cmd.Args = append([]string{"jackd", "-S", "-r"}, cmd.Args[5:]...)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // a test that crashes leaves no server
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.cmd = cmd
	for began := time.Now(); exec.Command("jack_lsp").Run() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("jackd has not started within 10 s")
		}
	}
}

// Restart starts a server that was killed again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.start(t)
}

func (s *Server) end() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		_ = s.cmd.Wait()
	}
}

// Kill ends the server as a crash would. A machine has room for eight servers, and one that was
// killed keeps its place, until at the end of the test one of the same name takes it over and gives it back.
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
