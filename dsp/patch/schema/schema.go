// Package schema describes patches by a JSON Schema, for editors.
package schema

import (
	"encoding/json"

	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
)

// object is a piece of a JSON Schema.
type object = map[string]any

// Patch returns the JSON Schema (draft 2020-12) of a patch at a rate in Hz. patch.Parse and
// patch.Compile are stricter, since they know the ids of a patch.
func Patch(rate float64) ([]byte, error) {
	id := object{"type": "string", "pattern": patch.IDPattern}
	target := object{"type": "string", "pattern": `^[a-z][a-z0-9_]*\.[a-z]+$`}
	nodes := list(object{"$ref": "#/$defs/node"}, patch.MaxNodes)
	group := closed(object{
		"id": id, "count": whole(1, patch.MaxVoices), "steal": object{"enum": patch.StealNames()}, "glide": between(0,
			10),
		"unison": whole(1, patch.MaxUnison), "detune": between(0, 1200), "nodes": nodes,
	}, "count", "nodes")
	s := closed(object{
		"version": object{"const": 1}, "name": object{"type": "string"},
		"samples": object{
			"type": "object", "propertyNames": id, "maxProperties": patch.MaxSamples,
			"additionalProperties": object{"type": "string", "minLength": 1},
		},
		"voices":   object{"anyOf": []object{group, list(group, patch.MaxGroups)}},
		"nodes":    nodes,
		"cables":   list(object{"type": "string", "pattern": ">"}, patch.MaxCables),
		"freq":     target,
		"tempo":    between(20, 400),
		"bar":      object{"type": "string", "pattern": `^[0-9]+/(1|2|4|8|16|32)$`},
		"play":     object{"type": "boolean"},
		"patterns": list(patternSchema(), sequencer.Patterns),
		"tracks":   list(trackSchema(id, target), sequencer.Tracks),
	}, "version")
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", "Chronus patch"
	s["$defs"] = object{"node": nodeSchema(id, rate)}
	return json.MarshalIndent(s, "", "  ")
}

func patternSchema() object {
	perStep := func(lo, hi float64) object {
		value := object{"anyOf": []object{between(lo, hi), {"const": "."}}}
		return object{"anyOf": []object{between(lo, hi), list(value, sequencer.MaxSteps)}}
	}
	return closed(object{
		"number": whole(0, sequencer.Patterns-1), "steps": object{"type": "string", "pattern": `^[Xx.\-| ]+$`},
		"base": whole(0, 127), "notes": perStep(-127, 127), "gate": perStep(0.05, 1), "chance": perStep(0, 1),
		"velocity": list(between(0, 1), 2), "seed": whole(0, 1<<32), "lanes": list(perStep(-1e9, 1e9), sequencer.Lanes),
	}, "number", "steps")
}

func trackSchema(id, target object) object {
	return closed(object{
		"id": id, "voices": id, "pattern": whole(-1, sequencer.Patterns-1),
		"division": object{"type": "string", "pattern": `^1/(1|2|4|8|16|32|64)[td]?$`},
		"steps":    whole(1, sequencer.MaxSteps), "swing": between(0.5, 0.75), "transpose": whole(-60, 60),
		"mute": object{"type": "boolean"}, "lanes": list(target, sequencer.Lanes),
	}, "id")
}

// nodeSchema has an alternative for each type of module.
func nodeSchema(id object, rate float64) object {
	var kinds []object
	for _, d := range patch.Types() {
		params := object{}
		for i := range d.Params {
			p := &d.Params[i]
			lo, hi := p.Range(rate)
			v := between(lo, hi)
			switch {
			case len(p.Names) > 0:
				v = object{"anyOf": []object{{"enum": p.Names}, whole(0, float64(len(p.Names)-1))}}
			case p.Whole:
				v = whole(lo, hi)
			}
			v["description"] = p.Doc
			params[p.Name] = v
		}
		fields := object{"id": id, "type": object{"const": d.Type}, "params": closed(params)}
		required := []string{"id", "type"}
		if d.Sampled {
			fields["sample"], required = id, append(required, "sample")
		}
		kind := closed(fields, required...)
		kind["description"] = d.Doc
		kinds = append(kinds, kind)
	}
	return object{"oneOf": kinds}
}

func closed(properties object, required ...string) object {
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func list(of object, most int) object {
	return object{"type": "array", "items": of, "maxItems": most}
}

func between(lo, hi float64) object {
	return object{"type": "number", "minimum": lo, "maximum": hi}
}

func whole(lo, hi float64) object {
	return object{"type": "integer", "minimum": lo, "maximum": hi}
}
