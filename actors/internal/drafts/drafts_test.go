package drafts_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
)

const text = `version: 1
nodes:
  - {id: a, type: sine}
  - {id: e, type: adsr}
cables: [a > e > out]
`

// engine accepts all patches, and keeps their texts.
type engine struct {
	number uint64
	played []string
	values map[string]float64
	err    error
}

func newEngine() *engine { return &engine{number: 1, played: []string{text}} }

func (e *engine) Text() []byte               { return []byte(e.played[len(e.played)-1]) }
func (e *engine) Values() map[string]float64 { return e.values }

func (e *engine) Current() (uint64, *patch.Patch, error) {
	p, err := patch.Parse("test", e.Text())
	return e.number, p, err
}

func (e *engine) Change(_ context.Context, name string, text []byte, _ func(error)) (number, frame uint64, err error) {
	if e.err != nil {
		return 0, 0, e.err
	}
	e.number++
	e.played = append(e.played, string(text))
	return e.number, 64 * e.number, nil
}

// peer is a client that keeps its answers as lines.
type peer struct {
	name   string
	closed chan struct{}
	got    []string
}

func (p *peer) Stream() bool            { return p.closed != nil }
func (p *peer) Addr() netip.AddrPort    { return netip.MustParseAddrPort("127.0.0.1:9") }
func (p *peer) String() string          { return p.name }
func (p *peer) Closed() <-chan struct{} { return p.closed }

func (p *peer) Reply(address string, args ...any) error {
	p.got = append(p.got, strings.TrimSpace(fmt.Sprintln(append([]any{address}, args...)...)))
	return nil
}

func (p *peer) Fail(address string, err error) error {
	return p.Reply("/fail", address, err.Error())
}

func connection(name string) *peer { return &peer{name: name, closed: make(chan struct{})} }

// send serves one patch command, and returns the answer.
func send(t *testing.T, s *drafts.Store, from *peer, address string, args ...any) string {
	t.Helper()
	if err := s.Admit(); err != nil {
		t.Fatal(err)
	}
	for _, r := range drafts.Routes() {
		if r.Address == address {
			s.Serve(drafts.Request{Command: r.Handler.(*drafts.Command), Args: args, From: from})
			return from.got[len(from.got)-1]
		}
	}
	t.Fatalf("no command %s", address)
	return ""
}

// A commit plays all edits of a draft, on top of what other clients have committed meanwhile.
func TestCommit(t *testing.T) {
	e := newEngine()
	s := drafts.NewStore(drafts.Config{Rate: 48000}, e)
	one, other := connection("one"), connection("other")
	for _, tt := range []struct {
		from    *peer
		address string
		args    []any
		want    string
	}{
		{one, "/patch/commit", nil, "/fail /patch/commit no draft"},
		{one, "/patch/abort", nil, "/fail /patch/abort no draft"},
		{one, "/patch/create", []any{"d", "delay"}, "/done /patch/create"},
		{one, "/patch/create", []any{"x", "dela"}, "/fail /patch/create"},
		{one, "/patch/create", []any{5.0, "delay"}, "/fail /patch/create argument 1: 5 is a number; want id type [voices]"},
		{one, "/patch/create", []any{strings.Repeat("x", 300), "delay"}, "/fail /patch/create argument 1: 300 bytes; want at most 256"},
		{one, "/seq/config", []any{"t", "1/8", "x"}, "/fail /seq/config argument 3: x is not a whole number"},
		{other, "/patch/create", []any{"f", "biquad"}, "/done /patch/create"},
		{one, "/patch/load", []any{"keys/epiano"}, "/fail /patch/load edits are not committed"},
		{other, "/patch/commit", nil, "/patch/commit.reply 2 128"},
		{one, "/patch/set", []any{"d", "mix", 0.25}, "/done /patch/set"},
		{one, "/patch/commit", nil, "/patch/commit.reply 3 192"},
		{one, "/patch/commit", nil, "/fail /patch/commit no draft"},
		{one, "/patch/delete", []any{"f"}, "/done /patch/delete"},
		{other, "/patch/delete", []any{"f"}, "/done /patch/delete"},
		{one, "/patch/commit", nil, "/patch/commit.reply 4 256"},
		{other, "/patch/commit", nil, "/fail /patch/commit edit 1 of 1: another patch plays by now"},
		{other, "/patch/abort", nil, "/done /patch/abort"},
	} {
		if got := send(t, s, tt.from, tt.address, tt.args...); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %s %v: %s, want %s", tt.from.name, tt.address, tt.args, got, tt.want)
		}
	}
	if now := e.played[2]; !strings.Contains(now, `"d"`) || !strings.Contains(now, `"f"`) || !strings.Contains(now, "0.25") {
		t.Errorf("after both commits:\n%s", now)
	}
	if s.InFlight() != 0 {
		t.Errorf("%d are still on their way", s.InFlight())
	}
}

