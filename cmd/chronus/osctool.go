package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
	oscclient "github.com/music-chronus/chronus/osc/client"
	"github.com/music-chronus/chronus/osc/layout"
)

// oscCmd has the commands for OSC addresses.
type oscCmd struct {
	Ls     oscLsCmd     `cmd:"" help:"List the addresses of an engine with their present values."`
	Get    oscGetCmd    `cmd:"" help:"Print the present values of addresses; a pattern like /mod/*/q names several."`
	Set    oscSetCmd    `cmd:"" help:"Set the values of addresses, all in one block."`
	Watch  oscWatchCmd  `cmd:"" help:"Print values, each change of one, and events, until Ctrl-C."`
	Dump   oscDumpCmd   `cmd:"" help:"Print the messages to the engine, with their senders, until Ctrl-C."`
	Send   sendCmd      `cmd:"" help:"Send one OSC message and print the reply; exit 1 if it is /fail."`
	Layout oscLayoutCmd `cmd:"" help:"Make a layout for a controller program, touchosc or open-stage-control."`
}

type oscLsCmd struct {
	engineFlag
	Under string `arg:"" optional:"" help:"Prefix of the addresses to list, or a pattern."`
	JSON  bool   `name:"json" help:"Print them as JSON."`
}

// listed describes an address as ls --json prints it.
type listed struct {
	osc.Entry
	Value any `json:"value,omitempty"`
}

// Run lists addresses.
func (c *oscLsCmd) Run(s streams) error {
	ctx, cancel := context.WithTimeout(context.Background(), replyWait)
	defer cancel()
	entries, err := c.client().Addresses(ctx)
	if err != nil {
		return err
	}
	values, err := c.client().Values(ctx)
	if err != nil {
		return err
	}
	keep, err := choose(entries, c.Under)
	if err != nil {
		return err
	}
	list := []listed{}
	for _, e := range keep {
		list = append(list, listed{e, values[e.Address]})
	}
	if c.JSON {
		out := json.NewEncoder(s.out)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(list)
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	for _, l := range list {
		value := ""
		if l.Value != nil {
			value = fmt.Sprint(l.Value)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Address, value, l.Expected(), l.Doc)
	}
	return w.Flush()
}

// choose returns the addresses that begin with a text, or that a pattern matches, and an error if
// there are none.
func choose(entries []osc.Entry, under string) (list []osc.Entry, err error) {
	if osc.IsPattern([]byte(under)) {
		space, err := osc.NewSpace(entries)
		if err != nil {
			return nil, err
		}
		var p osc.Patterns
		p.Reset()
		found, err := p.Match(space, []byte(under))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", under, err)
		}
		for _, i := range found {
			list = append(list, entries[i])
		}
		return list, nil
	}
	list = slices.DeleteFunc(slices.Clone(entries), func(e osc.Entry) bool { return !strings.HasPrefix(e.Address, under) })
	if len(list) == 0 {
		return nil, fmt.Errorf("no address begins with %s", under)
	}
	return list, nil
}

type oscGetCmd struct {
	linkFlag
	Addresses []string `arg:"" help:"OSC addresses, like /mod/filter1/cutoff."`
}

// Run prints values.
func (c *oscGetCmd) Run(s streams) error {
	l, err := c.dial()
	if err != nil {
		return err
	}
	defer l.Close()
	args := make([]any, 0, len(c.Addresses))
	for _, a := range c.Addresses {
		args = append(args, a)
	}
	if err := l.Send("/get", args...); err != nil {
		return err
	}
	for {
		m, err := l.Receive(replyWait)
		if err != nil {
			return err
		}
		if r := oscclient.Refused(m); r != nil {
			return r
		}
		if string(m.Address) == "/done" {
			return nil
		}
		fmt.Fprintln(s.out, m)
	}
}

type oscSetCmd struct {
	linkFlag
	Pairs []string `arg:"" help:"ADDRESS VALUE, for one or more addresses."`
}

