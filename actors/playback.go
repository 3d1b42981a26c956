package actors

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
	"github.com/music-chronus/chronus/shm/wire"
)

// audioProcess is the process that plays, as the rig knows it.
type audioProcess struct {
	gen     uint64
	proc    sys.Process
	socket  *sys.Socket
	running bool // the process lives
	opened  bool // and has a device
	info    wire.Opened
	reason  string        // why it says that it failed
	trouble string        // what is wrong with the device, though it goes on
	silent  chan struct{} // closed when its last word has been taken
}

// spawnAudio starts the audio process, unless it runs, and asks it to open the device.
func (r *rig) spawnAudio() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.audio.running || r.stopping {
		return nil
	}
	order := r.openOrder()
	if r.audio.reason == "" {
		order.Known = r.audio.info.Period // it ended of nothing that the device has to do with
	} else if r.spareAudio.running {
		r.discardSpare()
	}
	if err := r.startAudioProcess(&r.audio, r.audioSocket(), order); err != nil {
		return fmt.Errorf("audio process: %w", err)
	}
	return nil
}

// startAudioProcess has the spare process, or one that is started now, play or look in the place a, where none is, and listen
// at socket.
func (r *rig) startAudioProcess(a *audioProcess, socket string, order wire.OpenOrder) error {
	if !r.spareAudio.running {
		if err := r.forkAudio(); err != nil {
			return err
		}
	}
	if err := os.Rename(r.socket(spareSocketFile), socket); err != nil {
		return err
	}
	*a, r.spareAudio, r.spareAt = r.spareAudio, audioProcess{}, time.Now()
	r.saveCrew()
	r.connectAudio(a, socket, order)
	return nil
}

// discardSpare ends the spare process, which has known the device that was lost.
func (r *rig) discardSpare() {
	w := spareWorker{proc: r.spareAudio.proc}
	r.spareAudio = audioProcess{}
	go w.discard()
}

// forkAudio starts a process that waits for an engine to tell it what to open. Starting one takes a third of what it takes to be heard
// again, so that one is kept.
func (r *rig) forkAudio() error {
	listener, err := sys.Listen(r.socket(spareSocketFile))
	if err != nil {
		return err
	}
	defer listener.Close()
	journal, err := r.journal.ReadOnlyFD()
	if err != nil {
		return err
	}
	defer func() { _ = sys.CloseFD(journal) }()
	proc, err := r.cfg.spawnChild(audioChild, []int{r.control.FD(), journal, listener.FD(), r.store.FD(), r.plans.FD()}, r.audioEnv()...)
	if err != nil {
		return err
	}
	r.audioGen++
	r.spareAudio = audioProcess{gen: r.audioGen, proc: proc, running: true}
	r.saveCrew()
	return nil
}

// audioSocket is where the audio process listens: to this engine, or to one after it.
func (r *rig) audioSocket() string { return r.socket(audioSocketFile) }

func (r *rig) socket(name string) string { return filepath.Join(r.cfg.RuntimeDir, name) }

// openOrder is what an audio process is asked for: at the start of an engine what the user wants, or nothing; once it has
// played, something at any price.
func (r *rig) openOrder() wire.OpenOrder {
	played := r.plays || r.adopted
	return wire.OpenOrder{
		Target: r.preferred(), Others: r.cfg.Fallback, OrNull: played, Again: played,
		Rate: r.cfg.Rate, Channels: r.cfg.Channels, Period: r.cfg.Period, ClientName: r.cfg.ClientName, Wiring: r.wiring,
	}
}

// connectAudio connects to an audio process, and asks it to open a device, which it may have done already. One that cannot be
// talked to is ended, and replaced.
func (r *rig) connectAudio(a *audioProcess, socket string, order wire.OpenOrder) {
	a.silent = make(chan struct{})
	var err error
	if a.socket, err = sys.Dial(socket); err == nil {
		go r.listen(*a)
		err = wire.Send(a.socket, wire.Order{Open: &order})
	} else {
		close(a.silent)
	}
	if err != nil {
		a.reason = err.Error()
		_ = a.proc.Signal(killSignal)
	}
}

