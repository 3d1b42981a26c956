package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/client"
	"github.com/music-chronus/chronus/shm/sys"
)

// Numbers of messages and packets.
const (
	burstMessages    = 20_000
	malformedPackets = 1_000
)

// burst sends values of /engine/amp from 0.9 to 1, and 1 in the end: every patch has that address,
// and the waveform keeps its form. burst waits for the answer to the last one.
func burst(ctx context.Context, r *run, in *injection) error {
	in.at = sys.Monotonic()
	err := r.flood(burstMessages, func(i int) ([]byte, error) {
		return osc.Encode("/engine/amp", 1-0.1*float32(i%100)/100)
	})
	if err != nil {
		return err
	}
	return r.answered(ctx, "/engine/amp", float32(1))
}

// malformed sends packets that are not OSC, of several kinds. malformed waits for the answer to a
// valid question.
func malformed(ctx context.Context, r *run, in *injection) error {
	in.at = sys.Monotonic()
	err := r.flood(malformedPackets, func(int) ([]byte, error) { return malformedPacket(r.dice), nil })
	if err != nil {
		return err
	}
	return r.answered(ctx, "/engine/status")
}

// flood sends n packets to the engine's OSC address. The answers are not read.
func (r *run) flood(n int, packet func(i int) ([]byte, error)) error {
	c, err := client.Dial(client.UDP, r.osc, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range n {
		b, err := packet(i)
		if err != nil {
			return err
		}
		if err := c.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// answered sends a message until it is answered: after a flood the kernel may drop it, or the
// engine may refuse it because its rings are full.
func (r *run) answered(ctx context.Context, address string, args ...any) error {
	deadline := time.Now().Add(redundantWait)
	for {
		err := ask(r.osc, address, args...)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// ask sends one message and waits for the reply. An answer /fail is an error.
func ask(to, address string, args ...any) error {
	c, err := client.Dial(client.UDP, to, askWait)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Send(address, args...); err != nil {
		return err
	}
	m, err := c.Receive(askWait)
	if err != nil {
		return err
	}
	if r := client.Refused(m); r != nil {
		return r
	}
	return nil
}

// malformedPacket draws a packet that an OSC reader must refuse.
func malformedPacket(dice *rand.Rand) []byte {
	good, _ := osc.Encode("/engine/amp", float32(1))
	junk := make([]byte, 4*(1+dice.IntN(64)))
	for i := range junk {
		junk[i] = byte(dice.Uint32())
	}
	junk[0] = byte(dice.IntN('#')) // neither an address nor a bundle
	switch dice.IntN(6) {
	case 0:
		return good[:len(good)-1-dice.IntN(len(good)-2)] // cut off
	case 1:
		return append(good[:12:12], ",z\x00\x00"...) // an unknown type
	case 2:
		// An element is longer than the packet.
		return append([]byte("#bundle\x00\x00\x00\x00\x00\x00\x00\x00\x01\x7f\xff\xff\xfc"), junk...)
	case 3:
		return append([]byte("#bundle\x00"), junk[:min(4, len(junk))]...) // the time is missing
	case 4:
		return append([]byte("/no/end"), 'x') // an address without its end
	}
	return junk
}
