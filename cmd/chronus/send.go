package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/music-chronus/chronus/osc"
)

type sendCmd struct {
	oscFlag
	Address string   `arg:"" help:"OSC address, like /mod/filter1/cutoff."`
	Args    []string `arg:"" optional:"" help:"Arguments: 5, 0.5, true, on; or typed i:5 f:5 d:5 s:5."`
}

var negative = regexp.MustCompile(`^-\.?[0-9]`)

// negatives sets a space before the negative numbers of send, osc send and osc set, which would be
// taken for flags.
func negatives(args []string) []string {
	if len(args) == 0 || args[0] != "send" && args[0] != "osc" {
		return args
	}
	out := slices.Clone(args)
	for i, w := range out {
		if negative.MatchString(w) {
			out[i] = " " + w
		}
	}
	return out
}

// oscFlag is what every verb that speaks OSC takes.
type oscFlag struct {
	engineFlag
	OSC string `name:"osc" help:"Where to send; default: the engine of the runtime directory." placeholder:"HOST:PORT"`
}

// where OSC is to be sent.
func (f oscFlag) where() (string, error) {
	if f.OSC != "" {
		return f.OSC, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), replyWait)
	defer cancel()
	st, err := f.client().status(ctx)
	if err == nil && st.OSC == noOSC {
		err = errors.New("the engine does not listen for OSC: start it without --osc none")
	}
	return st.OSC, err
}

// parseArgs makes arguments of words, which negatives may have marked.
func parseArgs(words []string) (args []any, err error) {
	for _, w := range words {
		a, err := osc.ParseArg(strings.TrimPrefix(w, " "))
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return args, nil
}

// Run sends one message and prints the reply.
func (c *sendCmd) Run(s streams) error {
	to, err := c.where()
	if err != nil {
		return err
	}
	args, err := parseArgs(c.Args)
	if err != nil {
		return err
	}
	reply, failed, err := sendOSC(to, replyWait, c.Address, args...)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, reply)
	if failed {
		return errQuiet
	}
	return nil
}

// sendOSC sends one message and waits for the reply; failed tells whether it is /fail.
func sendOSC(to string, wait time.Duration, address string, args ...any) (reply string, failed bool, err error) {
	packet, err := osc.Encode(address, args...)
	if err != nil {
		return "", false, err
	}
	conn, err := net.Dial("udp", to)
	if err != nil {
		return "", false, fmt.Errorf("OSC address %q: %w", to, err)
	}
	defer conn.Close()
	if _, err := conn.Write(packet); err != nil {
		return "", false, fmt.Errorf("send to %s: %w", to, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, osc.MaxPacket)
	n, err := conn.Read(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", false, fmt.Errorf("no reply from %s within %v", to, wait)
	}
	if err != nil {
		return "", false, fmt.Errorf("nothing answers at %s: %w", to, err)
	}
	var d osc.Decoder
	d.Decode(buf[:n], func(m *osc.Message) {
		reply = m.String()
		failed = strings.HasPrefix(reply, "/fail ")
	}, func(e *osc.DecodeError) { err = e })
	return reply, failed, err
}
