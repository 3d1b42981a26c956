// Package limits checks the numbers that a user asks of an engine.
package limits

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/music-chronus/chronus/shm"
)

// longestPeriod is the most frames that a device may take at a time: PipeWire's largest quantum.
const longestPeriod = 8192

// ringSpare is half of what a ring holds beyond the lead of the longest period, in blocks.
const ringSpare = 32

// Request is the numbers of a Config: see actors.Config.
type Request struct {
	Rate, Block, Channels, Replicas int
	Lead, Guard                     int // blocks
	Period                          int // frames
	ClientName                      string
}

// Geometry returns what all processes will agree on, or what is wrong with the request.
func (c Request) Geometry() (shm.Geometry, error) {
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
	ring := min(shm.MaxRing, shm.RingFor(max(c.Lead, c.LeadFor(longestPeriod)/2+ringSpare)))
	g := shm.Geometry{
		Rate: uint32(c.Rate), Block: uint32(c.Block), Channels: uint32(c.Channels),
		Slots: uint32(c.Replicas), Ring: ring, Guard: uint32(c.Guard),
	}
	return g, g.Check()
}

// maxClientName keeps the names of ports, and a number that a server adds, below JACK's 64 bytes.
const maxClientName = 32

// checkDevice returns what no device can do.
func (c Request) checkDevice() error {
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

// LeadFor returns the lead in blocks that a device with the given period needs: the blocks that it
// takes in one call, as many again so that a standby has a period's time to take over, and the
// guard.
func (c Request) LeadFor(period int) int { return 2*((period+c.Block-1)/c.Block) + c.Guard }
