package patch

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed presets
var presets embed.FS

// Presets returns the names of the patches that come with Chronus, as family/name, in alphabetical
// order.
func Presets() (names []string) {
	_ = fs.WalkDir(presets, "presets", func(p string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(p) == ".yaml" {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(p, "presets/"), path.Ext(p)))
		}
		return err
	})
	return names
}

// Preset returns the text of a preset. An error suggests the nearest name.
func Preset(name string) ([]byte, error) {
	b, err := presets.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no preset %q%s", clip(name), orNearest(name, Presets()))
	}
	return b, nil
}

// Score returns the timed OSC that belongs to a song preset. ok is false for other presets.
func Score(name string) (text []byte, ok bool) {
	b, err := presets.ReadFile("presets/" + name + ".score")
	return b, err == nil
}

// About returns the comment in the first line of a patch's text; "": there is none.
func About(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	about, ok := strings.CutPrefix(line, "#")
	if !ok {
		return ""
	}
	return strings.TrimSpace(about)
}
