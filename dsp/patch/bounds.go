package patch

import (
	"github.com/music-chronus/chronus/dsp/yaml"
)

// The largest patch within the other limits needs about half of maxLines and maxTokens.
const (
	maxLines  = 8192
	maxTokens = 32768
)

// at makes an error at a place of a patch's text.
func at(name string, p Pos, format string, args ...any) error {
	return yaml.Source{Kind: "patch", Name: name}.Errorf(p, format, args...)
}

func clip(s string) string { return yaml.Clip(s) }

func orNearest(got string, known []string) string { return yaml.OrNearest(got, known) }
