package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/music-chronus/chronus/osc"
	oscclient "github.com/music-chronus/chronus/osc/client"
)

type sendCmd struct {
	oscFlag
	Address string   `arg:"" help:"OSC address, like /mod/filter1/cutoff."`
	Args    []string `arg:"" optional:"" help:"Arguments: 5, 0.5, true, on; or typed i:5 f:5 d:5 s:5."`
}

var negative = regexp.MustCompile(`^-\.?[0-9]`)

// negatives puts a space before the negative numbers of send, osc send and osc set. Kong would take
// them for flags.
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

// oscFlag belongs to each command that speaks OSC.
type oscFlag struct {
	engineFlag
	OSC string `name:"osc" help:"Address to send to; default: the engine of the runtime directory." placeholder:"HOST:PORT"`
}

// where returns the address to send to.
func (f oscFlag) where() (string, error) {
	if f.OSC != "" {
		return f.OSC, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), replyWait)
	defer cancel()
	st, err := f.client().Status(ctx)
	if err == nil && st.OSC == noOSC {
		err = errors.New("the engine has no OSC address: start it without --osc none")
	}
	return st.OSC, err
}

// parseArgs parses words, which negatives may have marked.
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

// sendOSC sends one message over UDP and waits for the reply. failed is true if the reply is /fail.
func sendOSC(to string, wait time.Duration, address string, args ...any) (reply string, failed bool, err error) {
	c, err := oscclient.Dial(oscclient.UDP, to, wait)
	if err != nil {
		return "", false, err
	}
	defer c.Close()
	if err := c.Send(address, args...); err != nil {
		return "", false, err
	}
	m, err := c.Receive(wait)
	if err != nil {
		return "", false, err
	}
	return m.String(), oscclient.Refused(m) != nil, nil
}
