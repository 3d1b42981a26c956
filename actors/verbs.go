package actors

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/samples"
)

// verbs are the addresses that change the patch, the ancestor's among them.
var verbs = []verb{
	{"/patch/create", "id type [voices]", "adds a node to the draft; to a group of voices, one for each", 2, 3, words(func(p *patch.Patch, w []string) error { return p.Create(w[0], w[1], w[2]) })},
	{"/patch/delete", "id", "takes a node and its cables from the draft", 1, 1, words(func(p *patch.Patch, w []string) error { return p.Delete(w[0]) })},
	{"/patch/connect", "from to", "adds a cable to the draft: node or node.port, and out for the output", 2, 2, words(func(p *patch.Patch, w []string) error { return p.Connect(w[0], w[1]) })},
	{"/patch/disconnect", "from to", "takes a cable from the draft", 2, 2, words(func(p *patch.Patch, w []string) error { return p.Disconnect(w[0], w[1]) })},
	{"/patch/set", "node parameter value", "gives a node in the draft a value to begin with", 3, 3, set},
	{"/patch/commit", "", "plays the draft: all workers, one block; answers the commit's number and its first frame", 0, 0, (*editor).commit},
	{"/patch/abort", "", "forgets the draft", 0, 0, abort},
	{"/patch/load", "name", "plays a preset, or a patch of the directory that the engine was given", 1, 1, load},
	{"/patch/save", "name", "saves what plays in the directory that the engine was given", 1, 1, save},
	{"/patch/list", "", "answers which patches can be loaded", 0, 0, list},

	{"/seq/create", "track [voices]", "adds a track to the draft", 1, 2, words(func(p *patch.Patch, w []string) error { return p.CreateTrack(w[0], w[1]) })},
	{"/seq/delete", "track", "takes a track from the draft", 1, 1, words(func(p *patch.Patch, w []string) error { return p.DeleteTrack(w[0]) })},
	{"/seq/config", "track division [steps]", "gives a track in the draft the length of its steps, like 1/16 or 1/8t, and of its round", 2, 3, configTrack},
	{"/seq/param_lane", "track lane node.parameter", "has a track's lane, from 0, set a parameter, in the draft", 3, 3, paramLane},
}

// words makes a verb of an edit whose arguments are all strings.
func words(change func(p *patch.Patch, w []string) error) func(e *editor, r request) ([]any, error) {
	return func(e *editor, r request) ([]any, error) {
		w, err := r.words()
		if err != nil {
			return nil, err
		}
		return e.add(r, func(p *patch.Patch) error { return change(p, w) })
	}
}

func set(e *editor, r request) ([]any, error) {
	node, err := r.word(0)
	if err != nil {
		return nil, err
	}
	param, err := r.word(1)
	if err != nil {
		return nil, err
	}
	word, _ := r.args[2].(string)
	value, _ := r.args[2].(float64)
	return e.add(r, func(p *patch.Patch) error { return p.Set(node, param, value, word, int(e.rig.geo.Rate)) })
}

func configTrack(e *editor, r request) ([]any, error) {
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
	return e.add(r, func(p *patch.Patch) error { return p.ConfigTrack(track, division, steps) })
}

func paramLane(e *editor, r request) ([]any, error) {
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
	return e.add(r, func(p *patch.Patch) error { return p.Lane(track, lane, target) })
}

func abort(e *editor, r request) ([]any, error) {
	if e.close(clientOf(r.from)) == nil {
		return nil, errNoDraft
	}
	return nil, nil
}

const patchSuffix = ".yaml"

var (
	errOpenDraft = errors.New("changes are not committed: /patch/commit or /patch/abort comes first")
	errNoPatches = errors.New("the engine was given no directory for patches: start it with --patches DIR")
)

// name is the argument of load and save: parts of letters, digits, - and _, with / between.
func (r request) name() (string, error) {
	n, err := r.word(0)
	if err != nil {
		return "", err
	}
	n = strings.TrimSuffix(n, patchSuffix)
	odd := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '/')
	}
	if n == "" || len(n) > 128 || strings.ContainsFunc(n, odd) || !fs.ValidPath(n) {
		return "", fmt.Errorf("%.40q names no patch: it takes letters, digits, - and _, with / between the names of folders", n)
	}
	return n, nil
}