// listen takes what one audio process says until it is gone, and closes the socket.
func (r *rig) listen(a audioProcess) {
	defer close(a.silent)
	defer a.socket.Close()
	for {
		n, fds, err := wire.Receive[wire.Notice](a.socket)
		for _, fd := range fds {
			_ = sys.CloseFD(fd)
		}
		if errors.Is(err, io.EOF) {
			return
		}
		switch {
		case err != nil:
			r.noteAudio(a.gen, wire.Notice{Failed: err.Error()})
		default:
			r.noteAudio(a.gen, n)
		}
	}
}

// noteAudio takes one notice of the audio process of generation gen.
func (r *rig) noteAudio(gen uint64, n wire.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.audio
	if r.next.gen == gen {
		a = &r.next
	}
	if a.gen != gen {
		return
	}
	if n.Problem != nil {
		if a == &r.audio {
			a.trouble = *n.Problem
			r.emit(report.DeviceProblem{Device: a.info.Device, Problem: *n.Problem})
		}
		return
	}
	if n.Wiring != nil {
		r.wiring = n.Wiring
		return
	}
	if n.Refused != nil {
		if a == &r.audio {
			r.replaceRefused(*n.Refused)
		}
		return
	}
	if n.Opened == nil {
		a.reason = n.Failed // it may have ended meanwhile
		return
	}
	if !a.running {
		return
	}
	a.opened, a.info = true, *n.Opened
	if n.Opened.Wiring != nil {
		r.wiring = n.Opened.Wiring
	}
	if a == &r.next {
		r.relieve()
		return
	}
	r.opened()
}

// opened fits the lead to the device of the audio process, and hands over the rings that there are.
func (r *rig) opened() {
	a := &r.audio
	r.keepPath()
	if note := r.otherwise(a.info); note != "" {
		a.info.Note = strings.TrimPrefix(a.info.Note+"; "+note, "; ")
	}
	r.control.RaiseLead(max(r.cfg.Lead, r.cfg.leadFor(a.info.Period)))
	for _, s := range r.slots {
		s.handed = false
		r.handRing(s)
	}
	if r.control.Transport() == shm.Play { // else there is nothing to play yet
		r.startAudio()
	}
	r.emit(report.AudioOpened{
		PID: a.proc.PID, Backend: a.info.Backend, Device: a.info.Device,
		Rate: a.info.Rate, Channels: a.info.Channels, Period: a.info.Period, Note: a.info.Note,
	})
}

// startAudio lets the device play, if it does not already. A process that cannot be told is ended: the next one plays as soon as
// it has a device.
func (r *rig) startAudio() {
	if err := wire.Send(r.audio.socket, wire.Order{Start: true}); err != nil {
		r.audio.reason = err.Error()
		_ = r.audio.proc.Signal(killSignal)
	}
}

// handRing hands the ring of s to the audio process, unless it has it. Where there is no device
// yet, or the process is ending, that comes later: a joiner tries again at each look, and a new process gets all rings.
func (r *rig) handRing(s *slot) {
	if s.handed || s.ring == nil || !r.audio.opened {
		return
	}
	fd, err := s.ring.ReadOnlyFD()
	if err != nil {
		return
	}
	defer func() { _ = sys.CloseFD(fd) }()
	_, gen := s.ring.Slot()
	order := wire.Order{Attach: &wire.AttachOrder{Slot: s.number, Generation: gen}}
	s.handed = wire.Send(r.audio.socket, order, fd) == nil
}

// replaceRefused replaces the worker whose ring the audio process does not play. The slot's next
// worker need not wait until the ring's blocks are played: they never are.
func (r *rig) replaceRefused(n wire.Refused) {
	if n.Slot < 0 || n.Slot >= len(r.slots) {
		return
	}
	s := r.slots[n.Slot]
	s.refused = n.Generation
	if s.attached() && s.gen == n.Generation {
		r.dismiss(s, "ring refused by the audio process: "+n.Reason)
	}
}

func (r *rig) buryAudio(now time.Time) (corpse, bool) {
	a := &r.audio
	exit, ok, err := a.proc.Reap()
	if err == nil && !ok {
		return corpse{}, false
	}
	young := !a.opened
	a.running, a.opened = false, false
	_ = a.proc.Close()
	if r.promote(now) {
		return corpse{}, false // it has a successor, who plays already
	}
	return corpse{slot: audioSlot, gen: a.gen, exit: exit, young: young}, true
}

// audioSlot stands for the audio process where a slot is named.
const audioSlot = -1
