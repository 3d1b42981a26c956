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

// Presets lists the patches that come with Chronus, as family/name, in alphabetical order.
func Presets() (names []string) {
	_ = fs.WalkDir(presets, "presets", func(p string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(p) == ".yaml" {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(p, "presets/"), path.Ext(p)))
		}
		return err
	})
	return names
}

// Preset is the text of one of them.
func Preset(name string) ([]byte, error) {
	b, err := presets.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no preset %q%s", clip(name), orNearest(name, Presets()))
	}
	return b, nil
}

// Score is the timed OSC that belongs to a preset that is a song; ok is false for others.
func Score(name string) (text []byte, ok bool) {
	b, err := presets.ReadFile("presets/" + name + ".score")
	return b, err == nil
}

// About is what a patch's text says of itself: its first line, if that is a remark.
func About(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	about, ok := strings.CutPrefix(line, "#")
	if !ok {
		return ""
	}
	return strings.TrimSpace(about)
}
