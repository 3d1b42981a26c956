package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/music-chronus/chronus/actors/fleet"
	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/osc"
)

// How long an engine may take to carry out an order, and to go on with another patch, for which it gives itself 30 s.
const (
	orderWait = 5 * time.Second
	patchWait = 35 * time.Second
)

// parseOrder is what --do stands for. Each engine gets a request of its own.
func parseOrder(do string) (func() *pb.Request, error) {
	what, rest, _ := strings.Cut(do, "=")
	switch what {
	case "flip":
		return func() *pb.Request { return &pb.Request{Do: &pb.Request_Flip{Flip: &pb.Flip{}}} }, nil
	case "mute", "unmute":
		return func() *pb.Request { return &pb.Request{Do: &pb.Request_Mute{Mute: &pb.Mute{On: what == "mute"}}} }, nil
	case "patch":
		text, err := os.ReadFile(rest)
		if err != nil {
			return nil, fmt.Errorf("--do patch: %w", err)
		}
		return func() *pb.Request {
			return &pb.Request{Do: &pb.Request_NewPatch{NewPatch: &pb.NewPatch{Name: rest, Text: string(text)}}}
		}, nil
	case "send":
		words := strings.Split(rest, ",")
		var args []*pb.Arg
		for _, w := range words[1:] {
			a, err := orderArg(w)
			if err != nil {
				return nil, fmt.Errorf("--do send: %w", err)
			}
			args = append(args, a)
		}
		return func() *pb.Request {
			return &pb.Request{Do: &pb.Request_Send{Send: &pb.Send{Address: words[0], Args: args}}}
		}, nil
	}
	return nil, fmt.Errorf("--do %q: it is flip, mute, unmute, patch=FILE or send=/ADDRESS,ARG", do)
}

func orderArg(word string) (*pb.Arg, error) {
	v, err := osc.ParseArg(word)
	switch v := v.(type) {
	case int32:
		return &pb.Arg{Value: &pb.Arg_Number{Number: float64(v)}}, err
	case int64:
		return &pb.Arg{Value: &pb.Arg_Number{Number: float64(v)}}, err
	case float32:
		return &pb.Arg{Value: &pb.Arg_Number{Number: float64(v)}}, err
	case float64:
		return &pb.Arg{Value: &pb.Arg_Number{Number: v}}, err
	case bool:
		return &pb.Arg{Value: &pb.Arg_Truth{Truth: v}}, err
	}
	return &pb.Arg{Value: &pb.Arg_Text{Text: fmt.Sprint(v)}}, err
}

// order does something to every engine, all at once, and says what came of it at each.
func (m *monitorCmd) order(ctx context.Context, s streams, node *remote.Node, targets []fleet.Named) error {
	request, err := parseOrder(m.Do)
	if err != nil {
		return err
	}
	wait := orderWait
	if strings.HasPrefix(m.Do, "patch=") {
		wait = patchWait
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	said, failed := make([]string, len(targets)), make([]bool, len(targets))
	var asked sync.WaitGroup
	for i, t := range targets {
		asked.Go(func() {
			r := request()
			r.Token = t.Token
			if _, err := node.Ask(ctx, t.Address, t.Target.Name, r); err != nil {
				said[i], failed[i] = err.Error(), true
				return
			}
			said[i] = t.Name + ": done"
		})
	}
	asked.Wait()
	err = nil
	for i := range targets {
		fmt.Fprintln(s.out, said[i])
		if failed[i] {
			err = errQuiet
		}
	}
	return err
}
