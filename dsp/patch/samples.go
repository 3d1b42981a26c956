package patch

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/yaml"
)

// MaxSamples is the most samples that a patch may name. MaxSampleBytes is the most memory in bytes
// of the samples that it plays, at 4 bytes a value.
const (
	MaxSamples     = 256
	MaxSampleBytes = 64 << 20
)

// sumForm precedes the SHA-256 of a sample file, in hexadecimal, where it replaces the file's name
// in a text.
const sumForm = "sha256:"

// sumLength is the length of a SHA-256 in hexadecimal.
const sumLength = 64

// Sample is a sound file that a patch names. When a patch is loaded, the sum of each file's bytes
// replaces the file's name. So plans, tapes and saved states do not depend on files that may
// change.
type Sample struct {
	Pos  Pos    // of File
	Name string // in the patch
	File string // "" if there is a sum
	Sum  string // SHA-256 of the file's bytes in lower-case hexadecimal; "": not known yet

	written string // File as it stands in the text
}

func (r *reader) samples(n ast.Node, p *Patch) {
	r.Fields(n, "samples", nil, func(name string, keyNode, v ast.Node) {
		s := Sample{Pos: yaml.PosOf(v), Name: name, File: r.Word(v, "a sample")}
		switch sum, is := strings.CutPrefix(s.File, sumForm); {
		case r.Err != nil:
			return
		case !idForm.MatchString(name):
			r.Fail(keyNode, "sample %q: the name %s", clip(name), idRule)
		case is && !isSum(sum):
			r.Fail(v, "sample %q: %s must be followed by %d digits, 0 to 9 and a to f", name, sumForm, sumLength)
		case is:
			s.File, s.Sum = "", sum
		case s.File == "":
			r.Fail(v, "sample %q: the file is missing; name a WAV or FLAC file", name)
		}
		s.written = strings.TrimSpace(v.GetToken().Origin)
		if p.Samples = append(p.Samples, s); len(p.Samples) > MaxSamples {
			r.Fail(keyNode, "too many samples; the maximum is %d", MaxSamples)
		}
	})
}

func isSum(s string) bool {
	return len(s) == sumLength && strings.Trim(s, "0123456789abcdef") == ""
}

// WithSums returns a patch's text in which sums replace the names of sample files. The function sum
// returns the sum of a sample; its errors get the sample's place. name is the text's name in
// errors. All other text stays as it is.
func WithSums(name string, text []byte, sum func(Sample) (string, error)) ([]byte, error) {
	p, err := Parse(name, text)
	if err != nil || len(p.Samples) == 0 {
		return text, err
	}
	lines, want := strings.SplitAfter(string(text), "\n"), map[string]string{}
	for _, s := range p.Samples {
		if want[s.Name], err = sum(s); err != nil {
			return nil, at(name, s.Pos, "sample %q: %w", s.Name, err)
		}
	}
	// so that replacing one does not move another
	slices.SortFunc(p.Samples, func(a, b Sample) int { return b.Pos.Column - a.Pos.Column })
	for _, s := range p.Samples {
		if s.Sum != "" {
			continue
		}
		line := &lines[s.Pos.Line-1]
		from := columnOffset(*line, s.Pos.Column)
		rest, ok := strings.CutPrefix((*line)[from:], s.written)
		if !ok || strings.Contains(s.written, "\n") {
			return nil, spread(name, s)
		}
		*line = (*line)[:from] + sumForm + want[s.Name] + rest
	}
	out := []byte(strings.Join(lines, ""))
	back, err := Parse(name, out)
	if err != nil {
		return nil, fmt.Errorf("patch %s: with the sums of its samples: %w", name, err)
	}
	for _, s := range back.Samples {
		if s.Sum != want[s.Name] {
			return nil, spread(name, s)
		}
	}
	return out, nil
}

func spread(name string, s Sample) error {
	return at(name, s.Pos, "sample %q: the file's name is spread over lines; write it on one line, "+
		"after the sample's name: %s: FILE", s.Name, s.Name)
}

// Megabytes returns a number of bytes in MB of 2^20 bytes, rounded up.
func Megabytes(bytes int) int { return (bytes + 1<<20 - 1) >> 20 }

// columnOffset returns the byte where a column of a line begins.
func columnOffset(line string, column int) (at int) {
	for ; column > 1 && at < len(line); column-- {
		_, n := utf8.DecodeRuneInString(line[at:])
		at += n
	}
	return at
}

// giveSample sets the sample of the last node.
func (c *compiler) giveSample(n Node, d *dsp.Desc) error {
	var names []string
	for _, s := range c.Samples {
		names = append(names, s.Name)
	}
	switch i := slices.Index(names, n.Sample); {
	case n.Sample == "" && !d.Sampled:
		return nil
	case n.Sample == "":
		return at(c.File, n.Pos, "node %q: a %s needs a sample; write sample: NAME, "+
			"with a name that the patch lists under samples", n.ID, d.Type)
	case !d.Sampled:
		return at(c.File, n.SampleAt, "node %q: a %s cannot play a sample; remove the key sample", n.ID, d.Type)
	case i < 0 && len(names) == 0:
		return at(c.File, n.SampleAt, "node %q: no sample %q: the patch lists none; write samples: {%s: FILE}", n.ID,
			clip(n.Sample), clip(n.Sample))
	case i < 0:
		return at(c.File, n.SampleAt, "node %q: no sample %q%s", n.ID, clip(n.Sample), orNearest(n.Sample, names))
	case c.Samples[i].Sum == "":
		return at(c.File, c.Samples[i].Pos,
			"sample %q: the file %s is not loaded; load the patch from a file, or write %s and the file's SHA-256",
			n.Sample, clip(c.Samples[i].File), sumForm)
	default:
		c.plan.nodes[len(c.plan.nodes)-1].Sum = c.Samples[i].Sum
		return nil
	}
}

// WithSamples returns the plan with the samples that its nodes play. Each sample is opened once, by
// its sum. A stream needs such a plan. An error names the node.
func (p *Plan) WithSamples(open func(sum string) (*dsp.Sample, error)) (*Plan, error) {
	with := *p
	with.nodes = slices.Clone(p.nodes)
	opened, bytes := map[string]*dsp.Sample{}, 0
	for i := range with.nodes {
		n := &with.nodes[i]
		if n.Sum == "" {
			continue
		}
		if opened[n.Sum] == nil {
			s, err := open(n.Sum)
			if err != nil {
				return nil, fmt.Errorf("patch %s: node %q: sample %s%s: %w", p.Name, n.ID, sumForm, n.Sum, err)
			}
			if bytes += s.Bytes(); bytes > MaxSampleBytes {
				return nil, fmt.Errorf("patch %s: node %q: with its sample the samples take %d MB; "+
					"the maximum is %d MB: shorten them, or make them mono",
					p.Name, n.ID, Megabytes(bytes), MaxSampleBytes>>20)
			}
			opened[n.Sum] = s
		}
		n.Sample = opened[n.Sum]
	}
	return &with, nil
}
