package osc

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// An entry says the same after it was written as JSON and read again; its kind is a word there.
func TestEntryJSON(t *testing.T) {
	in := []Entry{
		{Address: "/a", Kind: Number, Min: 20, Max: 20000, Unit: "Hz", Doc: "corner"}, {Address: "/b", Kind: Name, Names: []string{"lp", "hp"}}, {Address: "/c", Kind: Gate},
		{Address: "/d", Kind: Query}, {Address: "/e", Kind: Key, Max: 1, Default: 0.8, All: true}, {Address: "/f", Kind: Text, Most: 5}, {Address: "/g", Kind: List, Min: -1, Max: 1, Whole: true, Least: 1, Most: 64},
		{Address: "/h", Kind: Words, Least: 1, Most: 2, Usage: "id type"},
	}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out []Entry
	if err := json.Unmarshal(b, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%v: %s", err, b)
	}
	for _, kind := range kinds() {
		if !strings.Contains(string(b), `"kind":"`+kind+`"`) {
			t.Errorf("%s is not in %s", kind, b)
		}
	}
	var k Kind
	if err := k.UnmarshalText([]byte("knob")); err == nil || !strings.Contains(err.Error(), `kind "knob"; it is one of number, name`) {
		t.Error(err)
	}
	if s := Kind(99).String(); s != "kind 99" {
		t.Error(s)
	}
}
