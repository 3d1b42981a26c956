package main

import (
	"strings"
	"testing"
	"time"
)

const otherPrograms = "../../docs/examples/"

// The examples of the documents play an engine, each with its program. The values that they set are
// set, no message is refused, and programs that ask get answers.
func TestOtherPrograms(t *testing.T) {
	qt := []string{"QT_QPA_PLATFORM=offscreen", "QTWEBENGINE_DISABLE_SANDBOX=1", "HOME=" + t.TempDir()}
	for _, tt := range []struct {
		name string
		env  []string
		args []string // PORT stands for the engine's port
		sent uint64   // messages
		has  string   // freq, cutoff and q at the end
		says []string
	}{
		{"shell", nil, []string{"sh", otherPrograms + "play.sh", "PORT"}, 15, "/engine/freq 440, /mod/filter1/cutoff 900, /mod/filter1/q 2", nil},
		{"Python", nil, []string{"python3", otherPrograms + "play.py", "PORT"}, 17, "/engine/freq 440, /mod/filter1/cutoff 1200, /mod/filter1/q 0.707",
			[]string{"/done /notify 1 64", "/gate/adsr1 1.0", "/mod/filter1/cutoff 1200.0", "/synced 7", "/engine/freq 440.0"}},
		{"SuperCollider", qt, []string{"sclang", otherPrograms + "play.scd", "PORT"}, 15, "/engine/freq 440, /mod/filter1/cutoff 1500, /mod/filter1/q 0.707",
			[]string{"cutoff is 1500", "all is played"}},
		{"Pd", nil, []string{"pd", "-nogui", "-noaudio", "-nomidi", "-noprefs", "-stderr", "-open", otherPrograms + "play.pd", "-open", "testdata/interop/quit.pd",
			"-send", "port PORT", "-send", "freq 330", "-send", "cutoff 700", "-send", "gate 1", "-send", "gate 0"}, 4, "/engine/freq 330, /mod/filter1/cutoff 700, /mod/filter1/q 0.707",
			[]string{"done /gate/adsr1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := up(t, "--backend", "null", "--lead", "32")
			_, port, _ := strings.Cut(e.must().OSC, ":")
			for i := range tt.args {
				tt.args[i] = strings.ReplaceAll(tt.args[i], "PORT", port)
			}
			out := ran(t, tt.env, tt.args[0], tt.args[1:]...)
			st := e.must().OSCStats
			for began := time.Now(); st.Messages < tt.sent && time.Since(began) < replyWait; time.Sleep(time.Millisecond) {
				st = e.must().OSCStats // the last message may be on its way
			}
			if st.Messages != tt.sent || st.Failed > 0 || len(st.Malformed) > 0 {
				t.Errorf("%d messages, want %d; %d refused, malformed %v: %s", st.Messages, tt.sent, st.Failed, st.Malformed, out)
			}
			for _, want := range tt.says {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in %s", want, out)
				}
			}
			got, errOut, code := chronus("osc", "get", "--runtime-dir", e.dir, "/engine/freq", "/mod/filter1/cutoff", "/mod/filter1/q")
			if got = strings.ReplaceAll(strings.TrimSpace(got), "\n", ", "); code != 0 || got != tt.has {
				t.Errorf("it has %s%s, want %s", got, errOut, tt.has)
			}
		})
	}
}
