package query

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/feed"
)

// The limits of a WebSocket.
const (
	maxQueue   = 1024 // frames
	maxCommand = 4096 // bytes of a command
	maxPaths   = 64   // reported one by one; above, the client should read the tree again
	writeWait  = 5 * time.Second
	pingEvery  = 30 * time.Second // and the most that an answer may take
)

// command is a text frame of either side.
type command struct {
	Command string `json:"COMMAND"`
	Data    any    `json:"DATA"`
}

// listener is a WebSocket whose client listens to addresses.
type listener struct {
	ws  *websocket.Conn
	out chan frame
	end context.CancelFunc
}

type frame struct {
	kind websocket.MessageType
	data []byte
}

var errSlowClient = errors.New("client does not read: connection closed")

// queue queues a frame. It never waits for the client: if the queue is full, it ends the
// connection.
func (l *listener) queue(f frame) error {
	select {
	case l.out <- f:
		return nil
	default:
		l.end()
		return errSlowClient
	}
}

// send sends a value as OSC, for a feed.
func (l *listener) send(address string, args ...any) error {
	packet, err := osc.Encode(address, args...)
	if err != nil {
		return err
	}
	return l.queue(frame{websocket.MessageBinary, packet})
}

// changed reports a change of the tree.
func (l *listener) changed(c feed.Change) {
	if len(c.Added)+len(c.Removed)+len(c.Altered) > maxPaths {
		l.sendCommand("PATH_CHANGED", "/")
		return
	}
	for _, change := range []struct {
		command string
		paths   []string
	}{{"PATH_REMOVED", c.Removed}, {"PATH_ADDED", c.Added}, {"PATH_CHANGED", c.Altered}} {
		for _, path := range change.paths {
			l.sendCommand(change.command, path)
		}
	}
}

func (l *listener) sendCommand(name, path string) {
	if b, err := json.Marshal(command{name, path}); err == nil {
		_ = l.queue(frame{websocket.MessageText, b})
	}
}

// socket serves a WebSocket until it ends. coder/websocket accepts a page in a browser only from
// this host.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	from := addrOf(r)
	if !s.sockets.Acquire(from) {
		http.Error(w, "too many clients listen", http.StatusServiceUnavailable)
		return
	}
	defer s.sockets.Release(from)
	if !s.beginTask() {
		return
	}
	defer s.running.Done()
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(maxCommand)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	l := &listener{ws: ws, out: make(chan frame, maxQueue), end: cancel}
	subscriber := feed.Subscriber{From: from, Send: l.send, Gone: ctx.Done(), Changed: l.changed}
	if _, err := s.cfg.Feed.Subscribe(l, subscriber); err != nil {
		_ = ws.Close(websocket.StatusTryAgainLater, err.Error())
		return
	}
	defer s.cfg.Feed.Cancel(l)
	var running sync.WaitGroup
	running.Go(func() { l.write(ctx) })
	running.Go(func() { l.ping(ctx, cmp.Or(s.cfg.ping, pingEvery)) })
	s.listen(ctx, l)
	cancel()
	running.Wait()
}

// ping ends the connection once the client does not answer. Without pings, packets to a client that
// has vanished would wait in the kernel for a long time.
func (l *listener) ping(ctx context.Context, every time.Duration) {
	defer l.end()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		wait, cancel := context.WithTimeout(ctx, every)
		err := l.ws.Ping(wait) // listen reads the answer
		cancel()
		if err != nil {
			return
		}
	}
}

// write sends the queued frames until ctx ends.
func (l *listener) write(ctx context.Context) {
	defer l.end()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-l.out:
			wait, cancel := context.WithTimeout(ctx, writeWait)
			err := l.ws.Write(wait, f.kind, f.data)
			cancel()
			if err != nil {
				return
			}
		}
	}
}

// listen handles the client's commands until the connection ends. It ignores all else: OSC belongs
// to the OSC server.
func (s *Server) listen(ctx context.Context, l *listener) {
	for {
		kind, b, err := l.ws.Read(ctx)
		if err != nil {
			return
		}
		var c struct {
			Command string `json:"COMMAND"`
			Data    string `json:"DATA"`
		}
		if kind != websocket.MessageText || json.Unmarshal(b, &c) != nil {
			continue
		}
		if c.Command == "LISTEN" || c.Command == "IGNORE" {
			_ = s.cfg.Feed.Listen(l, c.Data, c.Command == "LISTEN")
		}
	}
}
