package remote

import (
	"reflect"
	"slices"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/osc"
)

// pb.Status has a field for each row of report.Counters. Its other uint64 fields are no counters.
func TestStatusCarriesEveryCounter(t *testing.T) {
	table := report.Counters()
	st := report.Status{OSCStatus: report.OSCStatus{OSCStats: &osc.Stats{
		Packets: 101, Messages: 102, Failed: 103, Malformed: map[string]uint64{"size": 104}, RefusedByCode: map[string]uint64{"busy": 114}, Replies: 105, ReadErrors: 106,
		Denied: 107, Shed: 108, AmplificationLimited: 109, Rejected: 110, SlowClients: 111, SendDropped: 112, Dropped: 113,
	}}}
	totals := reflect.ValueOf(&st.Totals).Elem()
	for i := range totals.NumField() {
		totals.Field(i).SetUint(uint64(201 + i))
	}
	st.Sound = report.Sound{Faults: 14, Limited: 15, Offset: 16}
	st.NotesStarted = 17
	m := statusOf("e", st).ProtoReflect()
	for _, c := range table {
		f := m.Descriptor().Fields().ByName(protoreflect.Name(c.Name))
		switch {
		case f == nil || f.Kind() != protoreflect.Uint64Kind:
			t.Errorf("chronus.proto: Status has no uint64 %s, which report.Counters has", c.Name)
		case c.Of(&st) == 0 || m.Get(f).Uint() != c.Of(&st):
			t.Errorf("%s: the message has %d, the status %d", c.Name, m.Get(f).Uint(), c.Of(&st))
		}
	}
	fields := (&pb.Status{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Kind() != protoreflect.Uint64Kind || slices.Contains([]protoreflect.Name{"epoch", "clock", "lead"}, f.Name()) {
			continue
		}
		if !slices.ContainsFunc(table, func(c report.Counter) bool { return c.Name == string(f.Name()) }) {
			t.Errorf("chronus.proto: Status.%s counts, but report.Counters has no row for it", f.Name())
		}
	}
}
