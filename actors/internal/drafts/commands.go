package drafts

import (
	"math"
	"slices"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// Command is an address that changes patches, or that loads, saves and lists them.
type Command struct {
	address, usage, doc string
	least, most         int // arguments
	// run returns the arguments of <address>.reply, or nil to answer with /done.
	run func(s *Store, r Request) (reply []any, err error)
}

// Address returns the command's OSC address.
func (c *Command) Address() string { return c.address }

// Request is one use of a command.
type Request struct {
	Command *Command
	Args    []any // string or float64, as many as the command accepts
	From    Peer
}

// commands lists all patch commands.
var commands = []Command{
	{"/patch/create", "id type [voices]", "adds a node to the draft; to a group of voices, one for each",
		2, 3, words(func(p *patch.Patch, w []string) error { return p.Create(w[0], w[1], w[2]) })},
	{"/patch/delete", "id", "deletes a node and its cables from the draft",
		1, 1, words(func(p *patch.Patch, w []string) error { return p.Delete(w[0]) })},
	{"/patch/connect", "from to", "adds a cable to the draft: node or node.port, and out for the output",
		2, 2, words(func(p *patch.Patch, w []string) error { return p.Connect(w[0], w[1]) })},
	{"/patch/disconnect", "from to", "deletes a cable from the draft",
		2, 2, words(func(p *patch.Patch, w []string) error { return p.Disconnect(w[0], w[1]) })},
	{"/patch/set", "node parameter value", "gives a node in the draft a value to begin with", 3, 3, set},
	{"/patch/commit", "",
		"plays the draft, in all workers from one block on; answers the commit's number and its first frame",
		0, 0, (*Store).commit},
	{"/patch/abort", "", "discards the draft", 0, 0, (*Store).abort},
	{"/patch/load", "name", "plays a preset, or a patch of the engine's directory for patches", 1, 1, load},
	{"/patch/save", "name",
		"saves the patch that plays, with the values that were set, in the engine's directory for patches", 1, 1, save},
	{"/patch/list", "", "answers with the names that /patch/load accepts", 0, 0, list},

	{"/seq/create", "track [voices]", "adds a track to the draft",
		1, 2, words(func(p *patch.Patch, w []string) error { return p.CreateTrack(w[0], w[1]) })},
	{"/seq/delete", "track", "deletes a track from the draft",
		1, 1, words(func(p *patch.Patch, w []string) error { return p.DeleteTrack(w[0]) })},
	{"/seq/config", "track division [steps]",
		"sets in the draft how long a track's steps are, like 1/16 or 1/8t, and how many its round has", 2, 3, configTrack},
	{"/seq/param_lane", "track lane node.parameter",
		"makes a track's lane, numbered from 0, set a parameter, in the draft",
		3, 3, paramLane},
}

// Routes lists the addresses of all patch commands. Each Handler is a *Command.
func Routes() []space.Route {
	list := make([]space.Route, len(commands))
	for i := range commands {
		c := &commands[i]
		list[i] = space.Route{
			Entry: osc.Entry{
				Address: c.address, Kind: osc.Words, Least: c.least, Most: c.most, Usage: c.usage, Doc: c.doc, RequiresToken: true,
			},
			Kind:    space.PatchCommand,
			Handler: c,
		}
	}
	return list
}

// words makes a command of an edit whose arguments are all strings.
func words(change func(p *patch.Patch, w []string) error) func(s *Store, r Request) ([]any, error) {
	return func(s *Store, r Request) ([]any, error) {
		w, err := r.words()
		if err != nil {
			return nil, err
		}
		return s.add(r, func(p *patch.Patch) error { return change(p, w) })
	}
}

func set(s *Store, r Request) ([]any, error) {
	node, err := r.word(0)
	if err != nil {
		return nil, err
	}
	param, err := r.word(1)
	if err != nil {
		return nil, err
	}
	word, _ := r.Args[2].(string)
	value, _ := r.Args[2].(float64)
	return s.add(r, func(p *patch.Patch) error { return p.Set(node, param, value, word, s.cfg.Rate) })
}

func configTrack(s *Store, r Request) ([]any, error) {
	track, err := r.word(0)
	if err != nil {
		return nil, err
	}
	division, err := r.word(1)
	if err != nil {
		return nil, err
	}
	steps, err := r.whole(2)
	if err != nil {
		return nil, err
	}
	return s.add(r, func(p *patch.Patch) error { return p.ConfigTrack(track, division, steps) })
}

func paramLane(s *Store, r Request) ([]any, error) {
	track, err := r.word(0)
	if err != nil {
		return nil, err
	}
	lane, err := r.whole(1)
	if err != nil {
		return nil, err
	}
	target, err := r.word(2)
	if err != nil {
		return nil, err
	}
	return s.add(r, func(p *patch.Patch) error { return p.Lane(track, lane, target) })
}

// maxWord bounds an argument in bytes, since drafts keep them.
const maxWord = 256

// word returns an argument that must be a string, "" if it is missing.
func (r Request) word(i int) (string, error) {
	if i >= len(r.Args) {
		return "", nil
	}
	s, ok := r.Args[i].(string)
	if !ok {
		return "", osc.Refuse(osc.CodeBadArgument, "argument %d: %v is a number; want %s", i+1, r.Args[i], r.Command.usage)
	}
	if len(s) > maxWord {
		return "", osc.Refuse(osc.CodeBadArgument, "argument %d: %d bytes; want at most %d", i+1, len(s), maxWord)
	}
	return s, nil
}

// words returns all arguments as strings, and "" for those that are missing.
func (r Request) words() (list []string, err error) {
	for i := range r.Args {
		s, err := r.word(i)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return append(list, slices.Repeat([]string{""}, max(0, r.Command.most-len(list)))...), nil
}

// whole returns an argument that must be a whole number, 0 if it is missing.
func (r Request) whole(i int) (int, error) {
	if i >= len(r.Args) {
		return 0, nil
	}
	x, ok := r.Args[i].(float64)
	if !ok || x != math.Trunc(x) || math.Abs(x) > 1e6 {
		return 0, osc.Refuse(osc.CodeBadArgument, "argument %d: %v is not a whole number; want %s",
			i+1, r.Args[i], r.Command.usage)
	}
	return int(x), nil
}
