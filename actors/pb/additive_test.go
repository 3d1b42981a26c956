package pb

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// The messages have every frozen field, with the same number, name and type.
func TestAdditive(t *testing.T) {
	path := filepath.Join("testdata", "chronus.binpb")
	now := protodesc.ToFileDescriptorProto(File_chronus_proto)
	if os.Getenv("UPDATE_PROTO") != "" {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(now)
		if err == nil {
			err = os.WriteFile(path, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	was := &descriptorpb.FileDescriptorProto{}
	if err := proto.Unmarshal(b, was); err != nil {
		t.Fatal(err)
	}
	for _, lost := range lost(was, now) {
		t.Error(lost)
	}
}

// lost lists the definitions of a file that are missing or different in a later form of it.
func lost(was, now *descriptorpb.FileDescriptorProto) (list []string) {
	before, err := protodesc.NewFile(was, nil)
	if err != nil {
		return []string{err.Error()}
	}
	after, err := protodesc.NewFile(now, nil)
	if err != nil {
		return []string{err.Error()}
	}
	if before.Package() != after.Package() {
		list = append(list, fmt.Sprintf("package %s became %s", before.Package(), after.Package()))
	}
	for i := range before.Messages().Len() {
		old := before.Messages().Get(i)
		list = append(list, lostFields(old, after.Messages().ByName(old.Name()))...)
	}
	return list
}

func lostFields(old, now protoreflect.MessageDescriptor) (list []string) {
	if now == nil {
		return []string{fmt.Sprintf("message %s is gone", old.Name())}
	}
	for i := range old.Fields().Len() {
		f := old.Fields().Get(i)
		g := now.Fields().ByNumber(f.Number())
		if g == nil || shape(f) != shape(g) {
			list = append(list, fmt.Sprintf("%s, number %d: it was %s, it is %s", old.Name(), f.Number(), shape(f), shape(g)))
		}
	}
	for i := range old.Enums().Len() {
		e := old.Enums().Get(i)
		for k := range e.Values().Len() {
			v := e.Values().Get(k)
			if f := now.Enums().ByName(e.Name()); f == nil || f.Values().ByNumber(v.Number()) == nil || f.Values().ByNumber(v.Number()).Name() != v.Name() {
				list = append(list, fmt.Sprintf("%s.%s: %s is not %d any more", old.Name(), e.Name(), v.Name(), v.Number()))
			}
		}
	}
	return list
}

// shape describes the properties of a field that peers rely on.
func shape(f protoreflect.FieldDescriptor) string {
	if f == nil {
		return "gone"
	}
	s := fmt.Sprintf("%v %v %s", f.Cardinality(), f.Kind(), f.Name())
	if f.Message() != nil {
		s += " " + string(f.Message().Name())
	}
	if f.ContainingOneof() != nil {
		s += " of " + string(f.ContainingOneof().Name())
	}
	return s
}

// The comparison finds each violation of the rule, and accepts additions.
func TestAdditiveFindsMistakes(t *testing.T) {
	was := protodesc.ToFileDescriptorProto(File_chronus_proto)
	message := func(f *descriptorpb.FileDescriptorProto, name string) *descriptorpb.DescriptorProto {
		for _, m := range f.MessageType {
			if m.GetName() == name {
				return m
			}
		}
		t.Fatal(name)
		return nil
	}
	for name, tt := range map[string]struct {
		do   func(f *descriptorpb.FileDescriptorProto)
		want int
	}{
		"nothing": {func(*descriptorpb.FileDescriptorProto) {}, 0},
		"added": {func(f *descriptorpb.FileDescriptorProto) {
			m := message(f, "Mute")
			m.Field = append(m.Field, &descriptorpb.FieldDescriptorProto{Name: proto.String("fade"), Number: proto.Int32(9),
				Type: descriptorpb.FieldDescriptorProto_TYPE_DOUBLE.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), JsonName: proto.String("fade")})
		}, 0},
		"message gone": {func(f *descriptorpb.FileDescriptorProto) { message(f, "TapeDone").Name = proto.String("Taped") }, -1},
		"field gone":   {func(f *descriptorpb.FileDescriptorProto) { message(f, "Mute").Field = nil }, 1},
		"renumbered":   {func(f *descriptorpb.FileDescriptorProto) { message(f, "Mute").Field[0].Number = proto.Int32(2) }, 1},
		"retyped": {func(f *descriptorpb.FileDescriptorProto) {
			message(f, "Mute").Field[0].Type = descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum()
		}, 1},
		"renamed": {func(f *descriptorpb.FileDescriptorProto) { message(f, "Mute").Field[0].Name = proto.String("off") }, 1},
		"enum": {func(f *descriptorpb.FileDescriptorProto) {
			message(f, "Transport").EnumType[0].Value[1].Number = proto.Int32(7)
		}, 1},
	} {
		now := proto.Clone(was).(*descriptorpb.FileDescriptorProto)
		tt.do(now)
		got := lost(was, now)
		if tt.want >= 0 && len(got) != tt.want || tt.want < 0 && len(got) == 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
