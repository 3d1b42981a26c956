package remote

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/report"
)

// statusOf converts a status to its message.
func statusOf(name string, st report.Status) *pb.Status {
	p := &pb.Status{
		Name: name, BootId: st.BootID, Version: st.Version, Protocol: st.Protocol, SinceUnixNs: st.Since.UnixNano(),
		Patch: st.Patch, FallbackReason: st.FallbackReason, StoppedReason: st.StoppedReason,
		Playing: st.Playing, Redundant: st.Redundant,
		ActiveSlot: int32(st.Active.Slot), Epoch: st.Active.Epoch, Clock: st.Clock,
		Lead: st.Lead, LeadReason: st.LeadReason,
		Rate: uint32(st.Rate), Block: uint32(st.Block), Period: uint32(st.Period),
		Backend: st.Backend, Device: st.Device, OnFallback: st.OnFallback, Unheard: st.Unheard, Problem: st.Problem,
		Peak: st.Peak, Muted: st.Muted, NotesHeld: uint32(st.NotesHeld), Transport: st.Transport,
	}
	if !st.LastAudible.IsZero() {
		p.LastAudibleUnixNs = st.LastAudible.UnixNano()
	}
	for _, w := range st.Workers {
		p.Workers = append(p.Workers, &pb.Worker{
			Slot: int32(w.Slot), Generation: w.Generation, State: w.State, Load: w.Load, Lead: w.Lead,
		})
	}
	m := p.ProtoReflect()
	for _, c := range counters {
		m.Set(c.field, protoreflect.ValueOfUint64(c.Of(&st)))
	}
	return p
}

// counter is a row of report.Counters with its field in pb.Status.
type counter struct {
	report.Counter
	field protoreflect.FieldDescriptor
}

// counters lists the rows of report.Counters that pb.Status has a field for.
var counters = func() (list []counter) {
	fields := (&pb.Status{}).ProtoReflect().Descriptor().Fields()
	for _, c := range report.Counters() {
		if f := fields.ByName(protoreflect.Name(c.Name)); f != nil {
			list = append(list, counter{c, f})
		}
	}
	return list
}()
