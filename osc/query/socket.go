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
	maxQueue   = 1024 // frames that wait to be read
	maxCommand = 4096 // bytes of what it says
	maxPaths   = 64   // that are told one by one; if more have come or gone, all is to be read again
	writeWait  = 5 * time.Second
	pingEvery  = 30 * time.Second // and as long may the answer take
)

// command is what both sides say as text.
type command struct {
	Command string `json:"COMMAND"`
	Data    any    `json:"DATA"`
}

// listener is a WebSocket of somebody who listens.
type listener struct {
	ws  *websocket.Conn
	out chan frame
	end context.CancelFunc
}

type frame struct {
	kind websocket.MessageType
	data []byte
}

var errSlowClient = errors.New("it does not read")

// queue sends a frame. Who does not read is not waited for: the connection ends.
func (l *listener) queue(f frame) error {
	select {
	case l.out <- f:
		return nil
	default:
		l.end()
		return errSlowClient
	}
}

// send is a feed's: values go as OSC.
func (l *listener) send(address string, args ...any) error {
	packet, err := osc.Encode(address, args...)
	if err != nil {
		return err
	}
	return l.queue(frame{websocket.MessageBinary, packet})
}

// changed tells that there are other addresses.
func (l *listener) changed(c feed.Change) {
	if len(c.Added)+len(c.Removed)+len(c.Altered) > maxPaths {
		l.sendCommand("PATH_CHANGED", "/")
		return
	}
	for _, told := range []struct {
		command string
		paths   []string
	}{{"PATH_REMOVED", c.Removed}, {"PATH_ADDED", c.Added}, {"PATH_CHANGED", c.Altered}} {
		for _, path := range told.paths {
			l.sendCommand(told.command, path)
		}
	}
}

func (l *listener) sendCommand(name, path string) {
	if b, err := json.Marshal(command{name, path}); err == nil {
		_ = l.queue(frame{websocket.MessageText, b})
	}
}

// socket serves a WebSocket until it ends. A page in a browser must come from here, as it is with coder/websocket.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	from := addrOf(r)
	if !s.sockets.Acquire(from) {
		http.Error(w, "too many listen already", http.StatusServiceUnavailable)
		return
	}
	defer s.sockets.Release(from)
	if !s.beginTask() {
		return
	}
	defer s.running.Done()
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it was answered
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(maxCommand)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	l := &listener{ws: ws, out: make(chan frame, maxQueue), end: cancel}
	if _, err := s.cfg.Feed.Subscribe(l, feed.Subscriber{From: from, Send: l.send, Gone: ctx.Done(), Changed: l.changed}); err != nil {
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

// ping ends the connection once nobody is there any more: what is sent to somebody who has gone without a word waits in the kernel, and is no error for long.
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

// write sends what is queued until ctx ends.
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

// listen takes what is said, until the connection ends. What is no command is passed over: OSC is for the OSC server.
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
