package patch

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/dsp/yaml"
)

var idForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Parse reads a patch's text, YAML. name stands for it in messages.
func Parse(name string, text []byte) (*Patch, error) {
	p := &Patch{File: name}
	err := yaml.Source{Kind: "patch", Name: name}.Read(text, yaml.Limits{Bytes: MaxText, Lines: maxLines, Tokens: maxTokens}, func(r *yaml.Reader, body ast.Node) {
		(&reader{r}).patch(body, p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// reader walks the YAML tree of a patch.
type reader struct{ *yaml.Reader }

func (r *reader) patch(n ast.Node, p *Patch) {
	version := false
	p.Music.Tempo, p.Music.Bar = defaultTempo, defaultBar
	r.Fields(n, "a patch", []string{"version", "name", "samples", "voices", "nodes", "cables", "freq", "tempo", "bar", "play", "patterns", "tracks"}, func(key string, _, v ast.Node) {
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
			r.each(v, "nodes", MaxNodes, func(n ast.Node) { p.Nodes = append(p.Nodes, r.node(n)) })
		case "cables":
			r.each(v, "cables", MaxCables, func(n ast.Node) { p.Runs = append(p.Runs, r.run(n)) })
		case "freq":
			p.Freq = r.target(v, key)
		case "tempo":
			p.Music.Tempo = r.Number(v, key, 20, 400, false)
		case "bar":
			p.Music.Bar = r.bar(v)
		case "play":
			p.Music.Play = r.bool(v, key)
		case "patterns":
			r.each(v, key, sequencer.Patterns, func(n ast.Node) { p.Music.Patterns = append(p.Music.Patterns, r.pattern(n)) })
		case "tracks":
			r.each(v, key, sequencer.Tracks, func(n ast.Node) { p.Music.Tracks = append(p.Music.Tracks, r.track(n)) })
		}
	})
	if r.Err == nil && !version {
		r.Fail(n, "version is missing: the first line should be version: 1")
	}
	if r.Err == nil && len(p.Nodes) > MaxNodes {
		r.Fail(n, "%d nodes; the most are %d", len(p.Nodes), MaxNodes)
	}
}

// voices reads a group of voices, or a list of them: how notes are played, and the nodes that each voice has.
func (r *reader) voices(n ast.Node, p *Patch) {
	if _, list := n.(*ast.SequenceNode); list {
		r.each(n, "groups of voices", MaxGroups, func(n ast.Node) { r.group(n, p) })
		return
	}
	r.group(n, p)
}

func (r *reader) group(n ast.Node, p *Patch) {
	g := Voices{Pos: yaml.PosOf(n), ID: NoteNode, Unison: 1}
	nodes := 0
	r.Fields(n, "voices", []string{"id", "count", "steal", "glide", "unison", "detune", "nodes"}, func(key string, keyNode, v ast.Node) {
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
			r.each(v, "nodes", MaxNodes, func(n ast.Node) {
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
		r.Fail(n, "voices need a count")
	case nodes == 0:
		r.Fail(n, "voices need nodes: those that there is one of for each voice")
	case g.Unison > g.Count:
		r.Fail(n, "unison %d takes more voices than there are, %d", g.Unison, g.Count)
	}
	p.Voices = append(p.Voices, g)
}

func (r *reader) each(n ast.Node, what string, most int, one func(ast.Node)) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.Fail(n, "%s must be a list", what)
		return
	}
	if len(s.Values) > most {
		r.Fail(n, "%d %s; the most are %d", len(s.Values), what, most)
		return
	}
	for _, v := range s.Values {
		if r.Err == nil {
			one(v)
		}
	}
}

func (r *reader) node(n ast.Node) Node {
	out := Node{Pos: yaml.PosOf(n), Group: NoGroup}
	r.Fields(n, "a node", []string{"id", "type", "sample", "params"}, func(key string, keyNode, v ast.Node) {
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
		r.Fail(v, "id %q: it must be a small letter, then at most %d small letters, digits or _", clip(s), MaxID-1)
	case s == EngineNode || s == Out:
		r.Fail(v, "id %q is taken by the engine itself", s)
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
		r.Fail(n, "a cable goes from one node to another: write a > b")
	}
	if len(out.Ends) > MaxNodes+1 {
		r.Fail(n, "a line of %d nodes; the most are %d", len(out.Ends), MaxNodes+1)
	}
	out.Ends[0].First, out.Ends[len(out.Ends)-1].Last = true, true
	return out
}

func (r *reader) target(n ast.Node, what string) Target {
	node, param, ok := strings.Cut(r.Word(n, what), ".")
	if r.Err == nil && !ok {
		r.Fail(n, "%s names a parameter: write node.param", what)
	}
	return Target{yaml.PosOf(n), node, param}
}
