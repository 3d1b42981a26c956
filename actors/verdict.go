package actors

import (
	"context"
	"sync"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
)

// verdict is what who has asked for a change of the patch is told of it: one thing, once. That it is left out may be known while it is still being
// waited for, and is then what change returns; or afterwards, and then answer is told, if that was not an error already.
type verdict struct {
	answer func(error) // nil: nobody is told afterwards

	mu    sync.Mutex
	given bool  // change has returned
	err   error // that the change has ended with
}

// leftOut: workers have ended of the change.
func (v *verdict) leftOut(err error) {
	v.mu.Lock()
	first, given := v.err == nil, v.given
	if first {
		v.err = err
	}
	v.mu.Unlock()
	if first && given && v.answer != nil {
		v.answer(err)
	}
}

// give is what change returns.
func (v *verdict) give(err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.given = true
	if err != nil || v.err == nil {
		v.err = err
	}
	return v.err
}

// change has every worker go on with another patch. asked: this is the text that an engine after this one is started with. answer is told
// should the change turn out to be poison after this has returned without an error.
func (r *rig) change(ctx context.Context, name string, text []byte, asked bool, answer func(error)) (Commit, error) {
	v := &verdict{answer: answer}
	c, err := r.tryChange(ctx, name, text, asked, commandlog.RequesterFunc(v.leftOut))
	return c, v.give(err)
}
