package offline

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"

	"github.com/music-chronus/chronus/audio/file"
)

// SoundFile takes interleaved samples from -1 to 1. Close completes the file.
type SoundFile interface {
	Write(samples []float32) error
	Close() error
}

// Create creates a FLAC file of 24 bits if the name ends with .flac, else a WAV file of 32-bit
// floats.
func Create(path string, rate, channels int) (SoundFile, error) {
	if strings.ToLower(filepath.Ext(path)) == ".flac" {
		return newFLAC(path, rate, channels)
	}
	return file.Create(path, rate, channels)
}

// flacFile writes a FLAC file (RFC 9639).
type flacFile struct {
	f        *os.File
	enc      *flac.Encoder
	rate     int
	channels int
	rest     []float32 // less than one FLAC frame
}

const (
	flacFrames = 4096 // samples a channel in one FLAC frame
	flacBits   = 24
)

func newFLAC(path string, rate, channels int) (*flacFile, error) {
	if channels > 2 {
		return nil, fmt.Errorf("FLAC %s: %d channels: FLAC takes 1 or 2; try a name that ends with .wav", path, channels)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("FLAC: %w", err)
	}
	enc, err := flac.NewEncoder(f, &meta.StreamInfo{
		BlockSizeMin: flacFrames, BlockSizeMax: flacFrames,
		SampleRate: uint32(rate), NChannels: uint8(channels), BitsPerSample: flacBits,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("FLAC %s: %w", path, err), f.Close())
	}
	return &flacFile{f: f, enc: enc, rate: rate, channels: channels}, nil
}

// Write appends samples. Samples above full scale are clipped.
func (w *flacFile) Write(samples []float32) error {
	w.rest = append(w.rest, samples...)
	for len(w.rest) >= flacFrames*w.channels {
		if err := w.frame(w.rest[:flacFrames*w.channels]); err != nil {
			return err
		}
		w.rest = append(w.rest[:0], w.rest[flacFrames*w.channels:]...)
	}
	return nil
}

func (w *flacFile) frame(samples []float32) error {
	n := len(samples) / w.channels
	fr := &frame.Frame{Header: frame.Header{
		BlockSize: uint16(n), SampleRate: uint32(w.rate),
		Channels: frame.Channels(w.channels - 1), BitsPerSample: flacBits,
	}}
	for c := range w.channels {
		// The encoder finds a better prediction than this.
		header := frame.SubHeader{Pred: frame.PredVerbatim}
		sub := &frame.Subframe{SubHeader: header, Samples: make([]int32, n), NSamples: n}
		for i := range sub.Samples {
			x := float64(max(-1, min(1, samples[i*w.channels+c])))
			sub.Samples[i] = int32(math.Round(x * (1<<(flacBits-1) - 1)))
		}
		fr.Subframes = append(fr.Subframes, sub)
	}
	if err := w.enc.WriteFrame(fr); err != nil {
		return fmt.Errorf("FLAC %s: %w", w.f.Name(), err)
	}
	return nil
}

// Close writes the rest and completes the header.
func (w *flacFile) Close() error {
	var err error
	if len(w.rest) > 0 {
		err = w.frame(w.rest)
		w.rest = nil
	}
	return errors.Join(err, w.enc.Close()) // which closes the file, too
}
