package portaudio

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/backendtest"
)

// childEnv makes this test program play until its device is lost.
const childEnv = "CHRONUS_TEST_PLAY"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	if err := playUntilLost(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// playUntilLost prints a line when it is first called, when the device is lost, and when it is
// closed.
func playUntilLost() error {
	var calls atomic.Int64
	s, err := Backend{}.Open(audio.Request{Rate: 48000, Channels: 2, Device: "jack"}, func(out []float32) { clear(out); calls.Add(1) })
	if err != nil {
		return err
	}
	if err := s.Start(); err != nil {
		return err
	}
	for calls.Load() < 10 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("called, error", s.Err())
	for s.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	n := calls.Load()
	fmt.Println("lost:", s.Err())
	_ = s.Close() // the driver may not answer
	fmt.Println("closed,", calls.Load()-n, "calls since")
	return nil
}

// A server that dies ends the stream within two seconds, and Close takes bounded time, though
// PortAudio itself waits for ten minutes. The test uses another process, whose library hangs
// afterwards.
func TestServerDies(t *testing.T) {
	server := backendtest.JACKServer(t, 48000, 256)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	lines := bufio.NewScanner(out)
	for i, line := range []struct {
		want   string
		within time.Duration
	}{
		{"called, error <nil>", 20 * time.Second},
		{`lost: portaudio: device "system" is lost: it asked for no sound in 1.`, 2 * time.Second},
		{"closed, 0 calls since", time.Second},
	} {
		began := time.Now()
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), line.want) {
			t.Errorf("%q, want %q", lines.Text(), line.want)
		}
		if d := time.Since(began); d > line.within {
			t.Errorf("%q came after %v", lines.Text(), d)
		}
		if i == 0 {
			server.Kill(t)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