// patches is the directory for patches. What is opened in it lies in it, whatever links there are.
func (e *editor) patches() (*os.Root, error) {
	if e.rig.cfg.Patches == "" {
		return nil, errNoPatches
	}
	return os.OpenRoot(e.rig.cfg.Patches)
}

func load(e *editor, r request) ([]any, error) {
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	e.drafts.mu.Lock()
	_, drafting := e.drafts.list[clientOf(r.from)]
	e.drafts.mu.Unlock()
	if drafting {
		return nil, errOpenDraft
	}
	text, err := e.read(name)
	if err != nil {
		return nil, err
	}
	return e.change(r, name, text)
}

// read is the text of a patch of the directory, with its samples in the store, or of a preset.
func (e *editor) read(name string) ([]byte, error) {
	root, err := e.patches()
	if err == nil {
		defer root.Close()
		var text []byte
		if text, err = readPatch(root, name+patchSuffix); err == nil {
			if err := within(root, name, text); err != nil {
				return nil, err
			}
			return samples.In(e.rig.cfg.Samples).Load(name, text, filepath.Join(e.rig.cfg.Patches, path.Dir(name)))
		}
	}
	text, presetErr := patch.Preset(name)
	if presetErr != nil && err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNoPatches) {
		return nil, fmt.Errorf("patch %s: %w", name, err)
	}
	return text, presetErr
}

// within wants the sound files that a patch names to lie in its directory, too.
func within(root *os.Root, name string, text []byte) error {
	p, err := patch.Parse(name, text)
	if err != nil {
		return err
	}
	for _, s := range p.Samples {
		if s.Sum != "" {
			continue
		}
		if _, err := root.Stat(path.Join(path.Dir(name), s.File)); err != nil || filepath.IsAbs(s.File) {
			return fmt.Errorf("patch %s: sample %q: %s is no file of the directory for patches", name, s.Name, s.File)
		}
	}
	return nil
}

// readPatch reads a file of a directory for patches: one that a patch may be.
func readPatch(root *os.Root, file string) ([]byte, error) {
	st, err := root.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular() || st.Size() > patch.MaxText:
		return nil, fmt.Errorf("%s is no file of at most %d bytes", file, patch.MaxText)
	}
	return root.ReadFile(file)
}

// presentText is the text of what plays: with the values that were set since, if any were.
func (r *rig) presentText() ([]byte, error) {
	r.mu.Lock()
	text, valued := r.present.text, r.valued
	r.mu.Unlock()
	values := valued()
	if len(values) == 0 {
		return text, nil
	}
	_, p, err := r.presentPatch()
	if err != nil {
		return nil, err
	}
	for _, address := range slices.Sorted(maps.Keys(values)) {
		v := values[address]
		part := strings.Split(strings.TrimPrefix(address, "/"), "/")
		switch {
		case len(part) == 3 && part[0] == "mod":
			err = p.Set(part[1], part[2], v, "", int(r.geo.Rate))
		case len(part) == 2 && part[0] == "seq" && part[1] == "bpm":
			p.Music.Tempo = v
		case len(part) == 3 && part[0] == "seq":
			p.SetTrack(part[1], part[2], v)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", address, err)
		}
	}
	return p.Format(), nil
}

func save(e *editor, r request) ([]any, error) {
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	root, err := e.patches()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, err := e.rig.presentText()
	if err != nil {
		return nil, err
	}
	file := name + patchSuffix
	if err := root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return nil, fmt.Errorf("save patch %s: %w", name, err)
	}
	part := file + ".part" // so that a full disk takes no patch away
	if err := root.WriteFile(part, text, 0o644); err != nil {
		_ = root.Remove(part)
		return nil, fmt.Errorf("save patch %s: %w", name, err)
	}
	if err := root.Rename(part, file); err != nil {
		return nil, fmt.Errorf("save patch %s: %w", name, err)
	}
	return nil, nil
}

// listMost is how many names an answer has: what a packet holds.
const listMost = 200

func list(e *editor, _ request) ([]any, error) {
	names := patch.Presets()
	if root, err := e.patches(); err == nil {
		defer root.Close()
		_ = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && path.Ext(p) == patchSuffix {
				names = append(names, strings.TrimSuffix(p, patchSuffix))
			}
			return nil
		})
	}
	slices.Sort(names)
	reply := []any{}
	for _, n := range slices.Compact(names) {
		if len(reply) < listMost {
			reply = append(reply, n)
		}
	}
	return reply, nil
}
