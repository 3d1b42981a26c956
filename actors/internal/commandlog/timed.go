package commandlog

import "fmt"

// MaxTimed is the most commands that may wait for their frame. A stream holds 4,096 commands; the
// difference is room for those of the current block.
const MaxTimed = 4000

// ErrTimed is the refusal of a batch when MaxTimed commands wait already.
var ErrTimed = fmt.Errorf("%d commands wait for their time: send later ones later", MaxTimed)

// timed counts the commands that wait for their frame.
type timed struct{ frames []uint64 }

// Reserve counts the timed commands of a batch as waiting. frame is the next one to be played. If
// too many commands wait, Reserve returns ErrTimed and counts none of them.
func (l *Log) Reserve(requests []Request, frame uint64) error {
	return l.timed.reserve(requests, frame)
}

func (t *timed) reserve(requests []Request, frame uint64) error {
	_, n := Count(requests)
	if n == 0 {
		return nil
	}
	if len(t.frames)+n > MaxTimed {
		left := t.frames[:0]
		for _, f := range t.frames {
			if f > frame {
				left = append(left, f)
			}
		}
		t.frames = left
	}
	if len(t.frames)+n > MaxTimed {
		return ErrTimed
	}
	for i := range requests {
		for _, c := range requests[i].Commands {
			if requests[i].Timed {
				t.frames = append(t.frames, c.Frame)
			}
		}
	}
	return nil
}
