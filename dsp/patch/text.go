package patch

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

var idForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Parse reads a patch's text, YAML. name stands for it in messages.
func Parse(name string, text []byte) (p *Patch, err error) {
	r := &reader{name: name}
	defer func() {
		if x := recover(); x != nil { // the YAML library gives up on some input by panicking
			p, err = nil, fmt.Errorf("patch %s: not YAML: %v", name, x)
		}
	}()
	tokens, err := tokenize(name, text)
	if err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, syntax(name, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("patch %s: it holds %d YAML documents, it must hold one", name, len(file.Docs))
	}
	p = &Patch{File: name}
	r.patch(file.Docs[0].Body, p)
	if r.err != nil {
		return nil, r.err
	}
	return p, nil
}

// reader walks the YAML tree and keeps the first error.
type reader struct {
	name string
	err  error
}

func (r *reader) fail(n ast.Node, format string, args ...any) {
	if r.err == nil {
		r.err = at(r.name, posOf(n), format, args...)
	}
}

// at is an error at a place of a patch's text.
func at(name string, p Pos, format string, args ...any) error {
	return fmt.Errorf("patch %s:%d:%d: "+format, append([]any{name, p.Line, p.Column}, args...)...)
}

func posOf(n ast.Node) Pos {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Pos{1, 1}
	}
	p := n.GetToken().Position
	return Pos{p.Line, p.Column}
}

// fields calls the function of each key of a mapping; other keys, and keys twice, are errors.
func (r *reader) fields(n ast.Node, what string, known []string, field func(key string, keyNode, value ast.Node)) {
	m, ok := n.(ast.MapNode)
	if !ok {
		r.fail(n, "%s must be a mapping with the keys %s", what, strings.Join(known, ", "))
		return
	}
	seen := map[string]bool{}
	for it := m.MapRange(); it.Next() && r.err == nil; {
		keyNode := it.Key()
		key := keyText(keyNode)
		switch {
		case known != nil && !contains(known, key):
			r.fail(keyNode, "%s has no %q%s", what, key, orNearest(key, known))
		case seen[key]:
			r.fail(keyNode, "%s has %q twice", what, key)
		default:
			seen[key] = true
			field(key, keyNode, it.Value())
		}
	}
}

// keyText is a key as a word, quoted or not.
func keyText(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return n.String()
}

