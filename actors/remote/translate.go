package remote

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/pb"
)

// maxPatch bounds the text of a patch, in bytes.
const maxPatch = 256 << 10

// translate converts a message to the request of package actors.
func (e *endpoint) translate(r *pb.Request) (any, error) {
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
			return nil, fmt.Errorf("note %g: want 0 to 127", m.GetKey())
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
			return nil, fmt.Errorf("patch of %d bytes: the limit is %d bytes", n, maxPatch)
		}
		return actors.NewPatch{Name: do.NewPatch.GetName(), Text: []byte(do.NewPatch.GetText())}, nil
	case *pb.Request_BeginTape:
		return e.tape(do.BeginTape.GetName())
	case *pb.Request_EndTape:
		return actors.EndTape{}, nil
	}
	return nil, fmt.Errorf("unknown request %T", r.Do)
}

// tape returns a request for a tape in the directory for tapes. A name that leads elsewhere is an
// error.
func (e *endpoint) tape(name string) (any, error) {
	if e.o.TapeDir == "" {
		return nil, errors.New("tapes are refused: the engine has no directory for tapes of other machines")
	}
	if name == "" || name != baseName(name) || len(name) > 200 ||
		strings.HasPrefix(name, ".") || strings.ContainsAny(name, "\x00\\") {
		return nil, fmt.Errorf("tape name %q: want the name of a file, without a directory", name)
	}
	return actors.BeginTape{Path: filepath.Join(e.o.TapeDir, name)}, nil
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
			return nil, fmt.Errorf("argument %d is empty: want a number, a text or a truth", i+1)
		}
	}
	return args, nil
}
