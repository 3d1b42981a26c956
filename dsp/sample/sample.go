// Package sample turns the bytes of a sound file, WAV or FLAC, into a dsp.Sample. It is a function of the bytes: who reads
// them from where is not its business.
package sample

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// The rates that a file may have, in Hz.
const (
	minRate = 1000
	maxRate = 768000
)

// loudest is the magnitude of a sample above which a file of floats holds no sound: 40 dB above full scale.
const loudest = 100

// ErrTooLong: the sound takes more memory than it may.
var ErrTooLong = errors.New("it is too long")

// Decode reads a WAV file (integers of 8, 16, 24 or 32 bits, floats of 32 or 64) or a FLAC file, of one or two channels. most is how many bytes its
// samples may take, at 4 each; ErrTooLong is for more.
func Decode(r io.Reader, most int) (*dsp.Sample, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch string(magic) {
	case "RIFF":
		return decodeWAV(in, most)
	case "fLaC":
		return decodeFLAC(in, most)
	}
	return nil, fmt.Errorf("it is neither a WAV file nor a FLAC file: it begins with %q", magic)
}

// collector gathers the samples of a file.
type collector struct {
	rate     int
	channels [][]float32
	most     int // samples of a channel
	bytes    int // that all may take
}

func newCollector(rate, channels, most int) (*collector, error) {
	switch {
	case channels < 1 || channels > 2:
		return nil, fmt.Errorf("it has %d channels; it must have one or two", channels)
	case rate < minRate || rate > maxRate:
		return nil, fmt.Errorf("its rate is %d Hz; it must be %d to %d", rate, minRate, maxRate)
	}
	return &collector{rate, make([][]float32, channels), most / 4 / channels, most}, nil
}

// check refuses a length in frames.
func (c *collector) check(frames uint64) error {
	if frames > uint64(c.most) {
		return fmt.Errorf("%w: %d frames of %d channels at 4 bytes a sample; there is room for %d MB", ErrTooLong, frames, len(c.channels), c.bytes>>20)
	}
	return nil
}

// add appends a sample to a channel.
func (c *collector) add(channel int, v float64) error {
	if !(v <= loudest && v >= -loudest) {
		return fmt.Errorf("frame %d is %g; what is not from -%d to %d is no sound", len(c.channels[channel]), v, loudest, loudest)
	}
	if len(c.channels[channel]) >= c.most {
		return c.check(math.MaxUint32)
	}
	c.channels[channel] = append(c.channels[channel], float32(v))
	return nil
}

// sample is what was gathered, without room for more.
func (c *collector) sample() (*dsp.Sample, error) {
	if len(c.channels[0]) == 0 {
		return nil, errors.New("it holds no sound")
	}
	for i, x := range c.channels {
		c.channels[i] = append(make([]float32, 0, len(x)), x...)
	}
	return dsp.NewSample(float64(c.rate), c.channels...), nil
}
