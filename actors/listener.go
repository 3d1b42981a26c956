package actors

import (
	"fmt"

	"github.com/music-chronus/chronus/actors/internal/output"
	"github.com/music-chronus/chronus/actors/internal/replica"
)

// listener implements resources.Listener: it sends to the actors.
type listener struct{ e *Engine }

func (l listener) Event(ev Event) { l.e.emit(ev) }
func (l listener) Playing()       { l.e.finishStart(nil) }
func (l listener) WorkerEnded(x replica.Exit) {
	l.e.send(fmt.Sprint(workerName, x.Slot), workerEnded{x})
}
func (l listener) AudioEnded(x output.Exit) { l.e.send(audioName, audioEnded{x}) }
