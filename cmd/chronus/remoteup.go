package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/remote"
)

// tlsFlag belongs to each command that speaks to other machines.
type tlsFlag struct {
	RemoteTLS string `name:"remote-tls" help:"Directory with ca.pem, cert.pem and key.pem, and optionally tokens." placeholder:"DIR"`
}

// remoteFlags open an engine to other machines.
type remoteFlags struct {
	Remote string `help:"Address at which other machines may watch and play the engine; see chronus monitor." placeholder:"HOST:PORT"`
	tlsFlag
	RemoteAdvertise string `help:"Address at which they reach the engine, if it differs." placeholder:"HOST:PORT"`
	RemotePlaintext string `help:"Role of every peer without certificates, outside loopback: watch, play or operate." placeholder:"ROLE"`
	RemoteTapes     string `help:"Directory for tapes that other machines order; default: such orders are refused." placeholder:"DIR"`
}

// start starts an engine, and opens it to other machines if --remote is set. The caller calls stop.
func (f remoteFlags) start(ctx context.Context, cfg actors.Config) (e *actors.Engine, at string, stop func(), err error) {
	if f.Remote == "" {
		if f.RemoteTLS+f.RemoteAdvertise+f.RemotePlaintext+f.RemoteTapes != "" {
			return nil, "", nil, errors.New("--remote-tls, --remote-advertise, --remote-plaintext and --remote-tapes need --remote HOST:PORT")
		}
		e, err = actors.Start(ctx, cfg)
		if err != nil {
			return nil, "", nil, err
		}
		return e, "", e.Stop, nil
	}
	o := remote.Options{Address: f.Remote, Advertise: f.RemoteAdvertise, TLSDir: f.RemoteTLS, TapeDir: f.RemoteTapes}
	if f.RemotePlaintext != "" {
		if o.Plain, err = remote.ParseRole(f.RemotePlaintext); err != nil {
			return nil, "", nil, fmt.Errorf("--remote-plaintext: %w", err)
		}
		if f.RemoteTLS != "" {
			return nil, "", nil, fmt.Errorf("--remote-plaintext %s with --remote-tls: use one of them", f.RemotePlaintext)
		}
	}
	node, err := remote.Listen(o)
	if err != nil {
		return nil, "", nil, err
	}
	node.System().EventStream.Subscribe(func(m any) {
		if r, ok := m.(remote.Rejection); ok {
			cfg.Logger.Warn("refused a remote request", "peer", r.Peer, "kind", r.Kind, "why", r.Reason, "total", r.Total)
		}
	})
	cfg.Output = os.Stderr
	if e, err = actors.Embed(ctx, node.Host(""), cfg); err == nil {
		if err = node.Open(e); err != nil {
			e.Stop()
		}
	}
	if err != nil {
		node.Close()
		return nil, "", nil, err
	}
	return e, node.Address(), func() { e.Stop(); node.Close() }, nil
}