// A draft stays after a commit that failed, and is deleted with its connection.
func TestDraftStays(t *testing.T) {
	e := newEngine()
	s := drafts.NewStore(drafts.Config{Rate: 48000}, e)
	p := connection("one")
	send(t, s, p, "/patch/create", "d", "delay")
	e.err = errors.New("no room")
	if got := send(t, s, p, "/patch/commit"); got != "/fail /patch/commit no room" {
		t.Error(got)
	}
	e.err = nil
	close(p.closed)
	send(t, s, connection("two"), "/patch/create", "f", "biquad")
	if got := send(t, s, p, "/patch/commit"); !strings.Contains(got, "no draft") {
		t.Errorf("after its connection: %s", got)
	}
}

// The drafts and the requests in flight are bounded.
func TestDraftsAreBounded(t *testing.T) {
	s := drafts.NewStore(drafts.Config{Rate: 48000}, newEngine())
	for i := range 33 {
		got := send(t, s, connection(fmt.Sprint(i)), "/patch/create", "d", "delay")
		if refused := strings.Contains(got, "too many drafts: 32 other clients"); refused != (i == 32) {
			t.Errorf("client %d: %s", i, got)
		}
	}
	for i := range drafts.MaxInFlight + 1 {
		if err := s.Admit(); (err != nil) != (i == drafts.MaxInFlight) {
			t.Errorf("request %d: %v", i, err)
		}
	}
	s.Release()
	if err := s.Admit(); err != nil {
		t.Error(err)
	}
	if s.Reset(); s.InFlight() != 0 {
		t.Errorf("%d after all were lost", s.InFlight())
	}
}

// A saved patch has the values that were set, and can be loaded. A name or a sample outside of the
// directory is refused.
func TestSaveAndLoad(t *testing.T) {
	e, dir := newEngine(), t.TempDir()
	e.values = map[string]float64{"/mod/a/freq": 123, "/gate/e": 1}
	s := drafts.NewStore(drafts.Config{Rate: 48000, Patches: dir, Samples: t.TempDir()}, e)
	p := &peer{name: "udp"}
	out := "version: 1\nsamples: {a: ../../etc/hostname}\nnodes: [{id: s, type: sampler, sample: a}]\ncables: [s > out]\n"
	if err := os.WriteFile(filepath.Join(dir, "outside.yaml"), []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ address, name, want string }{
		{"/patch/save", "my/tune", "/done /patch/save"},
		{"/patch/load", "my/tune", "/patch/load.reply 2 128"},
		{"/patch/load", "my/tone", "/fail /patch/load no preset"},
		{"/patch/load", "../my/tune", `/fail /patch/load patch name "../my/tune": want letters`},
		{"/patch/save", "/abs", `/fail /patch/save patch name "/abs"`},
		{"/patch/load", "outside", "/fail /patch/load patch outside: sample \"a\": file ../../etc/hostname is not in the directory for patches"},
	} {
		if got := send(t, s, p, tt.address, tt.name); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %s: %s, want %s", tt.address, tt.name, got, tt.want)
		}
	}
	if !strings.Contains(e.played[len(e.played)-1], "freq: 123") {
		t.Errorf("loaded:\n%s", e.played[len(e.played)-1])
	}
	if got := send(t, s, p, "/patch/list"); !strings.Contains(got, " my/tune ") || !strings.Contains(got, " outside") {
		t.Errorf("listed: %s", got)
	}
	without := drafts.NewStore(drafts.Config{}, e)
	if got := send(t, without, p, "/patch/save", "x"); !strings.Contains(got, "no directory for patches") {
		t.Error(got)
	}
}

// Each patch command has an address that requires the token, and a Handler.
func TestRoutes(t *testing.T) {
	for _, r := range drafts.Routes() {
		if c, ok := r.Handler.(*drafts.Command); !ok || c.Address() != r.Address || !r.RequiresToken || r.Kind != space.PatchCommand {
			t.Errorf("%+v", r)
		}
	}
}
