package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/music-chronus/chronus/actors/internal/commandlog"
	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/internal/recorder"
	"github.com/music-chronus/chronus/actors/internal/replica"
	"github.com/music-chronus/chronus/actors/internal/subscribers"
	"github.com/music-chronus/chronus/osc"
)

// serving carries out an engine's requests. It outlives the engine's actor.
type serving struct {
	engine      *Engine
	tree        *tree
	tape        recorder.File
	subscribers subscribers.List
}

// carryOut carries out a request, and answers it when that is done.
func (s *serving) carryOut(request any, answer func(any)) {
	done := func(err error) {
		if err != nil {
			answer(refusal(RefusedInvalid, err))
			return
		}
		answer(Done{})
	}
	if to, args, ok := address(request); ok {
		s.sendOSC(to, args, done)
		return
	}
	switch m := request.(type) {
	case GetStatus:
		s.status(answer)
	case Flip:
		done(s.engine.Flip())
	case Mute:
		s.mute(m.On, done)
	case NewPatch:
		go s.newPatch(m, answer) // waits until every worker has made the plan ready
	case BeginTape:
		done(s.tape.Begin(m.Path, s.engine.Record))
	case EndTape:
		go s.endTape(answer) // waits for the tape's last blocks
	default:
		answer(Refused{RefusedUnknown, fmt.Sprintf("unknown request %T: package actors lists the requests", request)})
	}
}

// status asks the monitor.
func (s *serving) status(answer func(any)) {
	s.tree.pending.Do(func(answered func()) {
		s.engine.send(monitorName, statusRequest{answer: func(st Status) {
			answered()
			s.engine.sign(&st)
			answer(st)
		}})
	}, func(err error) { answer(refusal(RefusedUnavailable, err)) })
}

// newPatch plays another patch.
func (s *serving) newPatch(m NewPatch, answer func(any)) {
	ctx, cancel := context.WithTimeout(context.Background(), drafts.ChangeLimit)
	defer cancel()
	name := m.Name
	if name == "" {
		name = "from a request"
	}
	c, err := s.engine.Patch(ctx, name, m.Text, false)
	if err != nil {
		answer(refusal(RefusedInvalid, err))
		return
	}
	answer(PatchDone{c})
}

// sendOSC resolves what an OSC client would send, and passes it on to the conductor.
func (s *serving) sendOSC(to string, args []any, done func(error)) {
	packet, err := osc.Encode(to, args...)
	if err != nil {
		done(err)
		return
	}
	var d osc.Decoder
	d.Decode(packet, func(m *osc.Message) {
		commands, plan, err := s.tree.frontend.Resolve(m)
		switch {
		case err != nil:
			done(fmt.Errorf("%s: %w", to, err))
		case s.engine.gone.Load():
			done(replica.ErrStopped)
		default:
			s.tree.pending.Do(func(answered func()) {
				answer := func(err error) {
					answered()
					done(err)
				}
				request := commandlog.Request{Commands: commands, Requester: commandlog.RequesterFunc(answer)}
				s.engine.send(conductorName, commandlog.Batch{Requests: []commandlog.Request{request}, Plan: plan})
			}, done)
		}
	}, func(e *osc.DecodeError) { done(e) })
}

// mute sets the engine's amp to 0, or back to what it was.
func (s *serving) mute(on bool, done func(error)) {
	m := s.engine.resources.Meter
	amp, ok := m.Mute(on)
	if !ok {
		done(nil) // already so
		return
	}
	s.sendOSC("/engine/amp", []any{amp}, func(err error) {
		if err != nil {
			m.SetMuted(!on)
		}
		done(err)
	})
}

// endTape ends the tape.
func (s *serving) endTape(answer func(any)) {
	path, size, err := s.tape.End()
	switch {
	case errors.Is(err, recorder.ErrNoTape):
		answer(refusal(RefusedInvalid, err))
	case err != nil:
		answer(refusal(RefusedUnavailable, err))
	default:
		answer(TapeDone{Path: path, Bytes: size})
	}
}
