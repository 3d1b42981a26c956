package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/actors/report"
)

// run is a fleet of one engine, which reports every 250 ms.
type run struct {
	f      *Fleet
	now    time.Time
	status *pb.Status
	clock  float64
	speed  float64 // of the device; 1: nominal
	said   []string
}

func newRun() *run {
	r := &run{f: New(), now: time.Unix(1000, 0), speed: 1, status: &pb.Status{
		BootId: "a", Playing: true, Redundant: true, Rate: 48000, Block: 64, Workers: []*pb.Worker{{State: "ready", Load: 0.1}, {State: "ready", Load: 0.2}},
	}}
	r.f.Add("e", "g", r.now)
	return r
}

func (r *run) note(list []Alarm) {
	for _, a := range list {
		what := "+"
		if !a.Ended.IsZero() {
			what = "-"
		}
		r.said = append(r.said, what+string(a.Kind))
		if a.Reason == "" || a.Engine != "e" || a.Began.IsZero() {
			r.said = append(r.said, fmt.Sprintf("incomplete: %+v", a))
		}
	}
}

// goOn advances the time, with or without reports.
func (r *run) goOn(d time.Duration, reports bool) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.now = r.now.Add(250 * time.Millisecond)
		r.clock += 0.25 * 48000 / 64 * r.speed
		if !reports {
			r.note(r.f.Look(r.now))
			continue
		}
		st := proto.Clone(r.status).(*pb.Status)
		st.Clock = uint64(r.clock)
		r.note(r.f.Take("e", remote.News{Report: &pb.Report{Status: st, MonotonicNs: r.now.UnixNano()}}, r.now))
	}
}

// The values of goOn's second argument.
const on, off = true, false

// alarmCases lists what happens to an engine, and the alarms that begin (+) and end (-).
var alarmCases = map[string]struct {
	do   func(r *run)
	want string
}{
	"all well": {func(r *run) { r.goOn(2*time.Minute, on) }, ""},
	"a failover": {func(r *run) {
		r.status.Failovers, r.status.Redundant = 1, false
		r.goOn(time.Second, on)
		r.status.Redundant = true
		r.goOn(20*time.Second, on)
	}, ""},
	"a worker that does not come back": {func(r *run) {
		r.status.Redundant = false
		r.goOn(10*time.Second, on)
		r.status.Redundant = true
		r.goOn(time.Second, on)
	}, "+not redundant -not redundant"},
	"killed": {func(r *run) {
		r.note(r.f.Take("e", remote.News{Lost: "the connection has ended"}, r.now))
		r.goOn(5*time.Second, off)
		r.status.BootId = "b"
		r.goOn(20*time.Second, on)
	}, "+unreachable -unreachable"},
	"refused": {func(r *run) {
		r.note(r.f.Take("e", remote.News{Refused: &pb.Refused{Reason: "no role"}}, r.now))
		r.note(r.f.Take("e", remote.News{Refused: &pb.Refused{Reason: "no role"}}, r.now))
	}, "+unreachable"},
	"lost while something else is wrong": {func(r *run) {
		r.status.Problem = "the disk is full"
		r.goOn(time.Second, on)
		r.note(r.f.Take("e", remote.News{Lost: "gone"}, r.now))
		r.goOn(time.Second, off)
		r.status.Problem = ""
		r.goOn(time.Second, on)
	}, "+device +unreachable -device -unreachable"},
	"a note that is heard, and dies away": {func(r *run) {
		r.status.NotesStarted, r.status.NotesHeld, r.status.Peak = 1, 1, 0.3
		r.goOn(2*time.Second, on)
		r.status.Peak = 0
		r.goOn(time.Minute, on)
	}, ""},
	"a note that is not heard": {func(r *run) {
		r.status.NotesStarted, r.status.NotesHeld = 1, 1
		r.goOn(10*time.Second, on)
		r.status.Peak = 0.1
		r.goOn(time.Second, on)
	}, "+silent -silent"},
	"a note while muted": {func(r *run) {
		r.status.Muted, r.status.NotesStarted = true, 3
		r.goOn(time.Minute, on)
	}, ""},
	"music that is not heard": {func(r *run) {
		r.status.Transport = true
		r.goOn(14*time.Second, on)
		r.status.Peak = 0.1
		r.goOn(time.Second, on)
		r.status.Peak = 0
		r.goOn(20*time.Second, on)
		r.status.Transport = false
		r.goOn(time.Second, on)
	}, "+silent -silent"},
	"no worker is started any more": {func(r *run) {
		r.status.StoppedReason = "every patch ends the workers"
		r.goOn(time.Second, on)
	}, "+silent"},
	"diverged": {func(r *run) {
		r.status.Mismatches = 1
		r.goOn(30*time.Second, on)
		r.status.Mismatches = 2
		r.goOn(59*time.Second, on)
		r.goOn(2*time.Second, on)
	}, "+diverged -diverged"},
	"a new life with old mismatches": {func(r *run) {
		r.status.BootId, r.status.Mismatches, r.status.Failovers = "b", 7, 9
		r.goOn(time.Second, on)
	}, ""},
	"flapping": {func(r *run) {
		for range 5 {
			r.status.Failovers++
			r.goOn(3*time.Second, on)
		}
		r.goOn(20*time.Second, on)
	}, "+flapping -flapping"},
	"failovers far apart": {func(r *run) {
		for range 5 {
			r.status.Failovers++
			r.goOn(6*time.Second, on)
		}
	}, ""},
	"a sound card's drift": {func(r *run) { r.speed = 1.0003; r.goOn(2*time.Minute, on) }, ""},
	"another rate than it says": {func(r *run) {
		r.speed = 44100. / 48000
		r.goOn(time.Minute, on)
		r.speed = 1
		r.goOn(time.Minute, on)
	}, "+clock drift -clock drift"},
	"nobody hears it": {func(r *run) {
		r.status.Unheard = true
		r.goOn(time.Second, on)
		r.status.Unheard = false
		r.goOn(time.Second, on)
	}, "+device -device"},
}

