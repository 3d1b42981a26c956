// Package timing has all timers of the engine in one place.
package timing

import (
	"reflect"
	"strings"
	"time"
	"unicode"
)

// Timeouts is the timers of the engine process. The worker's own timers are constants of package
// dsp/worker, since a worker needs no engine to keep them.
type Timeouts struct {
	Hang     time.Duration `doc:"a ready worker that publishes nothing, though it could, is killed"`
	Join     time.Duration `doc:"a joining worker that publishes nothing, though it could, is killed"`
	Start    time.Duration `doc:"a worker's process that has not begun to render is killed"`
	Snapshot time.Duration `doc:"a worker that has not given a requested snapshot is passed over for another"`
	MakePlan time.Duration `doc:"a worker that has not made a new patch ready is killed; after twice the time the change is refused"`
	Fade     time.Duration `doc:"a stop no longer waits for the fade-out"`
	Stop     time.Duration `doc:"a process that was asked to end is killed; after twice the time it is left alone"`

	LeaveDevice    time.Duration `doc:"an audio process that was told to leave the device to the next one is killed"`
	ReturnToDevice time.Duration `doc:"the preferred device is looked for again while another one plays"`
	SpareAudio     time.Duration `doc:"a new spare audio process is started"`
	LastNotice     time.Duration `doc:"the last notice of an audio process that ended is no longer waited for"`
	UnheardEvery   time.Duration `doc:"sound without a device is reported again"`

	Checkpoint      time.Duration `doc:"the next checkpoint is taken"`
	LargeCheckpoint time.Duration `doc:"the next checkpoint is taken if the last one is above 1 MiB"`
	KeepLog         time.Duration `doc:"a command may leave the log, for tapes and slow joiners"`
}

// Default returns the timers that every engine uses.
func Default() Timeouts {
	return Timeouts{
		Hang: 200 * time.Millisecond, Join: 3 * time.Second, Start: 10 * time.Second,
		Snapshot: 100 * time.Millisecond, MakePlan: 5 * time.Second,
		Fade: 500 * time.Millisecond, Stop: 2 * time.Second,
		LeaveDevice: time.Second, ReturnToDevice: 2 * time.Second, SpareAudio: 200 * time.Millisecond,
		LastNotice: 200 * time.Millisecond, UnheardEvery: time.Minute,
		Checkpoint: 150 * time.Millisecond, LargeCheckpoint: time.Second, KeepLog: time.Second,
	}
}

// Row is a timer as the documentation shows it.
type Row struct {
	Name  string // in words
	After time.Duration
	Doc   string // what happens then
}

// Rows returns the timers in the order of the fields.
func (t Timeouts) Rows() (list []Row) {
	v := reflect.ValueOf(t)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		list = append(list, Row{words(f.Name), time.Duration(v.Field(i).Int()), f.Tag.Get("doc")})
	}
	return list
}

// words turns ReturnToDevice into "return to device".
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
