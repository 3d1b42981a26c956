package sample

import (
	"errors"
	"fmt"
	"io"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"

	"github.com/music-chronus/chronus/dsp"
)

// flacBits is the most bits of a value. With more, the sum and the difference of two channels
// overflow the library's integers.
const flacBits = 24

func decodeFLAC(r io.Reader, most int) (s *dsp.Sample, err error) {
	defer func() {
		if x := recover(); x != nil { // the library panics on some damaged files
			s, err = nil, fmt.Errorf("damaged FLAC file: %v", x)
		}
	}()
	stream, err := flac.New(r)
	if err != nil {
		return nil, fmt.Errorf("damaged FLAC file: %w", err)
	}
	info := stream.Info
	if info.BitsPerSample < 4 || info.BitsPerSample > flacBits {
		return nil, fmt.Errorf("%d bits a value; must be 4 to %d", info.BitsPerSample, flacBits)
	}
	c, err := newCollector(int(info.SampleRate), int(info.NChannels), most)
	if err != nil {
		return nil, err
	}
	if err := c.check(info.NSamples); err != nil {
		return nil, err
	}
	scale := 1 / float64(uint64(1)<<(info.BitsPerSample-1))
	for {
		f, err := stream.ParseNext()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("damaged FLAC file, after %d frames: %w", len(c.channels[0]), err)
		}
		if err := c.addFLAC(f, info.BitsPerSample, scale); err != nil {
			return nil, err
		}
	}
	if n := uint64(len(c.channels[0])); info.NSamples > 0 && n != info.NSamples {
		return nil, fmt.Errorf("cut off: %d of %d frames are there", n, info.NSamples)
	}
	return c.sample()
}

// addFLAC appends a frame in FLAC's sense, which is a block of frames here.
func (c *collector) addFLAC(f *frame.Frame, bits uint8, scale float64) error {
	if len(f.Subframes) != len(c.channels) || f.BitsPerSample != bits {
		return fmt.Errorf("damaged FLAC file: begins with %d channels of %d bits, continues with %d of %d",
			len(c.channels), bits, len(f.Subframes), f.BitsPerSample)
	}
	for channel, sub := range f.Subframes {
		for _, v := range sub.Samples[:f.BlockSize] {
			if err := c.add(channel, float64(float64(v)*scale)); err != nil {
				return err
			}
		}
	}
	return nil
}
