//go:build sim

package audio

import (
	"sync/atomic"

	"github.com/music-chronus/chronus/shm"
)

// Deaths is the look-out for deaths without its thread: for the simulation in actors.
type Deaths struct{ d *deaths }

// NewDeaths knows no lives yet.
func NewDeaths(words shm.Playback, journal shm.Journal) Deaths {
	return Deaths{&deaths{words: words, journal: journal, done: make(chan struct{})}}
}

// Watch follows the life of slot's new worker from now on.
func (d Deaths) Watch(slot int, word *atomic.Uint32) { d.d.watch(slot, word) }

// Look deposes those that have died since the last look.
func (d Deaths) Look() { d.d.look(nil) }
