package frontend

import (
	"bytes"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
	"github.com/music-chronus/chronus/osc/server"
)

// newSubscriber describes a peer. TCP subscriptions last as long as the connection, UDP ones a
// minute.
func newSubscriber(from server.Peer) feed.Subscriber {
	s := feed.Subscriber{From: from.Addr().Addr(), Send: from.Reply, Gone: from.Closed()}
	if !from.Stream() {
		s.Until = time.Now().Add(feed.Lasts)
	}
	return s
}

// subscriber returns the peer's subscription, renewed for a minute, or a new one.
func (f *Frontend) subscriber(from server.Peer) feed.Subscriber {
	s := newSubscriber(from)
	if before, ok := f.feed.Get(from); ok {
		s.All, s.Events, s.Numbers, s.Lines, s.Replies = before.All, before.Events, before.Numbers, before.Lines, before.Replies
	}
	return s
}

// subscribe updates a peer's subscription, or removes it if nothing is left to send. It returns how
// many subscribers there are.
func (f *Frontend) subscribe(from server.Peer, s feed.Subscriber) (count int, err error) {
	if mayBeForged(from) && f.takesAway(from, s) {
		return 0, errForgedEnd
	}
	if !s.All && !s.Lines {
		f.feed.Cancel(from)
		return 0, nil
	}
	if !from.Trusted() && !from.Stream() {
		return 0, errForged
	}
	return f.feed.Subscribe(from, s)
}

// mayBeForged tells whether another machine may have sent in the peer's name. The token does not
// prevent that, since the peer has shown it for its address.
func mayBeForged(from server.Peer) bool { return !from.Local() && !from.Stream() }

// takesAway tells whether a peer would be sent less than before, or in another form.
func (f *Frontend) takesAway(from server.Peer, s feed.Subscriber) bool {
	before, ok := f.feed.Get(from)
	return ok && (before.All && (!s.All || s.Numbers != before.Numbers) ||
		before.Lines && !s.Lines || before.Replies && !s.Replies)
}

func notify(h *handler, m *osc.Message, from server.Peer) error {
	kind, err := choice(m, 2)
	if err != nil {
		return err
	}
	s := h.f.subscriber(from)
	s.All, s.Events, s.Numbers = kind > 0, kind > 0, kind == 2
	n, err := h.f.subscribe(from, s)
	if err != nil {
		return err
	}
	return from.Reply("/done", string(m.Address), n, feed.Most)
}

func resync(h *handler, m *osc.Message, from server.Peer) error {
	if err := h.f.feed.Resync(from); err != nil {
		return err
	}
	return from.Reply("/done", string(m.Address))
}

func dumpOSC(h *handler, m *osc.Message, from server.Peer) error {
	kind, err := choice(m, 2)
	if err != nil {
		return err
	}
	s := h.f.subscriber(from)
	s.Lines, s.Replies = kind > 0, kind == 2
	if _, err := h.f.subscribe(from, s); err != nil {
		return err
	}
	return from.Reply("/done", string(m.Address))
}

// dumpAnswer sends a packet that the server sent, or could not send, to the subscribers of replies.
// It leaves out the dump's own messages.
func (f *Frontend) dumpAnswer(a server.Answer) {
	if !f.feed.Replies() || bytes.HasPrefix(a.Packet, []byte("/dumpOSC.")) {
		return
	}
	var d osc.Decoder
	d.Decode(a.Packet, func(m *osc.Message) {
		line := "-> " + a.To.String() + " " + m.String()
		if a.Err != nil {
			line += " (not sent: " + a.Err.Error() + ")"
		}
		f.feed.Reply(line)
	}, func(*osc.DecodeError) {})
}

// muteErrors stops or resumes the /fail answers to a peer.
func muteErrors(_ *handler, m *osc.Message, from server.Peer) error {
	on, err := choice(m, 1)
	if err != nil {
		return err
	}
	if mayBeForged(from) && on == 0 {
		return errForgedMute
	}
	if !from.SuppressErrors(on == 0) {
		return errMutes
	}
	return from.Reply("/done", string(m.Address))
}