// Each alarm begins once with its cause, and ends with it. Similar situations raise no alarm.
func TestAlarms(t *testing.T) {
	for name, tt := range alarmCases {
		r := newRun()
		r.goOn(time.Second, on)
		tt.do(r)
		if got := strings.Join(r.said, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// ParseTargets reads lists and files. Its errors name the line.
func TestParseTargets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "engines")
	if err := os.WriteFile(file, []byte("# stage\n10.0.0.1:4000 left\n\n10.0.0.2:4000/two right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ list, want string }{
		{"a:1", "a:1||"}, {"a:1,b:2/x", "a:1|| b:2|x|"}, {file, "10.0.0.1:4000||left 10.0.0.2:4000|two|right"},
		{"", "empty: want a file"}, {"a", "line 1: engine \"a\""}, {"a:1,:2", "line 2"}, {"a:1,a:1", "duplicate"}, {"a:1 b c", "3 words"},
	} {
		targets, err := ParseTargets(tt.list)
		var got []string
		for _, n := range targets {
			got = append(got, n.Address+"|"+n.Target.Name+"|"+n.Group)
		}
		if said := fmt.Sprint(strings.Join(got, " "), err); !strings.Contains(said, tt.want) {
			t.Errorf("%q: %s, want %s", tt.list, said, tt.want)
		}
	}
	if at, err := LocalFor("127.0.0.1:9"); err != nil || at != "127.0.0.1" {
		t.Errorf("%s, %v", at, err)
	}
}

// The metrics are in Prometheus's format, each with help and type, and have the known values.
func TestMetrics(t *testing.T) {
	r := newRun()
	r.f.Add(`odd "name"`, `a\b`, r.now)
	r.status.Unheard = true
	r.goOn(time.Second, true)
	var b bytes.Buffer
	if err := WriteMetrics(&b, r.f.Members()); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^(# (HELP|TYPE) chronus_\w+ .+|chronus_\w+\{engine="([^"\\\n]|\\.)*",group="([^"\\\n]|\\.)*"(,kind="[a-z ]+")?\} [0-9.e+-]+)$`)
	for l := range strings.Lines(b.String()) {
		if !line.MatchString(strings.TrimSuffix(l, "\n")) {
			t.Errorf("no line of the format: %q", l)
		}
	}
	for _, want := range []string{
		`chronus_up{engine="e",group="g"} 1`, `chronus_up{engine="odd \"name\"",group="a\\b"} 0`, `chronus_load{engine="e",group="g"} 0.2`,
		`chronus_alarm{engine="e",group="g",kind="device"} 1`,
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("no line %s in\n%s", want, b.String())
		}
	}
}

// Each row of report.Counters is a metric of the fleet, with the value that the engine reports.
func TestMetricsHaveEveryCounter(t *testing.T) {
	st := &pb.Status{}
	fields, want := st.ProtoReflect().Descriptor().Fields(), map[string]bool{}
	for i, c := range report.Counters() {
		f := fields.ByName(protoreflect.Name(c.Name))
		if f == nil {
			t.Errorf("chronus.proto: Status has no field %s", c.Name)
			continue
		}
		st.ProtoReflect().Set(f, protoreflect.ValueOfUint64(uint64(i+1)))
		want[fmt.Sprintf("chronus_%s{engine=\"e\",group=\"\"} %d\n", c.Metric(), i+1)] = true
	}
	var b strings.Builder
	if err := WriteMetrics(&b, []Member{{Name: "e", Status: st}}); err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(b.String()) {
		delete(want, l)
	}
	for l := range want {
		t.Errorf("missing: %s", l)
	}
}

// A report with absurd numbers costs little time and memory, and can be written as JSON.
func TestWildReports(t *testing.T) {
	r := newRun()
	r.goOn(time.Second, on)
	r.status.Failovers = math.MaxUint64
	r.status.Peak, r.status.Workers[0].Load = math.NaN(), math.Inf(1)
	r.goOn(time.Second, on)
	if _, err := json.Marshal(r.f.Members()); err != nil {
		t.Error(err)
	}
	if got := strings.Join(r.said, " "); got != "+flapping" {
		t.Error(got)
	}
}
