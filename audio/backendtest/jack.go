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

// JACK starts a JACK server with the dummy driver, a real-time clock that needs no sound card, for the
// length of a test, and makes it the default of this process and its children. In synchronous mode, so that a
// machine that stalls delays a cycle and does not drop it. name is the server's.
func JACK(t testing.TB, rate, period int) (name string) {
	t.Helper()
	for _, tool := range []string{"jackd", "jack_lsp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v: install jackd2 (sh .ci/deps does)", err)
		}
	}
	name = fmt.Sprintf("chronus-%d-%d", os.Getpid(), servers.Add(1))
	for k, v := range map[string]string{"JACK_DEFAULT_SERVER": name, "JACK_NO_AUDIO_RESERVATION": "1", "JACK_NO_START_SERVER": "1"} {
		t.Setenv(k, v)
	}
	cmd := exec.Command("jackd", "-S", "-R", "-P", "75", "-n", name, "-d", "dummy", "-r", strconv.Itoa(rate), "-p", strconv.Itoa(period))
	if os.Geteuid() != 0 { // without the right to real-time priority jackd would not start
		cmd.Args = append([]string{"jackd", "-S", "-r"}, cmd.Args[5:]...)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for began := time.Now(); exec.Command("jack_lsp").Run() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("jackd has not started within 10 s")
		}
	}
	return name
}
