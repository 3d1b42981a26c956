package resources

import (
	"errors"
	"log/slog"
	"time"

	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/actors/internal/launch"
	"github.com/music-chronus/chronus/actors/internal/limits"
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/shm/wire"
)

// Config is a configuration that has every default. actors.Config documents the fields.
type Config struct {
	Patch     []byte
	PatchName string
	Samples   string
	Patches   string
	Modules   []*dsp.Desc

	Rate, Block, Channels int
	Replicas, Lead, Guard int

	Device     wire.Target
	Fallback   []wire.Target
	Period     int
	ClientName string

	RuntimeDir string
	StateFile  string
	Resume     bool
	Fresh      bool
	Grace      time.Duration

	Frontend frontend.Config // the addresses and the access; New sets the other fields
	Program  launch.Program
	Logger   *slog.Logger
}

var errNoRuntimeDir = errors.New("no runtime directory: give --runtime-dir or set XDG_RUNTIME_DIR")

// limits returns the numbers to check.
func (c Config) limits() limits.Request {
	return limits.Request{
		Rate: c.Rate, Block: c.Block, Channels: c.Channels, Replicas: c.Replicas,
		Lead: c.Lead, Guard: c.Guard, Period: c.Period, ClientName: c.ClientName,
	}
}
