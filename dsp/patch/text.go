package patch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/dsp/yaml"
)

// IDPattern is the regular expression of ids: a lower-case letter, then lower-case letters, digits
// and underscores.
const IDPattern = `^[a-z][a-z0-9_]{0,31}$`

var idForm = regexp.MustCompile(IDPattern)

// idRule says in errors what IDPattern demands.
var idRule = fmt.Sprintf("must be a lower-case letter, then at most %d lower-case letters, digits or _", MaxID-1)

// The keys of the mappings in a patch's text.
var (
	patchKeys = []string{
		"version", "name", "samples", "voices", "nodes", "cables", "freq", "tempo", "bar", "play", "patterns", "tracks",
	}
	voicesKeys = []string{"id", "count", "steal", "glide", "unison", "detune", "nodes"}
	nodeKeys   = []string{"id", "type", "sample", "params"}
	trackKeys  = []string{"id", "voices", "pattern", "division", "steps", "swing", "transpose", "mute", "lanes"}
)

// Parse reads a patch's text, which is YAML. name is the text's name in errors.
func Parse(name string, text []byte) (*Patch, error) {
	p := &Patch{File: name}
	limits := yaml.Limits{Bytes: MaxText, Lines: maxLines, Tokens: maxTokens}
	err := yaml.Source{Kind: "patch", Name: name}.Read(text, limits, func(r *yaml.Reader, body ast.Node) {
		(&reader{r}).patch(body, p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// reader reads a patch from a YAML tree.
type reader struct{ *yaml.Reader }

func (r *reader) patch(n ast.Node, p *Patch) {
	version := false
	p.Music.Tempo, p.Music.Bar = defaultTempo, defaultBar
	r.Fields(n, "a patch", patchKeys, func(key string, _, v ast.Node) {
		switch key {
		case "version":
			version = true
			if x, ok := yaml.Number(v); !ok || x != 1 {
				r.Fail(v, "version must be 1")
			}
		case "name":
			p.Name = r.Word(v, "name")
		case "samples":
			r.samples(v, p)
		case "voices":
			r.voices(v, p)
		case "nodes":
			r.List(v, "nodes", MaxNodes, func(n ast.Node) { p.Nodes = append(p.Nodes, r.node(n)) })
		case "cables":
			r.List(v, "cables", MaxCables, func(n ast.Node) { p.Runs = append(p.Runs, r.run(n)) })
		case "freq":
			p.Freq = r.target(v, key)
		case "tempo":
			p.Music.Tempo = r.Number(v, key, 20, 400, false)
		case "bar":
			p.Music.Bar = r.bar(v)
		case "play":
			p.Music.Play = r.Bool(v, key)
		case "patterns":
			r.List(v, key, sequencer.Patterns, func(n ast.Node) {
				p.Music.Patterns = append(p.Music.Patterns, r.pattern(n))
			})
		case "tracks":
			r.List(v, key, sequencer.Tracks, func(n ast.Node) { p.Music.Tracks = append(p.Music.Tracks, r.track(n)) })
		}
	})
	if r.Err == nil && !version {
		r.Fail(n, "version is missing; begin with the line version: 1")
	}
	if r.Err == nil && len(p.Nodes) > MaxNodes {
		r.Fail(n, "%d nodes; the maximum is %d", len(p.Nodes), MaxNodes)
	}
}

// voices reads a voice group, or a list of groups, with the nodes of each voice.
func (r *reader) voices(n ast.Node, p *Patch) {
	if _, list := n.(*ast.SequenceNode); list {
		r.List(n, "groups of voices", MaxGroups, func(n ast.Node) { r.group(n, p) })
		return
	}
	r.group(n, p)
}

func (r *reader) group(n ast.Node, p *Patch) {
	g := Voices{Pos: yaml.PosOf(n), ID: NoteNode, Unison: 1}
	nodes := 0
	r.Fields(n, "voices", voicesKeys, func(key string, keyNode, v ast.Node) {
		switch key {
		case "id":
			g.Pos, g.ID = yaml.PosOf(v), r.id(v)
		case "count":
			g.Count = int(r.Number(v, key, 1, MaxVoices, true))
		case "steal":
			w := r.Word(v, key)
			if g.Steal = Steal(slices.Index(steals, w)); g.Steal < 0 {
				r.Fail(v, "steal is %q%s", clip(w), orNearest(w, steals))
			}
		case "glide":
			g.Glide = r.Number(v, key, 0, 10, false)
		case "unison":
			g.Unison = int(r.Number(v, key, 1, MaxUnison, true))
		case "detune":
			g.Detune = r.Number(v, key, 0, 1200, false)
		case "nodes":
			r.List(v, "nodes", MaxNodes, func(n ast.Node) {
				node := r.node(n)
				node.Group = len(p.Voices)
				p.Nodes = append(p.Nodes, node)
				nodes++
			})
		}
	})
	switch {
	case r.Err != nil:
	case g.Count == 0:
		r.Fail(n, "voices %q: count is missing; write the number of voices, 1 to %d", g.ID, MaxVoices)
	case nodes == 0:
		r.Fail(n, "voices %q: nodes are missing; list the nodes that each voice has", g.ID)
	case g.Unison > g.Count:
		r.Fail(n, "voices %q: unison is %d; it must not exceed count, %d", g.ID, g.Unison, g.Count)
	}
	p.Voices = append(p.Voices, g)
}

func (r *reader) node(n ast.Node) Node {
	out := Node{Pos: yaml.PosOf(n), Group: NoGroup}
	r.Fields(n, "a node", nodeKeys, func(key string, keyNode, v ast.Node) {
		switch key {
		case "id":
			out.Pos = yaml.PosOf(v)
			out.ID = r.id(v)
		case "type":
			out.Type = r.Word(v, "type")
		case "sample":
			out.Sample, out.SampleAt = r.Word(v, key), yaml.PosOf(v)
		case "params":
			r.Fields(v, "params", nil, func(name string, keyNode, v ast.Node) {
				out.Params = append(out.Params, r.setting(name, keyNode, v))
			})
		}
	})
	if r.Err == nil && (out.ID == "" || out.Type == "") {
		r.Fail(n, "a node needs both id and type")
	}
	return out
}

func (r *reader) id(v ast.Node) string {
	s := r.Word(v, "id")
	switch {
	case r.Err != nil:
	case !idForm.MatchString(s):
		r.Fail(v, "id %q: %s", clip(s), idRule)
	case s == EngineNode || s == Out:
		r.Fail(v, "id %q: reserved for the engine; choose another id", s)
	}
	return s
}

func (r *reader) setting(name string, keyNode, v ast.Node) Setting {
	s := Setting{Pos: yaml.PosOf(keyNode), Name: name}
	if x, ok := yaml.Number(v); ok {
		s.Number = x
	} else {
		s.Word = r.Word(v, name)
	}
	return s
}

func (r *reader) run(n ast.Node) Run {
	out := Run{Pos: yaml.PosOf(n)}
	for _, end := range strings.Split(r.Word(n, "a cable"), ">") {
		node, port, _ := strings.Cut(strings.TrimSpace(end), ".")
		out.Ends = append(out.Ends, End{Node: node, Port: port})
	}
	if r.Err == nil && len(out.Ends) < 2 {
		r.Fail(n, "a cable needs two ends: write a > b")
	}
	if len(out.Ends) > MaxNodes+1 {
		r.Fail(n, "a cable line of %d nodes; the maximum is %d", len(out.Ends), MaxNodes+1)
	}
	out.Ends[0].First, out.Ends[len(out.Ends)-1].Last = true, true
	return out
}

func (r *reader) target(n ast.Node, what string) Target {
	node, param, ok := strings.Cut(r.Word(n, what), ".")
	if r.Err == nil && !ok {
		r.Fail(n, "%s must name a parameter: write node.param", what)
	}
	return Target{yaml.PosOf(n), node, param}
}
