// Package scope shows a signal of the music. The package renders a tape once more and reads the
// signal there, so it never touches a worker.
package scope

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/music-chronus/chronus/actors/tape"
	"github.com/music-chronus/chronus/cmd/chronus/internal/offline"
	"github.com/music-chronus/chronus/dsp/stream"
)

// Heard is the name of the output, which no node can have.
const Heard = "out"

// Options say what Follow measures.
type Options struct {
	Signal string  // NODE or NODE.PORT; Heard: the output
	Every  float64 // seconds that each line measures
	For    float64 // seconds in all; 0: until the tape ends
	Out    string  // a sound file that gets the signal; "": none
}

// Line is a measured stretch of a signal.
type Line struct {
	At       float64 `json:"seconds"` // the stretch's end, since the engine began
	Channels []Level `json:"channels"`
}

// Level measures a channel. All values are linear.
type Level struct {
	Peak float64 `json:"peak"`
	RMS  float64 `json:"rms"`
	Mean float64 `json:"mean"`
}

// Follow measures a signal of what a tape plays, and calls show with each line and the signal that
// the line measures, by channels.
func Follow(t *tape.Reader, o Options, show func(Line, [][]float32) error) (err error) {
	rate, block := t.Header().Rate, t.Header().Block
	every := max(1, int(o.Every*float64(rate)))
	var piece [][]float32
	p := probe{tape: t, signal: o.Signal}
	out := copyFile{path: o.Out, rate: rate}
	defer func() { err = errors.Join(err, out.close()) }()
	for frames := 0; o.For == 0 || float64(frames) < o.For*float64(rate); frames += block {
		n, now, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = out.add(now)
		}
		if err != nil {
			return err
		}
		if len(piece) != len(now) {
			piece = make([][]float32, len(now))
		}
		for k := range now {
			piece[k] = append(piece[k], now[k]...)
		}
		if len(piece[0]) >= every {
			line := Line{At: float64((n+1)*uint64(block)) / float64(rate), Channels: levels(piece)}
			if err := show(line, piece); err != nil {
				return err
			}
			piece = nil
		}
	}
	return nil
}

// probe reads a signal block by block.
type probe struct {
	tape   *tape.Reader
	signal string
	tap    *stream.Tap
}

// next returns the signal in the next block. The signal is good until the next call.
func (p *probe) next() (n uint64, channels [][]float32, err error) {
	block, err := p.tape.Next()
	if err != nil || p.signal == Heard {
		return block.N, deinterleave(block.Samples, p.tape.Header().Channels), err
	}
	if str := p.tape.Stream(); p.tap == nil || !p.tap.Of(str) { // another patch may have come
		if p.tap, err = str.Tap(p.signal); err != nil {
			return block.N, nil, err
		}
	}
	return block.N, p.tap.Read(), nil
}

// copyFile is the file that gets the signal, if any. The file has as many channels as the first
// block.
type copyFile struct {
	path     string
	rate     int
	file     offline.SoundFile
	channels int
}

func (f *copyFile) add(channels [][]float32) (err error) {
	if f.path == "" {
		return nil
	}
	if f.file == nil {
		f.channels = len(channels)
		if f.file, err = offline.Create(f.path, f.rate, f.channels); err != nil {
			return err
		}
	}
	if f.channels != len(channels) {
		return fmt.Errorf("%s: the file has %d channels, and with another patch the signal has %d: start again",
			f.path, f.channels, len(channels))
	}
	return f.file.Write(interleave(channels))
}

func (f *copyFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

func levels(channels [][]float32) (list []Level) {
	for _, x := range channels {
		var l Level
		for _, v := range x {
			l.Peak = max(l.Peak, math.Abs(float64(v)))
			l.RMS += float64(v) * float64(v)
			l.Mean += float64(v)
		}
		l.RMS, l.Mean = math.Sqrt(l.RMS/float64(len(x))), l.Mean/float64(len(x))
		list = append(list, l)
	}
	return list
}

func deinterleave(samples []float32, channels int) [][]float32 {
	list := make([][]float32, channels)
	for i, v := range samples {
		list[i%channels] = append(list[i%channels], v)
	}
	return list
}

func interleave(channels [][]float32) (samples []float32) {
	for i := range channels[0] {
		for _, x := range channels {
			samples = append(samples, x[i])
		}
	}
	return samples
}