func (r *reader) patch(n ast.Node, p *Patch) {
	version := false
	p.Music.Tempo, p.Music.Bar = defaultTempo, defaultBar
	r.fields(n, "a patch", []string{"version", "name", "samples", "voices", "nodes", "cables", "freq", "tempo", "bar", "play", "patterns", "tracks"}, func(key string, _, v ast.Node) {
		switch key {
		case "version":
			version = true
			if x, ok := number(v); !ok || x != 1 {
				r.fail(v, "version must be 1")
			}
		case "name":
			p.Name = r.word(v, "name")
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
			p.Music.Tempo = r.within(v, key, 20, 400, false)
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
	if r.err == nil && !version {
		r.fail(n, "version is missing: the first line should be version: 1")
	}
	if r.err == nil && len(p.Nodes) > MaxNodes {
		r.fail(n, "%d nodes; the most are %d", len(p.Nodes), MaxNodes)
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
	g := Voices{Pos: posOf(n), ID: NoteNode, Unison: 1}
	nodes := 0
	r.fields(n, "voices", []string{"id", "count", "steal", "glide", "unison", "detune", "nodes"}, func(key string, keyNode, v ast.Node) {
		switch key {
		case "id":
			g.Pos, g.ID = posOf(v), r.id(v)
		case "count":
			g.Count = int(r.within(v, key, 1, MaxVoices, true))
		case "steal":
			w := r.word(v, key)
			if g.Steal = Steal(slices.Index(steals, w)); g.Steal < 0 {
				r.fail(v, "steal is %q%s", clip(w), orNearest(w, steals))
			}
		case "glide":
			g.Glide = r.within(v, key, 0, 10, false)
		case "unison":
			g.Unison = int(r.within(v, key, 1, MaxUnison, true))
		case "detune":
			g.Detune = r.within(v, key, 0, 1200, false)
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
	case r.err != nil:
	case g.Count == 0:
		r.fail(n, "voices need a count")
	case nodes == 0:
		r.fail(n, "voices need nodes: those that there is one of for each voice")
	case g.Unison > g.Count:
		r.fail(n, "unison %d takes more voices than there are, %d", g.Unison, g.Count)
	}
	p.Voices = append(p.Voices, g)
}

// within is a number in a range.
func (r *reader) within(n ast.Node, what string, lo, hi float64, whole bool) float64 {
	x, ok := number(n)
	if kind := "a number"; !ok || x < lo || x > hi || whole && x != math.Trunc(x) {
		if whole {
			kind = "a whole number"
		}
		r.fail(n, "%s must be %s from %g to %g", what, kind, lo, hi)
	}
	return x
}

func (r *reader) each(n ast.Node, what string, most int, one func(ast.Node)) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fail(n, "%s must be a list", what)
		return
	}
	if len(s.Values) > most {
		r.fail(n, "%d %s; the most are %d", len(s.Values), what, most)
		return
	}
	for _, v := range s.Values {
		if r.err == nil {
			one(v)
		}
	}
}

func (r *reader) node(n ast.Node) Node {
	out := Node{Pos: posOf(n), Group: NoGroup}
	r.fields(n, "a node", []string{"id", "type", "sample", "params"}, func(key string, keyNode, v ast.Node) {
		switch key {
		case "id":
			out.Pos = posOf(v)
			out.ID = r.id(v)
		case "type":
			out.Type = r.word(v, "type")
		case "sample":
			out.Sample, out.SampleAt = r.word(v, key), posOf(v)
		case "params":
			r.fields(v, "params", nil, func(name string, keyNode, v ast.Node) {
				out.Params = append(out.Params, r.setting(name, keyNode, v))
			})
		}
	})
	if r.err == nil && (out.ID == "" || out.Type == "") {
		r.fail(n, "a node needs both id and type")
	}
	return out
}

func (r *reader) id(v ast.Node) string {
	s := r.word(v, "id")
	switch {
	case r.err != nil:
	case !idForm.MatchString(s):
		r.fail(v, "id %q: it must be a small letter, then at most %d small letters, digits or _", clip(s), MaxID-1)
	case s == EngineNode || s == Out:
		r.fail(v, "id %q is taken by the engine itself", s)
	}
	return s
}

func (r *reader) setting(name string, keyNode, v ast.Node) Setting {
	s := Setting{Pos: posOf(keyNode), Name: name}
	if x, ok := number(v); ok {
		s.Number = x
	} else {
		s.Word = r.word(v, name)
	}
	return s
}

func (r *reader) run(n ast.Node) Run {
	out := Run{Pos: posOf(n)}
	for _, end := range strings.Split(r.word(n, "a cable"), ">") {
		node, port, _ := strings.Cut(strings.TrimSpace(end), ".")
		out.Ends = append(out.Ends, End{Node: node, Port: port})
	}
	if r.err == nil && len(out.Ends) < 2 {
		r.fail(n, "a cable goes from one node to another: write a > b")
	}
	if len(out.Ends) > MaxNodes+1 {
		r.fail(n, "a line of %d nodes; the most are %d", len(out.Ends), MaxNodes+1)
	}
	out.Ends[0].First, out.Ends[len(out.Ends)-1].Last = true, true
	return out
}

func (r *reader) target(n ast.Node, what string) Target {
	node, param, ok := strings.Cut(r.word(n, what), ".")
	if r.err == nil && !ok {
		r.fail(n, "%s names a parameter: write node.param", what)
	}
	return Target{posOf(n), node, param}
}

// word is a scalar as text.
func (r *reader) word(n ast.Node, what string) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	r.fail(n, "%s must be a word", what)
	return ""
}

// number is a finite scalar.
func number(n ast.Node) (float64, bool) {
	var x float64
	switch v := n.(type) {
	case *ast.IntegerNode:
		switch i := v.Value.(type) {
		case int64:
			x = float64(i)
		case uint64:
			x = float64(i)
		default:
			return 0, false
		}
	case *ast.FloatNode:
		x = v.Value
	case *ast.StringNode: // the YAML library takes 1e3 for a word
		f, err := strconv.ParseFloat(v.Value, 64)
		if err != nil || v.GetToken().Type != token.StringType || !strings.ContainsAny(v.Value[:1], "0123456789.+-") {
			return 0, false
		}
		x = f
	default:
		return 0, false
	}
	return x, !math.IsInf(x, 0) && !math.IsNaN(x)
}
