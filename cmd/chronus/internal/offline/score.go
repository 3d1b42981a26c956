package offline

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gitlab.com/gomidi/midi/v2/smf"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/stream"
)

// Limits of a score.
const (
	scoreBytes  = 16 << 20
	scoreEvents = 1 << 20
)

// ReadScore reads a score: the one of a preset song, a Standard MIDI File (.mid, .midi), or timed
// OSC in any other file. The cues are in the order of the file.
func ReadScore(path string, plan *patch.Plan, addresses Addresses) (cues []stream.Command, err error) {
	if text, ok := patch.Score(path); ok {
		return textScore(text, plan.Rate, addresses)
	}
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > scoreBytes {
		return nil, fmt.Errorf("score %s: %d bytes exceed the limit of %d", path, st.Size(), scoreBytes)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".mid", ".midi":
		cues, err = midiScore(b, plan)
	default:
		cues, err = textScore(b, plan.Rate, addresses)
	}
	if err != nil {
		return nil, fmt.Errorf("score %s: %w", path, err)
	}
	if len(cues) > scoreEvents {
		return nil, fmt.Errorf("score %s: %d events exceed the limit of %d", path, len(cues), scoreEvents)
	}
	return cues, nil
}

// textScore reads timed OSC, one message a line, as ParseCue reads it. A comment begins with #.
func textScore(b []byte, rate int, addresses Addresses) (cues []stream.Command, err error) {
	number := 0
	for line := range bytes.Lines(b) {
		number++
		text, _, _ := strings.Cut(string(line), "#")
		if strings.TrimSpace(text) == "" {
			continue
		}
		more, err := ParseCue(addresses, text, rate)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		cues = append(cues, more...)
	}
	return cues, nil
}

// bendSemitones is the range of a MIDI pitch wheel by default (General MIDI).
const bendSemitones = 2

// midiScore reads notes, pressure, the pitch wheel, the modulation wheel (controller 1) and the
// pedal (64). Notes of channel n play the n-th group of voices, or the last.
func midiScore(b []byte, plan *patch.Plan) (cues []stream.Command, err error) {
	if len(plan.Voices) == 0 {
		return nil, fmt.Errorf("patch %s has no voices to play notes with", plan.Name)
	}
	const division = 12 // offset in the header; the highest bit means SMPTE
	if len(b) > division && b[division]&0x80 != 0 {
		return nil, errors.New("unsupported time format SMPTE: use a file in beats")
	}
	defer func() {
		if x := recover(); x != nil { // the library panics on some files
			cues, err = nil, fmt.Errorf("not a Standard MIDI File: %v", x)
		}
	}()
	file, err := smf.ReadFrom(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("not a Standard MIDI File: %w", err)
	}
	for _, track := range file.Tracks {
		ticks := int64(0)
		for _, e := range track {
			ticks += int64(e.Delta)
			c, ok := midiCommand(e.Message, plan)
			if !ok {
				continue
			}
			c.Frame = uint64(math.Round(float64(file.TimeAt(ticks)) * float64(plan.Rate) / 1e6))
			cues = append(cues, c)
		}
	}
	return cues, nil
}

// midiCommand returns the command of a message, and false if the message has none.
func midiCommand(m smf.Message, plan *patch.Plan) (c stream.Command, ok bool) {
	var channel, key, value uint8
	var bend int16
	note := func(kind stream.Kind, v float64) (stream.Command, bool) {
		node := plan.NoteNode(min(int(channel), len(plan.Voices)-1))
		return stream.Command{Kind: kind, Node: uint16(node), Param: uint16(key), Value: v}, true
	}
	set := func(param uint16, v float64) (stream.Command, bool) {
		return stream.Command{Kind: stream.Set, Param: param, Value: v}, true
	}
	switch {
	case m.GetNoteStart(&channel, &key, &value):
		return note(stream.Note, float64(value)/127)
	case m.GetNoteEnd(&channel, &key):
		return note(stream.Note, 0)
	case m.GetPolyAfterTouch(&channel, &key, &value):
		return note(stream.Pressure, float64(value)/127)
	case m.GetAfterTouch(&channel, &value):
		return set(patch.EnginePressure, float64(value)/127)
	case m.GetPitchBend(&channel, &bend, nil):
		return set(patch.EngineBend, bendSemitones*float64(bend)/8192)
	case m.GetControlChange(&channel, &key, &value) && key == 1:
		return set(patch.EngineWheel, float64(value)/127)
	case m.GetControlChange(&channel, &key, &value) && key == 64:
		return set(patch.EngineSustain, float64(value/64))
	}
	return c, false
}
