package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/music-chronus/chronus/actors/control"
	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos"
)

// examples returns the directory of the example programs, which it builds once. examples builds
// them without cgo, which an embedding program does not need.
func examples(t *testing.T) string {
	t.Helper()
	dir, err := buildExamples()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var buildExamples = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "chronus-examples-")
	if err != nil {
		return "", err
	}
	examplesDir = dir
	ctx, cancel := context.WithTimeout(context.Background(), engineLimit)
	defer cancel()
	list := exec.CommandContext(ctx, "go", "list", "-deps", "../examples/...") // fails where a package needs cgo
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, cmd := range []*exec.Cmd{list, exec.CommandContext(ctx, "go", "build", "-o", dir+"/", "../examples/...")} {
		cmd.WaitDelay = time.Second
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%q: %w: %s", cmd.Args, err, out)
		}
	}
	return dir, nil
})

// examplesDir is the directory of buildExamples, which TestMain removes; "": nothing was built.
var examplesDir string

// Each example does what its comment says.
func TestExamples(t *testing.T) {
	skipIfShort(t)
	dir := examples(t)
	at := up(t, "--backend", "null", "--lead", "64", "--remote", "127.0.0.1:0").remoteAt()
	wav := filepath.Join(t.TempDir(), "walk.wav")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"embed"}, `^played \d{3,} blocks, peak 0\.\d+, 2 workers\n$`},
		{[]string{"generative", "-for", "1s", "-step", "100ms", "-o", wav}, `^\d\d requests carried out, 0 refused <nil>`},
		{[]string{"generative", "-preset", "nobody"}, `no preset "nobody"`},
		{[]string{"bot", "-engine", at, "-every", "100ms", "-flips", "5"}, `5 flips; 0 blocks were concealed`},
		{[]string{"module", "-for", "500ms"}, `^took \d{5} frames, peak (1\.00|0\.9\d)`},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		out, err := exec.CommandContext(ctx, filepath.Join(dir, tt.args[0]), tt.args[1:]...).Output()
		cancel()
		said := string(out)
		if exit, ok := err.(*exec.ExitError); ok {
			said += string(exit.Stderr)
		}
		if !regexp.MustCompile(tt.want).MatchString(said) {
			t.Errorf("%v: %q, %v; want %s", tt.args, said, err, tt.want)
		}
	}
	if _, samples := readWAV(t, wav); len(samples) < 48000 {
		t.Errorf("%d samples of a second", len(samples))
	}
}

// hostKills is the number of kills in each engine of a plain test run. CHRONUS_HOST_KILLS gives
// another.
const hostKills = 10

// hostProcess is the example program that has actors, a remote and two engines of its own.
type hostProcess struct {
	at      string
	engines map[string]*control.Client
}

func startHost(t *testing.T) *hostProcess {
	t.Helper()
	cmd := exec.Command(filepath.Join(examples(t), "host"), "-dir", t.TempDir(), "-lead", "8")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := newLog(t)
	cmd.Stderr = said.File
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := exited(t, cmd, said); err != nil || said.String() != "" {
			t.Errorf("the host ended with %v, and its engines said %q", err, said)
		}
	})
	defer time.AfterFunc(startLimit, func() { _ = cmd.Process.Kill() }).Stop()
	h := &hostProcess{engines: map[string]*control.Client{}}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch words[0] {
		case "host":
			h.at = words[2]
		case "engine":
			h.engines[words[1]] = engineFlag{words[3]}.client()
		case "ready":
			return h
		}
	}
	t.Fatalf("the host has not started: %s", said)
	return nil
}

// A program with actors and a remote of its own has two engines. Requests from another program play
// both while their workers are killed. No frame is lost, doubled or changed, and the program's own
// actors answer.
func TestHostSurvives(t *testing.T) {
	skipIfShort(t)
	kills := hostKills
	if s := os.Getenv("CHRONUS_HOST_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("CHRONUS_HOST_KILLS=%q: must be a number of kills", s)
		}
		kills = n
	}
	h := startHost(t)
	node, err := remote.Listen(remote.Options{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	quit := make(chan struct{})
	var playing, killing sync.WaitGroup
	for name, c := range h.engines {
		playing.Go(func() { playRemote(t, node, h.at, name, quit) })
		killing.Go(func() {
			r, err := chaos.Kills(context.Background(), c, kills, "kill", 30*time.Millisecond)
			t.Logf("engine %s: %d kills, %d blocks, %d lost, %d doubled, %d changed, %d concealed, %d rescued; flip median %.2f ms, redundant median %.1f ms",
				name, kills, r.Compared, r.Lost, r.Doubled, r.Changed, r.Concealed, r.Rescued, r.FlipUS.Median/1e3, r.RedundantUS.Median/1e3)
			if err != nil || r.Lost+r.Doubled+r.Changed != 0 || len(r.Failovers) < kills || r.Compared == 0 {
				t.Errorf("engine %s: %v, %d failovers: %+v", name, err, len(r.Failovers), r)
			}
		})
	}
	killing.Wait()
	close(quit)
	playing.Wait()
	if len(h.engines) != 2 {
		t.Errorf("%d engines", len(h.engines))
	}
	for name := range h.engines {
		reply, err := node.Ask(t.Context(), h.at, name, &pb.Request{Do: &pb.Request_GetStatus{GetStatus: &pb.GetStatus{}}})
		if err != nil || reply.GetStatus().GetName() != name || reply.GetStatus().GetFailovers() < uint64(kills) || reply.GetStatus().GetNotesStarted() == 0 {
			t.Errorf("%s: %v, %v", name, reply, err)
		}
	}
}

// playRemote opens and closes a gate and moves the pitch by remote requests, all of which must be
// carried out.
func playRemote(t *testing.T, node *remote.Node, at, name string, quit <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-quit:
			return
		case <-time.After(10 * time.Millisecond):
		}
		r := &pb.Request{Do: &pb.Request_SetGate{SetGate: &pb.SetGate{Node: "adsr1", Level: float64(1 - i%2)}}}
		if i%3 == 0 {
			r = &pb.Request{Do: &pb.Request_SetParam{SetParam: &pb.SetParam{Node: "sine1", Param: "freq", Value: float64(200 + i%500)}}}
		}
		if _, err := node.Ask(t.Context(), at, name, r); err != nil {
			t.Error(fmt.Errorf("request %d: %w", i, err))
			return
		}
	}
}
