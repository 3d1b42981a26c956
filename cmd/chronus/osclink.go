package main

import (
	"github.com/music-chronus/chronus/osc"
	oscclient "github.com/music-chronus/chronus/osc/client"
	"github.com/music-chronus/chronus/osc/server"
)

// linkFlag holds the flags of commands that speak OSC over TCP: they receive several answers.
type linkFlag struct {
	oscFlag
	Token string `name:"osc-token-file" help:"File with the token of an engine on another machine." placeholder:"FILE"`
}

// dial connects to the engine, and shows the token if there is one.
func (f linkFlag) dial() (*oscclient.Client, error) {
	to, err := f.where()
	if err != nil {
		return nil, err
	}
	c, err := oscclient.Dial(oscclient.TCP, to, replyWait)
	if err != nil || f.Token == "" {
		return c, err
	}
	token, err := server.ReadToken(f.Token)
	if err == nil {
		err = c.Authenticate(token, replyWait)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// textOf returns a message's argument if it is a string, or "".
func textOf(m *osc.Message, argument int) string {
	if argument < len(m.Args) && m.Args[argument].Tag == 's' {
		return string(m.Args[argument].Bytes)
	}
	return ""
}
