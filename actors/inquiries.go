package actors

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/server"
	"github.com/music-chronus/chronus/shm/sys"
)

// inquiry is an address that asks for something, or that says what its sender wants to be told; nothing that is played depends on it. Most
// are those of SuperCollider's server, so that who knows that finds his way.
type inquiry struct {
	address, usage, doc string
	least, most         int
	guarded             bool
	// run answers m, which has as many arguments as it may have.
	run func(in *intake, m *osc.Message, from server.Peer) error
}

func (q *inquiry) entry() osc.Entry {
	return osc.Entry{Address: q.address, Kind: osc.Words, Least: q.least, Most: q.most, Usage: q.usage, RequiresToken: q.guarded, Doc: q.doc}
}

// inquiries are a function since running one finds them.
func inquiries() []inquiry {
	return []inquiry{
		{"/ping", "[anything]...", "answers /pong with its arguments", 0, osc.MaxArgs, false, ping},
		{"/version", "", "answers /version.reply: chronus, major, minor, patch, and the revision that it was built from", 0, 0, false, version},
		{"/status", "", "answers /status.reply as SuperCollider's server does: 1, nodes, 0 for the voices that sound, groups of voices and 1, kinds of module, mean and peak load in percent of a core, nominal and real rate", 0, 0, false, scStatus},
		{"/sync", "[number]", "answers /synced with its number once all that the same sender sent before is carried out", 0, 1, false, synchronize},
		{"/get", "address...", "answers each address, which may be a pattern, with its value, then /done /get and how many there were", 1, 64, false, get},
		{"/notify", "0, 1 or 2", "tells the sender each change of a value from now on, and what happens (/event/...); by UDP for a minute, unless it is sent again; 2: names as their index; 0: no longer, by UDP from another machine only by not sending it again", 1, 1, false, notify},
		{"/notify/resync", "", "tells the sender all values again", 0, 0, false, resync},
		{"/dumpOSC", "0 or 1", "tells the sender what comes in, as /dumpOSC.reply; by UDP for a minute", 1, 1, true, dumpOSC},
		{"/error", "0 or 1", "0: the sender is told no /fail any more, by UDP for ten minutes, and only on the engine's machine; 1: again", 1, 1, false, mute},
	}
}

// check says whether a message has as many arguments as it may have.
func (q *inquiry) check(m *osc.Message) error {
	if n := len(m.Args); n >= q.least && n <= q.most || q.most == 0 && n == 1 && (m.Args[0].Tag == 'N' || m.Args[0].Tag == 'I') {
		return nil
	}
	if q.most == 0 {
		return errors.New("it takes no argument")
	}
	return fmt.Errorf("it takes %s, not %d arguments", q.usage, len(m.Args))
}

// choice is the one argument as a number from 0 to most; true and false are 1 and 0.
func choice(m *osc.Message, most int) (int, error) {
	a := m.Args[0]
	v, ok := a.Number()
	if a.Tag == 'T' || a.Tag == 'F' {
		v, ok = map[byte]float64{'T': 1}[a.Tag], true
	}
	if n := int(v); ok && float64(n) == v && n >= 0 && n <= most {
		return n, nil
	}
	return 0, fmt.Errorf("it takes a whole number from 0 to %d", most)
}

func ping(_ *intake, m *osc.Message, from server.Peer) error {
	args := make([]any, 0, len(m.Args))
	for i, a := range m.Args {
		v, ok := a.Value()
		if !ok {
			return fmt.Errorf("argument %d is of type %c: it gives back i, h, f, d, s, b, T and F", i+1, a.Tag)
		}
		args = append(args, v)
	}
	return from.Reply("/pong", args...)
}

func version(_ *intake, _ *osc.Message, from server.Peer) error {
	major, minor, rest, revision := versionOf(debug.ReadBuildInfo())
	return from.Reply("/version.reply", "chronus", major, minor, rest, revision)
}

