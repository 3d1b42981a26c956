// Command bot rehearses failures: it watches an engine on any machine, and flips it to another
// worker now and then, as long as all workers are ready.
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
	listen := flag.String("listen", "127.0.0.1:0", "address at which the engine reaches this program")
	tls := flag.String("remote-tls", "", "directory of certificates")
	every := flag.Duration("every", time.Second, "time between two flips")
	flips := flag.Int("flips", 10, "number of flips")
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
		default: // a later report says more
		}
	})()
	tick := time.NewTicker(every)
	defer tick.Stop()
	bot := bot{node: node, engine: engine, flips: flips}
	for {
		select {
		case <-tick.C:
			bot.due = true
		case n := <-news:
			if done, err := bot.observe(n); done || err != nil {
				return err
			}
		}
	}
}

// bot counts what it has done.
type bot struct {
	node   *remote.Node
	engine string
	flips  int // to do
	due    bool

	done      int
	reports   int
	concealed uint64 // blocks, at the first report
}

// observe handles news of the engine, and flips if a flip is due and all workers are ready.
func (b *bot) observe(n remote.News) (done bool, err error) {
	switch {
	case n.Lost != "":
		fmt.Println("lost:", n.Lost)
		return false, nil
	case n.Refused != nil:
		return false, errors.New(n.Refused.Reason)
	case n.Report == nil || n.Report.Status == nil:
		return false, nil
	}
	st := n.Report.Status
	if b.reports++; b.reports == 1 {
		b.concealed = st.Concealed
	}
	if b.done == b.flips {
		fmt.Printf("%d flips; %d blocks were concealed meanwhile\n", b.done, st.Concealed-b.concealed)
		return true, nil
	}
	if !b.due || !st.Redundant {
		return false, nil
	}
	b.due = false
	if err := b.flip(); err != nil {
		fmt.Println(err)
		return false, nil
	}
	b.done++
	return false, nil
}

// flip makes another worker the active one.
func (b *bot) flip() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := b.node.Ask(ctx, b.engine, "", &pb.Request{Do: &pb.Request_Flip{Flip: &pb.Flip{}}})
	return err
}
