package server_test

import (
	"context"
	"fmt"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/client"
	"github.com/music-chronus/chronus/osc/server"
)

// A server resolves messages in a space, and answers each with /done or /fail.
func Example() {
	space, err := osc.NewSpace([]osc.Entry{{Address: "/filter/cutoff", Min: 20, Max: 20000, Unit: "Hz"}})
	if err != nil {
		panic(err)
	}
	s, err := server.Listen("127.0.0.1:0", server.Access{})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- s.Serve(ctx, server.HandlerFunc(func(m *osc.Message, from server.Peer) {
			if _, value, err := space.Resolve(m); err != nil {
				_ = from.Fail(string(m.Address), err)
			} else {
				_ = from.Reply("/done", string(m.Address), value.Number)
			}
		}))
	}()

	c, err := client.Dial(client.UDP, s.Addr().String(), time.Second)
	if err != nil {
		panic(err)
	}
	for _, hz := range []int{440, 5} {
		if err := c.Send("/filter/cutoff", hz); err != nil {
			panic(err)
		}
		answer, err := c.Receive(5 * time.Second)
		if err != nil {
			panic(err)
		}
		fmt.Println(answer)
	}
	fmt.Println(s.Stats().RefusedByCode)

	_ = c.Close()
	cancel()
	fmt.Println(<-served, s.Close())
	// Output:
	// /done "/filter/cutoff" 440
	// /fail "/filter/cutoff" "5 is not a number from 20 to 20000 Hz"
	// map[bad_argument:1]
	// <nil> <nil>
}
