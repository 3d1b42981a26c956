package midi

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	gomidi "gitlab.com/gomidi/midi/v2"

	"github.com/music-chronus/chronus/osc"
)

// CheckAddress reports what is wrong with an address in a map.
func CheckAddress(address string) error {
	_, err := osc.NewSpace([]osc.Entry{{Address: address, Kind: osc.Gate}})
	return err
}

// seen is the last value of a controller.
type seen struct {
	value uint8
	known bool
}

// Learner waits for a controller to move.
type Learner struct {
	channel int // 1 to 16; 0: any
	parser  *Parser
	last    [16][maxController + 1]seen
	found   Binding
	done    bool
}

// NewLearner returns a learner for a channel, 1 to 16, or all channels (0).
func NewLearner(channel int) *Learner {
	l := &Learner{channel: channel}
	l.parser = NewParser(l.message)
	return l
}

// Bytes parses bytes from the input. ok is true once a controller has sent two different values.
func (l *Learner) Bytes(b []byte) (channel, controller int, ok bool) {
	l.parser.Bytes(b)
	return l.found.Channel, l.found.Controller, l.done
}

func (l *Learner) message(m gomidi.Message) {
	var ch, number, value uint8
	if l.done || !m.GetControlChange(&ch, &number, &value) || number > maxController ||
		l.channel != 0 && l.channel != int(ch)+1 {
		return
	}
	s := &l.last[ch][number]
	if s.known && s.value != value {
		l.found, l.done = Binding{Channel: int(ch) + 1, Controller: int(number)}, true
	}
	*s = seen{value, true}
}

// ReadMap reads a map from a file. For a missing file it returns an empty map and an error that
// wraps fs.ErrNotExist.
func ReadMap(path string) (Map, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Map{File: path}, err
	}
	return ParseMap(path, text)
}

// AddBinding adds a line to a map's file, and leaves the other lines unchanged. A missing file is
// created. others is the number of lines that move the same address already.
func AddBinding(path string, b Binding) (others int, err error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	old, err := ParseMap(path, text)
	if err != nil {
		return 0, err
	}
	for _, o := range old.Controllers {
		if o.Address == b.Address {
			others++
		}
	}
	text, err = added(old, text, b)
	if err != nil {
		return 0, err
	}
	now, err := ParseMap(path, text)
	if err != nil {
		return 0, fmt.Errorf("map %s: the new line is invalid: %w", path, err)
	}
	if len(now.Controllers) != len(old.Controllers)+1 {
		return 0, fmt.Errorf("map %s: cannot add a line to the list of controllers; add it yourself: - %v", path, b)
	}
	return others, replaceFile(path, text)
}

// added returns a map's text with a new line, the first of its list of controllers.
func added(m Map, text []byte, b Binding) ([]byte, error) {
	line := func(indent int) string { return strings.Repeat(" ", indent) + "- " + b.String() }
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		lines = []string{"# What the controllers of a MIDI input move.", "version: 1", "controllers:", line(2)}
	case m.list.lines:
		lines = slices.Insert(lines, m.list.Line-1, line(m.list.Column-1))
	case !m.list.there:
		lines = append(lines, "controllers:", line(2))
	default:
		at := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, "controllers:") })
		rest := ""
		if at >= 0 {
			rest, _, _ = strings.Cut(strings.TrimPrefix(lines[at], "controllers:"), "#")
		}
		if rest = strings.TrimSpace(rest); at < 0 || rest != "" && rest != "[]" {
			return nil, fmt.Errorf("map %s: controllers must be a list with a line for each; add it yourself: - %v", m.File, b)
		}
		lines[at] = "controllers:"
		lines = slices.Insert(lines, at+1, line(2))
	}
	return []byte(strings.Join(lines, "\n") + "\n"), nil
}

// replaceFile replaces a file atomically.
func replaceFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, text, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
