// Command bot watches an engine anywhere, and flips it now and then, as long as all its workers are ready: a rehearsal of failures, for those who
// want to know before they need to.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/remote"
)

func main() {
	engine := flag.String("engine", "127.0.0.1:4005", "HOST:PORT of the engine")
	listen := flag.String("listen", "127.0.0.1:0", "address that it reaches this program at")
	tls := flag.String("remote-tls", "", "directory of certificates")
	every := flag.Duration("every", time.Second, "from flip to flip")
	flips := flag.Int("flips", 10, "how many flips")
	flag.Parse()
	if err := run(remote.Options{Address: *listen, TLSDir: *tls}, *engine, *every, *flips); err != nil {
		log.Fatal(err)
	}
}

func run(o remote.Options, engine string, every time.Duration, flips int) error {
	node, err := remote.Listen(o)
	if err != nil {
		return err
	}
	defer node.Close()
	news := make(chan remote.News, 64)
	defer node.Follow(remote.Target{Address: engine, Every: 100 * time.Millisecond}, func(n remote.News) {
		select {
		case news <- n:
		default: // a later one says more
		}
	})()
	var concealed, done uint64
	var first, due bool
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			due = true
		case n := <-news:
			switch {
			case n.Lost != "":
				fmt.Println("lost:", n.Lost)
			case n.Refused != nil:
				return errors.New(n.Refused.Reason)
			case n.Report != nil && n.Report.Status != nil:
				st := n.Report.Status
				if !first {
					first, concealed = true, st.Concealed
				}
				if done == uint64(flips) {
					fmt.Printf("%d flips; %d blocks were concealed meanwhile\n", done, st.Concealed-concealed)
					return nil
				}
				if !due || !st.Redundant {
					continue
				}
				due = false
				if err := flip(node, engine); err != nil {
					fmt.Println(err)
					continue
				}
				done++
			}
		}
	}
}

// flip has another worker be heard.
func flip(node *remote.Node, engine string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := node.Ask(ctx, engine, "", &pb.Request{Do: &pb.Request_Flip{Flip: &pb.Flip{}}})
	return err
}
