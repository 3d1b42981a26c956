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

// Limits of the samples of a patch: how many it may name, and what all those that it plays may take in memory, at 4 bytes a sample.
const (
	MaxSamples     = 256
	MaxSampleBytes = 64 << 20
)

// sumForm is how a text names a sample by what is in it: this, then the SHA-256 of the file's bytes in hexadecimal.
const sumForm = "sha256:"

// sumLength is the length of a sum: 32 bytes in hexadecimal.
const sumLength = 64

// Sample is a sound file that a patch names. Whoever writes a patch names the file; whoever loads the patch puts the sum of what is in it
// in its place, so that plans, tapes and saved states do not hang on what lies where.
type Sample struct {
	Pos  Pos    // of what it is
	Name string // in the patch
	File string // "" once it has a sum
	Sum  string // SHA-256 of the file's bytes, in small hexadecimal digits; "" before that

	written string // in the text
}

// samples reads the names of the samples.
func (r *reader) samples(n ast.Node, p *Patch) {
	r.Fields(n, "samples", nil, func(name string, keyNode, v ast.Node) {
		s := Sample{Pos: yaml.PosOf(v), Name: name, File: r.Word(v, "a sample")}
		switch sum, is := strings.CutPrefix(s.File, sumForm); {
		case r.Err != nil:
			return
		case !idForm.MatchString(name):
			r.Fail(keyNode, "sample %q: the name must be a lower-case letter, then at most %d lower-case letters, digits or _", clip(name), MaxID-1)
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

// WithSums is a patch's text in which every sample is named by the sum that sum gives for it, and all else is as it was. name stands for the text in
// messages; an error of sum gets its place.
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
	slices.SortFunc(p.Samples, func(a, b Sample) int { return b.Pos.Column - a.Pos.Column }) // the last of a line first
	for _, s := range p.Samples {
		if s.Sum != "" {
			continue
		}
		line := &lines[s.Pos.Line-1]
		from := columnOffset(*line, s.Pos.Column)
		rest, ok := strings.CutPrefix((*line)[from:], s.written)
		if !ok || strings.Contains(s.written, "\n") {
			return nil, at(name, s.Pos, "sample %q: the file's name is spread over lines; write it on one line, after the sample's name: %s: FILE", s.Name, s.Name)
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
			return nil, at(name, s.Pos, "sample %q: the file's name is spread over lines; write it on one line, after the sample's name: %s: FILE", s.Name, s.Name)
		}
	}
	return out, nil
}

// Megabytes is a number of bytes in MB of 2^20, a part of one counting as one.
func Megabytes(bytes int) int { return (bytes + 1<<20 - 1) >> 20 }

// columnOffset is the byte at which a column, from 1, of a line begins.
func columnOffset(line string, column int) (at int) {
	for ; column > 1 && at < len(line); column-- {
		_, n := utf8.DecodeRuneInString(line[at:])
		at += n
	}
	return at
}

// giveSample has the last node play the sample that the patch says.
func (c *compiler) giveSample(n Node, d *dsp.Desc) error {
	var names []string
	for _, s := range c.Samples {
		names = append(names, s.Name)
	}
	switch i := slices.Index(names, n.Sample); {
	case n.Sample == "" && !d.Sampled:
		return nil
	case n.Sample == "":
		return at(c.File, n.Pos, "node %q: a %s needs a sample; write sample: NAME, with a name that the patch lists under samples", n.ID, d.Type)
	case !d.Sampled:
		return at(c.File, n.SampleAt, "node %q: a %s cannot play a sample; remove the key sample", n.ID, d.Type)
	case i < 0 && len(names) == 0:
		return at(c.File, n.SampleAt, "node %q: no sample %q: the patch lists none; write samples: {%s: FILE}", n.ID, clip(n.Sample), clip(n.Sample))
	case i < 0:
		return at(c.File, n.SampleAt, "node %q: no sample %q%s", n.ID, clip(n.Sample), orNearest(n.Sample, names))
	case c.Samples[i].Sum == "":
		return at(c.File, c.Samples[i].Pos, "sample %q: the file %s is not loaded; load the patch from a file, or write %s and the file's SHA-256",
			n.Sample, clip(c.Samples[i].File), sumForm)
	default:
		c.plan.nodes[len(c.plan.nodes)-1].Sum = c.Samples[i].Sum
		return nil
	}
}

// WithSamples is the plan with the samples that its nodes play, each opened once by its sum. A stream needs it; who only wants to know
// the names does not. An error names the node.
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
				return nil, fmt.Errorf("patch %s: node %q: with its sample the samples take %d MB; the maximum is %d MB: shorten them, or make them mono",
					p.Name, n.ID, Megabytes(bytes), MaxSampleBytes>>20)
			}
			opened[n.Sum] = s
		}
		n.Sample = opened[n.Sum]
	}
	return &with, nil
}
