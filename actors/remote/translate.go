package remote

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/pb"
)

// maxPatch bounds the text of a patch that comes from elsewhere.
const maxPatch = 256 << 10

// translate is a request as the engine's actor takes it.
func (g *door) translate(r *pb.Request) (any, error) {
	switch do := r.Do.(type) {
	case *pb.Request_GetStatus:
		return actors.GetStatus{}, nil
	case *pb.Request_NoteOn:
		m := do.NoteOn
		return actors.NoteOn{Group: m.GetGroup(), Key: m.GetKey(), Velocity: m.GetVelocity()}, nil
	case *pb.Request_NoteOff:
		m := do.NoteOff
		if m.GetAll() {
			return actors.NoteOff{Group: m.GetGroup(), Key: -1}, nil
		}
		if m.GetKey() < 0 {
			return nil, fmt.Errorf("%g is no note: it is 0 to 127", m.GetKey())
		}
		return actors.NoteOff{Group: m.GetGroup(), Key: m.GetKey()}, nil
	case *pb.Request_SetParam:
		m := do.SetParam
		return actors.SetParam{Node: m.GetNode(), Param: m.GetParam(), Value: m.GetValue(), Word: m.GetWord()}, nil
	case *pb.Request_SetGate:
		return actors.SetGate{Node: do.SetGate.GetNode(), Level: do.SetGate.GetLevel()}, nil
	case *pb.Request_Send:
		args, err := argsOf(do.Send.GetArgs())
		return actors.Send{Address: do.Send.GetAddress(), Args: args}, err
	case *pb.Request_Transport:
		return actors.Transport{Do: actors.TransportDo(do.Transport.GetDo())}, nil
	case *pb.Request_Mute:
		return actors.Mute{On: do.Mute.GetOn()}, nil
	case *pb.Request_Flip:
		return actors.Flip{}, nil
	case *pb.Request_NewPatch:
		if n := len(do.NewPatch.GetText()); n > maxPatch {
			return nil, fmt.Errorf("a patch of %d bytes; the most are %d", n, maxPatch)
		}
		return actors.NewPatch{Name: do.NewPatch.GetName(), Text: []byte(do.NewPatch.GetText())}, nil
	case *pb.Request_BeginTape:
		return g.tape(do.BeginTape.GetName())
	case *pb.Request_EndTape:
		return actors.EndTape{}, nil
	}
	return nil, fmt.Errorf("%T is not carried out", r.Do)
}

// tape is the file of a tape: a name in the directory for tapes, and nowhere else.
func (g *door) tape(name string) (any, error) {
	if g.o.TapeDir == "" {
		return nil, errors.New("this engine takes no tapes from elsewhere: it was given no directory for them")
	}
	if name == "" || name != baseName(name) || strings.HasPrefix(name, ".") || len(name) > 200 || strings.ContainsAny(name, "\x00\\") {
		return nil, fmt.Errorf("%q is no name for a tape: it is that of a file, without a directory", name)
	}
	return actors.BeginTape{Path: filepath.Join(g.o.TapeDir, name)}, nil
}

func baseName(path string) string { return filepath.Base(path) }

func argsOf(list []*pb.Arg) (args []any, err error) {
	for i, a := range list {
		switch v := a.GetValue().(type) {
		case *pb.Arg_Number:
			args = append(args, v.Number)
		case *pb.Arg_Text:
			args = append(args, v.Text)
		case *pb.Arg_Truth:
			args = append(args, v.Truth)
		default:
			return nil, fmt.Errorf("argument %d is none: it is a number, a text or a truth", i+1)
		}
	}
	return args, nil
}
