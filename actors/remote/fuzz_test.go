package remote

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/music-chronus/chronus/actors/pb"
)

// nowhere is a stream without a connection.
type nowhere struct{ grpc.ServerStream }

// Context implements grpc.ServerStream.
func (nowhere) Context() context.Context { return context.Background() }

// Every message that passes has valid indexes, a readable type, and this node's address. Every
// request is marked.
func FuzzInspect(f *testing.F) {
	request, err := proto.Marshal(&pb.Request{Version: 1, Do: &pb.Request_Flip{Flip: &pb.Flip{}}})
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range []*protoremote.MessageBatch{
		batch("d", string(requestType), request, actor.NewPID("a:1", "me")), batch("d", "actor.Stop", nil, nil),
		batch("d", "no.Type", request, nil), batch("d", string(reportType), request, nil), {},
	} {
		data, err := proto.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, false)
		f.Add(data, true)
	}
	system := actor.NewActorSystem()
	f.Fuzz(func(t *testing.T, data []byte, others bool) {
		b := &protoremote.MessageBatch{}
		if proto.Unmarshal(data, b) != nil {
			return
		}
		s := newInterceptor(system, Watch)
		s.others = others
		w := &checkedStream{ServerStream: nowhere{}, interceptor: s, role: Watch, from: "a:1"}
		if w.inspect(b) != nil {
			return // the connection ends
		}
		for _, e := range b.Envelopes {
			name, target := protoreflect.FullName(b.TypeNames[e.TypeId]), b.Targets[e.Target]
			if e.Sender != 0 && b.Senders[e.Sender-1] == nil || target == nil || e.SerializerId != 0 {
				t.Fatalf("let in: %v", e)
			}
			if _, err := protoregistry.GlobalTypes.FindMessageByName(name); err != nil {
				t.Fatalf("let in: a %s", name)
			}
			if !others && (target.Address != system.Address() || name != requestType && name != replyType && name != reportType && name != deadType) {
				t.Fatalf("let in: a %s to %v", name, target)
			}
			if name == requestType && e.MessageHeader.GetHeaderData()[roleHeader] != s.nonce+"watch" {
				t.Fatalf("let in unmarked: %v", e)
			}
		}
	})
}

// ParseTokens maps every token to a role, or refuses the text.
func FuzzTokens(f *testing.F) {
	for _, text := range []string{"", "# x", "play a token of sixteen", "operate short", "king abcdefghijklmnopq", "watch\n", "\x00\xff"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tokens, err := ParseTokens(text)
		if err != nil {
			return
		}
		for line := range bytes.Lines(text) {
			line = bytes.TrimSpace(line)
			if len(line) == 0 || line[0] == '#' {
				continue
			}
			name, token, _ := strings.Cut(string(line), " ")
			if role, ok := tokens.role(strings.TrimSpace(token)); !ok || role > Operate || !slices.Contains(roleNames, name) {
				t.Fatalf("%q stands for %v, %t", line, role, ok)
			}
		}
		for _, role := range tokens {
			if role < Nobody || role > Operate {
				t.Fatalf("role %d", role)
			}
		}
	})
}
