// Package sample decodes a sound file, WAV or FLAC, into a [dsp.Sample]. The result depends on the
// bytes only; package samples finds and stores files.
package sample

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/music-chronus/chronus/dsp"
)

// The sample rates of files, in Hz.
const (
	minRate = 1000
	maxRate = 768000
)

// loudest is the largest magnitude in a file of floats, 40 dB above full scale.
const loudest = 100

// ErrTooLong reports audio that takes more memory than the caller permits.
var ErrTooLong = errors.New("too long")

// Decode reads a WAV file (integers of 8, 16, 24 or 32 bits, floats of 32 or 64 bits) or a FLAC
// file, with one or two channels. most bounds the memory of the sample in bytes, at 4 bytes a
// value. A longer file gives ErrTooLong.
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
	return nil, fmt.Errorf("neither a WAV nor a FLAC file: begins with %q; convert it to one of these", magic)
}

// collector gathers the values of a file.
type collector struct {
	rate     int
	channels [][]float32
	most     int // values of a channel
	bytes    int // of all channels
}

func newCollector(rate, channels, most int) (*collector, error) {
	switch {
	case channels < 1 || channels > 2:
		return nil, fmt.Errorf("%d channels; must be 1 or 2", channels)
	case rate < minRate || rate > maxRate:
		return nil, fmt.Errorf("sample rate of %d Hz; must be %d to %d Hz", rate, minRate, maxRate)
	}
	return &collector{rate, make([][]float32, channels), most / 4 / channels, most}, nil
}

// check rejects a length in frames that needs too much memory.
func (c *collector) check(frames uint64) error {
	if frames > uint64(c.most) {
		return fmt.Errorf("%w: %d frames of %d channels, at 4 bytes a value; the maximum is %d MB", ErrTooLong,
			frames, len(c.channels), c.bytes>>20)
	}
	return nil
}

// add appends a value to a channel.
func (c *collector) add(channel int, v float64) error {
	if !(v <= loudest && v >= -loudest) {
		return fmt.Errorf("frame %d: value %g; must be -%d to %d", len(c.channels[channel]), v, loudest, loudest)
	}
	if len(c.channels[channel]) >= c.most {
		return c.check(math.MaxUint32)
	}
	c.channels[channel] = append(c.channels[channel], float32(v))
	return nil
}

// sample returns the gathered values in slices of their exact size.
func (c *collector) sample() (*dsp.Sample, error) {
	if len(c.channels[0]) == 0 {
		return nil, errors.New("no audio: the file has 0 frames")
	}
	for i, x := range c.channels {
		c.channels[i] = append(make([]float32, 0, len(x)), x...)
	}
	return dsp.NewSample(float64(c.rate), c.channels...), nil
}