// Run sets values.
func (c *oscSetCmd) Run(s streams) error {
	if len(c.Pairs)%2 != 0 {
		return fmt.Errorf("%d words: each address takes a value, like /mod/filter1/cutoff 800 /mod/filter1/mode hp", len(c.Pairs))
	}
	var packets [][]byte
	for i := 0; i < len(c.Pairs); i += 2 {
		args, err := parseArgs(c.Pairs[i+1 : i+2])
		if err != nil {
			return err
		}
		packet, err := osc.Encode(c.Pairs[i], args...)
		if err != nil {
			return err
		}
		packets = append(packets, packet)
	}
	bundle, err := osc.EncodeBundle(osc.Immediately, packets...)
	if err != nil {
		return err
	}
	l, err := c.dial()
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Write(bundle); err != nil {
		return err
	}
	failed := false
	for range packets {
		m, err := l.Receive(replyWait)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.out, m)
		failed = failed || oscclient.Refused(m) != nil
	}
	if failed {
		return errQuiet
	}
	return nil
}

type oscWatchCmd struct {
	linkFlag
	Under []string `arg:"" optional:"" help:"Prefixes of the addresses to print; default: all."`
	Count int      `help:"End after so many lines; 0: go on until Ctrl-C." default:"0" placeholder:"N"`
}

// Run prints changes.
func (c *oscWatchCmd) Run(s streams) error {
	return c.follow(s, c.Count, func(m *osc.Message) (string, bool) {
		under := func(prefix string) bool { return strings.HasPrefix(string(m.Address), prefix) }
		return m.String(), len(c.Under) == 0 || slices.ContainsFunc(c.Under, under)
	}, call{"/notify", []any{1}}, call{"/notify/resync", nil})
}

type oscDumpCmd struct {
	linkFlag
	Replies bool `help:"Print the engine's answers too, after ->, with each /fail that is not sent."`
	Count   int  `help:"End after so many lines; 0: go on until Ctrl-C." default:"0" placeholder:"N"`
}

// Run prints the messages that the engine receives, and those that it sends.
func (c *oscDumpCmd) Run(s streams) error {
	kind := 1
	if c.Replies {
		kind = 2
	}
	return c.follow(s, c.Count, func(m *osc.Message) (string, bool) {
		switch string(m.Address) {
		case "/dumpOSC.reply":
			return textOf(m, 0), true
		case "/dumpOSC.left":
			return "... and " + strings.TrimPrefix(m.String(), "/dumpOSC.left ") + " more", true
		}
		return "", false
	}, call{"/dumpOSC", []any{kind}})
}

// call is one message to send.
type call struct {
	address string
	args    []any
}

// follow sends the calls, and prints the lines that show makes of messages, until Ctrl-C or so many
// lines.
func (f linkFlag) follow(s streams, count int, show func(m *osc.Message) (string, bool), calls ...call) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := f.dial()
	if err != nil {
		return err
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	for _, c := range calls {
		if err := l.Send(c.address, c.args...); err != nil {
			return err
		}
	}
	for n := 0; count == 0 || n < count; {
		m, err := l.Receive(0)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if r := oscclient.Refused(m); r != nil {
			return r
		}
		if string(m.Address) == "/done" {
			continue
		}
		if line, ok := show(m); ok {
			n++
			fmt.Fprintln(s.out, line)
		}
	}
	return nil
}

type oscLayoutCmd struct {
	engineFlag
	samplesFlag
	For   string `arg:"" help:"touchosc or open-stage-control."`
	Out   string `short:"o" required:"" help:"File to write." type:"path" placeholder:"FILE"`
	Patch string `help:"Patch file or preset; default: the patch that the engine plays." placeholder:"FILE"`
}

// Run writes a layout.
func (c *oscLayoutCmd) Run(s streams) error {
	kinds := layout.Kinds()
	i := slices.IndexFunc(kinds, func(k layout.Kind) bool { return k.Name == c.For })
	if i < 0 {
		return fmt.Errorf("layout %q: must be touchosc or open-stage-control", c.For)
	}
	entries, err := c.entries()
	if err != nil {
		return err
	}
	f, err := os.Create(c.Out)
	if err != nil {
		return fmt.Errorf("layout: %w", err)
	}
	err = errors.Join(kinds[i].Write(f, entries), f.Close())
	if err != nil {
		_ = os.Remove(c.Out)
	}
	return err
}

// entries returns the addresses of the patch that is named, or of the running engine.
func (c *oscLayoutCmd) entries() ([]osc.Entry, error) {
	if c.Patch == "" {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		return c.client().Addresses(ctx)
	}
	text, err := c.loadPatch(c.Patch)
	if err != nil {
		return nil, err
	}
	p, err := patch.Parse(c.Patch, text)
	if err != nil {
		return nil, err
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		return nil, err
	}
	a, err := space.New(plan)
	if err != nil {
		return nil, err
	}
	return a.Entries(), nil
}
