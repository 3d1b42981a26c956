package actors

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/survivors"
)

// RunChild becomes a worker or the audio process if this program was started as one, and then
// never returns. Call it first thing in main: the engine starts the program that it is part of.
//
//	actors.RunChild(worker.Main, audio.Main(jack.Backend{}, portaudio.Backend{}, null.Backend{}))
func RunChild(worker, audio func() int) {
	role, child := launch.ChildRole()
	if !child {
		return
	}
	// The reader of what children print may be gone; that must not end the sound.
	signal.Ignore(syscall.SIGPIPE)
	switch role {
	case survivors.RoleWorker:
		os.Exit(worker())
	case survivors.RoleAudio:
		os.Exit(audio())
	}
	fmt.Fprintln(os.Stderr, launch.WrongRole(role))
	os.Exit(2)
}
