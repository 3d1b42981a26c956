package offline

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/music-chronus/chronus/dsp/stream"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/shm"
)

// Addresses turns OSC messages into commands for a plan.
type Addresses interface {
	Resolve(m *osc.Message) ([]shm.Command, error)
}

// maxSeconds is a day.
const maxSeconds = 24 * 3600

// ParseCue reads a message with its time, like "0.5 /note/on 60 1": seconds, address, arguments. A
// pattern gives several commands.
func ParseCue(addresses Addresses, text string, rate int) (cues []stream.Command, err error) {
	words := quotedFields(text)
	if len(words) < 2 {
		return nil, errors.New("incomplete message: write a time in seconds, an address and its arguments, like 0.5 /note/on 60")
	}
	seconds, err := strconv.ParseFloat(words[0], 64)
	if err != nil || !(seconds >= 0 && seconds <= maxSeconds) {
		return nil, fmt.Errorf("time %q: must be a number of seconds from 0 to %d", words[0], maxSeconds)
	}
	var args []any
	for _, w := range words[2:] {
		a, err := osc.ParseArg(w)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	packet, err := osc.Encode(words[1], args...)
	if err != nil {
		return nil, err
	}
	frame := uint64(math.Round(seconds * float64(rate)))
	var d osc.Decoder
	d.Decode(packet, func(m *osc.Message) {
		commands, rerr := addresses.Resolve(m)
		if rerr == nil && len(commands) == 0 {
			rerr = fmt.Errorf("%s: a score can only play; queries and changes of the patch need an engine", words[1])
		}
		err = rerr
		for _, c := range commands {
			cues = append(cues, stream.Command{
				Frame: frame, Kind: stream.Kind(c.Op), Node: c.Node, Param: c.Param, Value: c.Value,
			})
		}
	}, func(e *osc.DecodeError) { err = e })
	return cues, err
}

// quotedFields splits a line into words. The text between two " is one word.
func quotedFields(line string) (words []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

// InOrder sorts cues by time and gives each its Seq.
func InOrder(cues []stream.Command) []stream.Command {
	slices.SortStableFunc(cues, func(a, b stream.Command) int { return int(int64(a.Frame) - int64(b.Frame)) })
	for i := range cues {
		cues[i].Seq = uint64(i) + 1
	}
	return cues
}
