package core

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/music-chronus/chronus/actors/internal/child"
	"github.com/music-chronus/chronus/actors/internal/frontend"
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/shm"
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
	Program  child.Program
	Logger   *slog.Logger
}

// longestPeriod is the most frames that a device may take at a time: PipeWire's largest quantum.
const longestPeriod = 8192

// ringSpare is half of what a ring holds beyond the lead of the longest period, in blocks.
const ringSpare = 32

// maxClientName keeps the names of ports, and a number that a server adds, below JACK's 64 bytes.
const maxClientName = 32

var errNoRuntimeDir = errors.New("no runtime directory: give --runtime-dir or set XDG_RUNTIME_DIR")

// geometry returns the sizes that all processes agree on.
func (c Config) geometry() (shm.Geometry, error) {
	for _, n := range []struct {
		name  string
		value int
	}{
		{"rate", c.Rate}, {"block", c.Block}, {"channels", c.Channels}, {"lead", c.Lead}, {"guard", c.Guard},
		{"replicas", c.Replicas}, {"period", c.Period},
	} {
		if n.value < 0 || n.value > shm.MaxRate {
			return shm.Geometry{}, fmt.Errorf("%s %d is out of range", n.name, n.value)
		}
	}
	if err := c.checkDevice(); err != nil {
		return shm.Geometry{}, err
	}
	if c.Lead != 0 && c.Lead <= c.Guard {
		return shm.Geometry{}, fmt.Errorf("lead %d must be above guard %d: raise --lead or leave it out", c.Lead, c.Guard)
	}
	if c.Lead > shm.MaxRing/2 {
		return shm.Geometry{}, fmt.Errorf("lead %d is above %d blocks", c.Lead, shm.MaxRing/2)
	}
	if c.Block < 1 {
		return shm.Geometry{}, fmt.Errorf("block %d must be 1 or more", c.Block)
	}
	ring := min(shm.MaxRing, shm.RingFor(max(c.Lead, c.leadFor(longestPeriod)/2+ringSpare)))
	g := shm.Geometry{
		Rate: uint32(c.Rate), Block: uint32(c.Block), Channels: uint32(c.Channels),
		Slots: uint32(c.Replicas), Ring: ring, Guard: uint32(c.Guard),
	}
	return g, g.Check()
}

// checkDevice returns an error for values that no device accepts.
func (c Config) checkDevice() error {
	if c.Period != 0 && (c.Period < 16 || c.Period > shm.MaxBlock) {
		return fmt.Errorf("period %d is outside 16 to %d frames: choose another with --period, or leave it out",
			c.Period, shm.MaxBlock)
	}
	if strings.ContainsAny(c.ClientName, ":\x00") || len(c.ClientName) > maxClientName || !utf8.ValidString(c.ClientName) {
		return fmt.Errorf("client name %q: want at most %d bytes of text without a colon: "+
			"choose another with --client-name", c.ClientName, maxClientName)
	}
	return nil
}

// leadFor returns the lead in blocks that a period in frames needs: the blocks that the device takes
// in one call, as many again so that a standby has a period's time to take over, and the guard.
func (c Config) leadFor(period int) int { return 2*((period+c.Block-1)/c.Block) + c.Guard }
