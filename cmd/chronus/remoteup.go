package main

import (
	"context"
	"fmt"
	"os"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/remote"
)

// tlsFlag is what every verb that speaks to other machines takes.
type tlsFlag struct {
	RemoteTLS string `name:"remote-tls" help:"Directory with ca.pem, cert.pem, key.pem, and perhaps tokens." placeholder:"DIR"`
}

// remoteFlags open an engine to other machines.
type remoteFlags struct {
	Remote string `help:"Let other machines watch and play the engine at this address; see chronus monitor." placeholder:"HOST:PORT"`
	tlsFlag
	RemoteAdvertise string `help:"Where they reach it, if that is another address." placeholder:"HOST:PORT"`
	RemotePlaintext string `help:"Without certificates, outside loopback: the role that anybody has, watch, play or operate." placeholder:"ROLE"`
	RemoteTapes     string `help:"Directory for tapes that are asked for from elsewhere; default: they are refused." placeholder:"DIR"`
}

// start starts an engine, and opens it if that is asked for. The caller calls stop.
func (f remoteFlags) start(ctx context.Context, cfg actors.Config) (e *actors.Engine, at string, stop func(), err error) {
	if f.Remote == "" {
		if f.RemoteTLS+f.RemoteAdvertise+f.RemotePlaintext+f.RemoteTapes != "" {
			return nil, "", nil, fmt.Errorf("certificates, roles and tapes for other machines, but no --remote HOST:PORT for them to come to")
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
			return nil, "", nil, fmt.Errorf("--remote-plaintext %s with --remote-tls: it is one of them", f.RemotePlaintext)
		}
	}
	node, err := remote.Listen(o)
	if err != nil {
		return nil, "", nil, err
	}
	node.System().EventStream.Subscribe(func(m any) {
		if r, ok := m.(remote.Refusal); ok {
			cfg.Logger.Warn("refused from elsewhere", "peer", r.Peer, "kind", r.Kind, "why", r.Why, "total", r.Total)
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
