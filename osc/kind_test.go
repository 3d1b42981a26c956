package osc_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/osc"
)

// An entry survives JSON, in which its kind is a word.
func TestEntryJSON(t *testing.T) {
	in := []osc.Entry{
		{Address: "/a", Kind: osc.Number, Min: 20, Max: 20000, Unit: "Hz", Doc: "corner"}, {Address: "/b", Kind: osc.Name, Names: []string{"lp", "hp"}}, {Address: "/c", Kind: osc.Gate},
		{Address: "/d", Kind: osc.Query}, {Address: "/e", Kind: osc.Key, Max: 1, Default: 0.8, All: true}, {Address: "/f", Kind: osc.Text, Most: 5}, {Address: "/g", Kind: osc.List, Min: -1, Max: 1, Whole: true, Least: 1, Most: 64},
		{Address: "/h", Kind: osc.Words, Least: 1, Most: 2, Usage: "id type"},
	}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out []osc.Entry
	if err := json.Unmarshal(b, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%v: %s", err, b)
	}
	for _, kind := range osc.Kinds() {
		if !strings.Contains(string(b), `"kind":"`+kind+`"`) {
			t.Errorf("%s is not in %s", kind, b)
		}
	}
	var k osc.Kind
	if err := k.UnmarshalText([]byte("knob")); err == nil || !strings.Contains(err.Error(), `kind "knob": unknown; the kinds are number, name`) {
		t.Error(err)
	}
	if s := osc.Kind(99).String(); s != "kind 99" {
		t.Error(s)
	}
}