// versionOf is the version that a program was built as: v1.2.3-rc1 is 1, 2 and 3-rc1. What is no release is 0, 0, devel.
func versionOf(info *debug.BuildInfo, ok bool) (major, minor int, rest, revision string) {
	rest = "devel"
	if !ok {
		return major, minor, rest, revision
	}
	if parts := strings.SplitN(strings.TrimPrefix(info.Main.Version, "v"), ".", 3); len(parts) == 3 {
		a, aerr := strconv.Atoi(parts[0])
		b, berr := strconv.Atoi(parts[1])
		if aerr == nil && berr == nil {
			major, minor, rest = a, b, parts[2]
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return major, minor, rest, revision
}

func scStatus(in *intake, _ *osc.Message, from server.Peer) error {
	desk := in.desk
	return in.askStatus(func(st Status) { _ = from.Reply("/status.reply", desk.scStatusArgs(st)...) })
}

// ask makes room for one more request on its way to Monitor; leave frees it.
func (d *desk) ask() (leave func(), err error) {
	leave = func() { d.asks.Add(-1) }
	if d.asks.Add(1) > asksMost {
		leave()
		return nil, errBusy
	}
	return leave, nil
}

// askStatus has Monitor give the status to answer.
func (in *intake) askStatus(answer func(Status)) error {
	leave, err := in.desk.ask()
	if err == nil {
		in.root.Send(in.monitor, askStatus{answer, leave})
	}
	return err
}

// scStatusArgs are the arguments of SuperCollider's /status.reply. How many voices sound is only known to the workers: of those it says 0.
func (d *desk) scStatusArgs(st Status) []any {
	known := d.directory.Load()
	kinds := map[string]bool{}
	for _, n := range known.Addresses.plan.Nodes() {
		kinds[n.Desc.Type] = true
	}
	mean, peak := 0.0, 0.0
	if a := st.Active.Slot; a >= 0 && a < len(st.Workers) {
		mean, peak = d.load.of(st.Workers[a].PID, time.Now())
	}
	real := float64(st.Rate)
	if d.timeline != nil {
		if r, ok := d.timeline.Rate(sys.Monotonic()); ok {
			real = r
		}
	}
	return []any{1, len(known.Addresses.plan.Nodes()), 0, 1 + len(known.Addresses.plan.Voices), len(kinds), float32(mean), float32(peak), float64(st.Rate), real}
}

// synchronize goes the way of commands, and then that of changes of the patch, and so comes behind those that were sent before.
func synchronize(in *intake, m *osc.Message, from server.Peer) error {
	var args []any
	if len(m.Args) > 0 {
		v, ok := m.Args[0].Number()
		if !ok {
			return errors.New("it takes a number, or nothing")
		}
		if args = []any{float32(v)}; v == float64(int32(v)) {
			args = []any{int32(v)}
		}
	}
	desk, root, editor := in.desk, in.root, in.editor
	in.asked = append(in.asked, asked{address: string(m.Address), from: from, end: len(in.commands), then: func() error {
		if desk.drafts.onWay.Load() == 0 {
			return from.Reply("/synced", args...)
		}
		return desk.drafts.sync(root, editor, synced{func() { _ = from.Reply("/synced", args...) }})
	}})
	return nil
}

var (
	errForged = errors.New("by UDP who asks may be forged: send /auth with the token first, or come by TCP")
	errLasts  = errors.New("by UDP who asks may be forged, so that nothing is taken from what you are told: it ends by itself, a minute after it was last asked for; over TCP at once")
	errMute   = errors.New("by UDP who asks may be forged, so that it would keep others from being told: come by TCP")
	errValue  = errors.New("it has no value to be told")
)

// get has Monitor answer with values, once all that the same sender sent before has entered: who has set something asks for that. Patterns are worth more than
// one answer, and so for who is known.
func get(in *intake, m *osc.Message, from server.Peer) error {
	known := in.known
	var wanted []string
	for _, a := range m.Args {
		if a.Tag != 's' && a.Tag != 'S' {
			return errors.New("it takes addresses, as strings")
		}
		if osc.IsPattern(a.Bytes) && !from.Trusted() && !from.Stream() {
			return errForged
		}
		list, err := in.wanted(a.Bytes)
		if err != nil {
			return fmt.Errorf("%.64s: %w", a.Bytes, err)
		}
		for _, i := range list {
			wanted = append(wanted, known.space.Entries()[i].Address)
		}
	}
	desk, root, monitor := in.desk, in.root, in.monitor
	in.asked = append(in.asked, asked{address: string(m.Address), from: from, end: len(in.commands), then: func() error {
		leave, err := desk.ask()
		if err != nil {
			return err
		}
		root.Send(monitor, later{func() {
			defer leave()
			desk.give(from, wanted)
		}})
		return nil
	}})
	return nil
}

// wanted are the entries that an address or a pattern names, and that have a value.
func (in *intake) wanted(address []byte) ([]int, error) {
	known := in.known
	if !osc.IsPattern(address) {
		i, err := known.space.Find(address)
		if err == nil && !known.space.Entries()[i].HasValue() {
			err = errValue
		}
		return []int{i}, err
	}
	list, err := in.patterns.Match(known.space, address)
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !known.space.Entries()[i].HasValue() }), err
}

