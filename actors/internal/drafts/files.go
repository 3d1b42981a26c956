package drafts

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
	"github.com/music-chronus/chronus/osc"
)

const patchSuffix = ".yaml"

var errNoPatches = osc.Refuse(osc.CodeUnavailable,
	"no directory for patches: start the engine with one (--patches DIR)")

// name returns the argument of load and save: letters, digits, - and _, with / between folders.
func (r Request) name() (string, error) {
	n, err := r.word(0)
	if err != nil {
		return "", err
	}
	n = strings.TrimSuffix(n, patchSuffix)
	odd := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '/')
	}
	if n == "" || len(n) > 128 || strings.ContainsFunc(n, odd) || !fs.ValidPath(n) {
		return "", osc.Refuse(osc.CodeBadArgument,
			"patch name %.40q: want letters, digits, - and _, with / between the names of folders", n)
	}
	return n, nil
}

// root opens the directory for patches. Links in it cannot lead outside.
func (s *Store) root() (*os.Root, error) {
	if s.cfg.Patches == "" {
		return nil, errNoPatches
	}
	return os.OpenRoot(s.cfg.Patches)
}

func load(s *Store, r Request) ([]any, error) {
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	if s.get(clientOf(r.From)) != nil {
		return nil, errOpen
	}
	text, err := s.read(name)
	if err != nil {
		return nil, err
	}
	return s.change(r, name, text)
}

// read returns the text of a patch of the directory, after copying its samples into the store; or
// of a preset.
func (s *Store) read(name string) ([]byte, error) {
	root, err := s.root()
	if err == nil {
		defer root.Close()
		var text []byte
		if text, err = readPatch(root, name+patchSuffix); err == nil {
			if err := checkSamples(root, name, text); err != nil {
				return nil, err
			}
			return samples.In(s.cfg.Samples).Load(name, text, filepath.Join(s.cfg.Patches, path.Dir(name)))
		}
	}
	text, presetErr := patch.Preset(name)
	if presetErr != nil && err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNoPatches) {
		return nil, fmt.Errorf("patch %s: %w", name, err)
	}
	return text, presetErr
}

// checkSamples checks that the sound files that a patch names lie in the directory, too.
func checkSamples(root *os.Root, name string, text []byte) error {
	p, err := patch.Parse(name, text)
	if err != nil {
		return err
	}
	for _, s := range p.Samples {
		if s.Sum != "" {
			continue
		}
		if _, err := root.Stat(path.Join(path.Dir(name), s.File)); err != nil || filepath.IsAbs(s.File) {
			return osc.Refuse(osc.CodeRejected, "patch %s: sample %q: file %s is not in the directory for patches",
				name, s.Name, s.File)
		}
	}
	return nil
}

// readPatch reads a file that is small enough for a patch.
func readPatch(root *os.Root, file string) ([]byte, error) {
	st, err := root.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular() || st.Size() > patch.MaxText:
		return nil, fmt.Errorf("%s: want a regular file of at most %d bytes", file, patch.MaxText)
	}
	return root.ReadFile(file)
}

// textWithValues returns the text of the patch that plays, with the values that were set since.
func (s *Store) textWithValues() ([]byte, error) {
	values := s.engine.Values()
	if len(values) == 0 {
		return s.engine.Text(), nil
	}
	_, p, err := s.engine.Current()
	if err != nil {
		return nil, err
	}
	for _, address := range slices.Sorted(maps.Keys(values)) {
		v := values[address]
		part := strings.Split(strings.TrimPrefix(address, "/"), "/")
		switch {
		case len(part) == 3 && part[0] == "mod":
			err = p.Set(part[1], part[2], v, "", s.cfg.Rate)
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

func save(s *Store, r Request) ([]any, error) {
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	root, err := s.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, err := s.textWithValues()
	if err != nil {
		return nil, err
	}
	if err := writePatch(root, name+patchSuffix, text); err != nil {
		return nil, fmt.Errorf("save patch %s: %w", name, err)
	}
	return nil, nil
}

// writePatch writes a patch by way of a second file, so that a full disk does not cost the patch
// that was saved before.
func writePatch(root *os.Root, file string, text []byte) error {
	if err := root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return err
	}
	part := file + ".part"
	if err := root.WriteFile(part, text, 0o644); err != nil {
		_ = root.Remove(part)
		return err
	}
	return root.Rename(part, file)
}

// maxListed is how many names an answer has: as many as a packet holds.
const maxListed = 200

func list(s *Store, _ Request) ([]any, error) {
	names := patch.Presets()
	if root, err := s.root(); err == nil {
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
		if len(reply) < maxListed {
			reply = append(reply, n)
		}
	}
	return reply, nil
}
