package monitor

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/music-chronus/chronus/actors/fleet"
	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/osc"
)

// Order is a request that goes to several engines.
type Order struct {
	request func() *pb.Request // a new one for each engine
	wait    time.Duration
}

// Time limits of an order. An engine gives a change of its patch 30 s.
const (
	orderWait = 5 * time.Second
	patchWait = 35 * time.Second
)

// ParseOrder reads an order: flip, mute, unmute, patch=FILE or send=/ADDRESS,ARG,...
func ParseOrder(text string) (Order, error) {
	what, rest, _ := strings.Cut(text, "=")
	order := func(wait time.Duration, request func() *pb.Request) (Order, error) { return Order{request, wait}, nil }
	switch what {
	case "flip":
		return order(orderWait, func() *pb.Request { return &pb.Request{Do: &pb.Request_Flip{Flip: &pb.Flip{}}} })
	case "mute", "unmute":
		return order(orderWait, func() *pb.Request {
			return &pb.Request{Do: &pb.Request_Mute{Mute: &pb.Mute{On: what == "mute"}}}
		})
	case "patch":
		text, err := os.ReadFile(rest)
		if err != nil {
			return Order{}, fmt.Errorf("patch: %w", err)
		}
		return order(patchWait, func() *pb.Request {
			return &pb.Request{Do: &pb.Request_NewPatch{NewPatch: &pb.NewPatch{Name: rest, Text: string(text)}}}
		})
	case "send":
		words := strings.Split(rest, ",")
		var args []*pb.Arg
		for _, w := range words[1:] {
			a, err := parseArg(w)
			if err != nil {
				return Order{}, fmt.Errorf("send: %w", err)
			}
			args = append(args, a)
		}
		return order(orderWait, func() *pb.Request {
			return &pb.Request{Do: &pb.Request_Send{Send: &pb.Send{Address: words[0], Args: args}}}
		})
	}
	return Order{}, fmt.Errorf("unknown order %q: must be flip, mute, unmute, patch=FILE or send=/ADDRESS,ARG", text)
}

func parseArg(word string) (*pb.Arg, error) {
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

// Send sends the order to all engines at once and prints one result a line, in the order of the
// targets. ok says that every engine carried it out.
func (o Order) Send(ctx context.Context, node *remote.Node, targets []fleet.Named, out io.Writer) (ok bool) {
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()
	errs := make([]error, len(targets))
	var requests sync.WaitGroup
	for i, t := range targets {
		requests.Go(func() {
			r := o.request()
			r.Token = t.Token
			_, errs[i] = node.Ask(ctx, t.Address, t.Target.Name, r)
		})
	}
	requests.Wait()
	ok = true
	for i, t := range targets {
		if errs[i] != nil {
			ok = false
			fmt.Fprintln(out, errs[i])
			continue
		}
		fmt.Fprintln(out, t.Name+": done")
	}
	return ok
}
