package actors

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/music-chronus/chronus/shm"
	"github.com/music-chronus/chronus/shm/sys"
)

// audioProcess is the process that plays, as the rig knows it.
type audioProcess struct {
	gen     uint64
	proc    sys.Process
	socket  *sys.Socket
	running bool // the process lives
	opened  bool // and has a device
	info    shm.Opened
	reason  string        // why it says that it failed
	silent  chan struct{} // closed when its last word has been taken
}

// spawnAudio starts the audio process, unless it runs, and asks it to open the device.
func (r *rig) spawnAudio() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.startAudioProcess(); err != nil {
		return fmt.Errorf("audio process: %w", err)
	}
	return nil
}

func (r *rig) startAudioProcess() error {
	a := &r.audio
	if a.running || r.stopping {
		return nil
	}
	listener, err := sys.Listen(r.audioSocket())
	if err != nil {
		return err
	}
	defer listener.Close()
	journal, err := r.journal.ReadOnlyFD()
	if err != nil {
		return err
	}
	defer func() { _ = sys.CloseFD(journal) }()
	proc, err := spawnChild(audioChild, []int{r.control.FD(), journal, listener.FD(), r.store.FD()})
	if err != nil {
		return err
	}
	*a = audioProcess{gen: a.gen + 1, proc: proc, running: true}
	r.saveCrew()
	if err := r.connectAudio(); err != nil {
		a.reason = err.Error()
		_ = proc.Signal(killSignal) // and it is replaced
	}
	return nil
}

// audioSocket is where the audio process listens: to this engine, or to one after it.
func (r *rig) audioSocket() string { return filepath.Join(r.cfg.RuntimeDir, audioSocketFile) }

// connectAudio connects to the audio process, and asks it to open the device, which it may have done already.
func (r *rig) connectAudio() (err error) {
	a := &r.audio
	a.silent = make(chan struct{})
	if a.socket, err = sys.Dial(r.audioSocket()); err != nil {
		close(a.silent)
		return err
	}
	go r.listen(*a)
	return shm.SendWire(a.socket, shm.Order{Open: &shm.OpenOrder{
		Backend: r.cfg.Backend, Device: r.cfg.Device, Rate: r.cfg.Rate, Channels: r.cfg.Channels,
	}})
}

// listen takes what one audio process says until it is gone, and closes the socket.
func (r *rig) listen(a audioProcess) {
	defer close(a.silent)
	defer a.socket.Close()
	for {
		n, fds, err := shm.ReceiveWire[shm.Notice](a.socket)
		for _, fd := range fds {
			_ = sys.CloseFD(fd)
		}
		if errors.Is(err, io.EOF) {
			return
		}
		switch {
		case err != nil:
			r.noteAudio(a.gen, shm.Notice{Failed: err.Error()})
		default:
			r.noteAudio(a.gen, n)
		}
	}
}

// noteAudio takes one notice of the audio process of generation gen.
func (r *rig) noteAudio(gen uint64, n shm.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.audio
	if a.gen != gen {
		return
	}
	if n.Opened == nil {
		a.reason = n.Failed // it may have ended meanwhile
		return
	}
	if !a.running {
		return
	}
	if err := r.opened(*n.Opened); err != nil {
		a.reason = err.Error()
		_ = a.proc.Signal(killSignal)
		return
	}
	r.emit(AudioOpened{
		PID: a.proc.PID, Backend: a.info.Backend, Device: a.info.Device,
		Rate: a.info.Rate, Channels: a.info.Channels, Period: a.info.Period, Note: a.info.Note,
	})
}

// opened fits the lead to the device and hands over the rings that there are.
func (r *rig) opened(info shm.Opened) error {
	if err := r.cfg.checkLead(info.Period); err != nil {
		return err
	}
	if r.cfg.Lead == 0 {
		r.control.RaiseLead(r.cfg.leadFor(info.Period))
	}
	r.audio.opened, r.audio.info = true, info
	for _, s := range r.slots {
		s.handed = false
		r.handRing(s)
	}
	if r.control.Transport() != shm.Play {
		return nil // not before there is something to play
	}
	return r.startAudio()
}

// startAudio lets the device call, if it does not already.
func (r *rig) startAudio() error { return shm.SendWire(r.audio.socket, shm.Order{Start: true}) }

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
	order := shm.Order{Attach: &shm.AttachOrder{Slot: s.number, Generation: gen}}
	s.handed = shm.SendWire(r.audio.socket, order, fd) == nil
}

func (r *rig) buryAudio() (corpse, bool) {
	a := &r.audio
	exit, ok, err := a.proc.Reap()
	if err == nil && !ok {
		return corpse{}, false
	}
	young := !a.opened
	a.running, a.opened = false, false
	_ = a.proc.Close()
	return corpse{slot: audioSlot, gen: a.gen, exit: exit, young: young}, true
}

// audioSlot stands for the audio process where a slot is named.
const audioSlot = -1
