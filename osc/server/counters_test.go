package server

import (
	"encoding/json"
	"testing"

	"github.com/music-chronus/chronus/osc"
)

// Each counter is in the statistics, under its name as JSON.
func TestCountersAreInStats(t *testing.T) {
	s, _ := mute(t, Access{})
	for c := range numCounters {
		s.counters.total[c].Store(uint64(c) + 1)
	}
	s.countMalformed(osc.FaultDepth)
	s.counters.refused[osc.CodeBusy].Store(3)
	b, err := json.Marshal(s.Stats())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for c := range numCounters {
		if got[c.String()] != float64(c)+1 {
			t.Errorf("%v is %v, want %d", c, got[c.String()], c+1)
		}
	}
	if m := got["malformed"].(map[string]any); len(m) != 1 || m["depth"] != 1.0 {
		t.Errorf("malformed: %v", m)
	}
	if m := got["refused_by_code"].(map[string]any); len(m) != 1 || m["busy"] != 3.0 {
		t.Errorf("refused by code: %v", m)
	}
}
