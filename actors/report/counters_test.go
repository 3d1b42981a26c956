package report_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
)

// numbered returns a Status with another value in each field that may count.
func numbered() *report.Status {
	st := &report.Status{OSCStatus: report.OSCStatus{OSCStats: &osc.Stats{Malformed: map[string]uint64{}, RefusedByCode: map[string]uint64{}}}}
	n := uint64(1000)
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		for i := range v.NumField() {
			switch f := v.Field(i); f.Kind() {
			case reflect.Struct:
				if f.Type().PkgPath() == v.Type().PkgPath() {
					fill(f)
				}
			case reflect.Pointer:
				fill(f.Elem())
			case reflect.Uint64:
				n++
				f.SetUint(n)
			}
		}
	}
	fill(reflect.ValueOf(st).Elem())
	st.OSCStats.Malformed["size"], st.OSCStats.Malformed["tag"] = 1, 2
	st.OSCStats.RefusedByCode["busy"], st.OSCStats.RefusedByCode["invalid"] = 3, 4
	return st
}

// asJSON returns the status as encoding/json sees it.
func asJSON(t *testing.T, st *report.Status) (tree map[string]any) {
	t.Helper()
	b, err := json.Marshal(st)
	if err == nil {
		err = json.Unmarshal(b, &tree)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// Each row of the table stands for one number of the JSON.
func TestCountersAreInJSON(t *testing.T) {
	st := numbered()
	tree := asJSON(t, st)
	seen := map[string]bool{}
	for _, c := range report.Counters() {
		if c.Name == "" || c.Help == "" || seen[c.Name] || seen[c.JSON] && c.JSON != c.Name {
			t.Errorf("%+v lacks a name or a help, or its name has two rows", c)
		}
		seen[c.Name], seen[c.JSON] = true, true
		var at any = tree
		for key := range strings.SplitSeq(c.JSON, ".") {
			m, _ := at.(map[string]any)
			at = m[key]
		}
		var got uint64
		switch v := at.(type) {
		case float64:
			got = uint64(v)
		case map[string]any: // counts by kind
			for _, n := range v {
				got += uint64(n.(float64))
			}
		}
		if want := c.Of(st); got != want || want == 0 {
			t.Errorf("%s: %s is %d in the JSON, and %d in the status", c.Name, c.JSON, got, want)
		}
	}
}

// Every number that only counts up has a row.
func TestEveryCounterHasARow(t *testing.T) {
	st := numbered()
	rows := map[string]bool{}
	for _, c := range report.Counters() {
		rows[c.JSON] = true
	}
	for _, part := range []struct {
		prefix string
		value  any
	}{{"", st.Totals}, {"sound.", st.Sound}, {"osc_stats.", *st.OSCStats}} {
		v := reflect.ValueOf(part.value)
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if k := f.Type.Kind(); k != reflect.Uint64 && k != reflect.Map {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !rows[part.prefix+name] {
				t.Errorf("report.Counters has no row for %s%s", part.prefix, name)
			}
		}
	}
}