// give answers with the values that addresses have now; what has gone with a change of the patch is left out.
func (d *desk) give(to server.Peer, wanted []string) {
	view, count := d.view(), 0
	for _, address := range wanted {
		i, ok := view.space.Lookup(address)
		if !ok {
			continue
		}
		if v, _, ok := view.Value(i); ok {
			_ = to.Reply(address, view.space.Entries()[i].Argument(v, false))
			count++
		}
	}
	_ = to.Reply("/done", "/get", count)
}

// told is what is kept of who is told: a connection until its end, what comes by UDP for a minute.
func told(from server.Peer) feed.Subscriber {
	s := feed.Subscriber{From: from.Addr().Addr(), Send: from.Reply, Gone: from.Closed()}
	if !from.Stream() {
		s.Until = time.Now().Add(feed.Lasts)
	}
	return s
}

// subscriber is who is told already, with a minute more, or somebody new.
func (d *desk) subscriber(from server.Peer) feed.Subscriber {
	s := told(from)
	if was, ok := d.feed.Get(from); ok {
		s.All, s.Events, s.Numbers, s.Lines = was.All, was.Events, was.Numbers, was.Lines
	}
	return s
}

// subscribe has who is told something be told, and nobody else.
func (d *desk) subscribe(from server.Peer, s feed.Subscriber) (count int, err error) {
	if maybeForged(from) && d.takesFrom(from, s) {
		return 0, errLasts
	}
	if !s.All && !s.Lines {
		d.feed.Cancel(from)
		return 0, nil
	}
	if !from.Trusted() && !from.Stream() {
		return 0, errForged
	}
	return d.feed.Subscribe(from, s)
}

// maybeForged tells whether somebody else may have asked in the peer's name, whom the token that it has shown does not keep from it.
func maybeForged(from server.Peer) bool { return !from.Local() && !from.Stream() }

// takesFrom tells whether a peer would be told less than before, or otherwise.
func (d *desk) takesFrom(from server.Peer, s feed.Subscriber) bool {
	was, told := d.feed.Get(from)
	return told && (was.All && (!s.All || s.Numbers != was.Numbers) || was.Lines && !s.Lines)
}

func notify(in *intake, m *osc.Message, from server.Peer) error {
	kind, err := choice(m, 2)
	if err != nil {
		return err
	}
	s := in.desk.subscriber(from)
	s.All, s.Events, s.Numbers = kind > 0, kind > 0, kind == 2
	n, err := in.desk.subscribe(from, s)
	if err != nil {
		return err
	}
	return from.Reply("/done", string(m.Address), n, feed.Most)
}

func resync(in *intake, m *osc.Message, from server.Peer) error {
	if err := in.desk.feed.Resync(from); err != nil {
		return err
	}
	return from.Reply("/done", string(m.Address))
}

func dumpOSC(in *intake, m *osc.Message, from server.Peer) error {
	on, err := choice(m, 1)
	if err != nil {
		return err
	}
	s := in.desk.subscriber(from)
	s.Lines = on > 0
	if _, err := in.desk.subscribe(from, s); err != nil {
		return err
	}
	return from.Reply("/done", string(m.Address))
}

func mute(_ *intake, m *osc.Message, from server.Peer) error {
	on, err := choice(m, 1)
	if err != nil {
		return err
	}
	if maybeForged(from) && on == 0 {
		return errMute
	}
	if !from.SuppressErrors(on == 0) {
		return errors.New("too many others want no /fail: try again in ten minutes")
	}
	return from.Reply("/done", string(m.Address))
}
