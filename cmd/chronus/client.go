package main

import "github.com/music-chronus/chronus/actors/control"

// engineFlag is part of every command that talks to a running engine.
type engineFlag struct {
	RuntimeDir string `name:"runtime-dir" help:"Directory of the engine's lock and control socket." default:"${runtimedir}" placeholder:"DIR"`
}

func (f engineFlag) client() *control.Client { return control.NewClient(f.RuntimeDir) }
