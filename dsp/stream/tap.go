package stream

import "github.com/music-chronus/chronus/dsp/patch"

// Tap reads a signal of a stream, for whoever wants to look at it. It changes nothing, and belongs to the goroutine that renders.
type Tap struct {
	of       *Stream
	channels []input
}

// Tap finds an output, as node or node.port.
func (s *Stream) Tap(name string) (*Tap, error) {
	src, err := s.plan.Output(name)
	if err != nil {
		return nil, err
	}
	t := &Tap{of: s, channels: make([]input, 1)}
	if s.plan.Nodes()[src.Node].Stereo(src.Port) {
		t.channels = make([]input, 2)
	}
	for c := range t.channels {
		t.channels[c] = input{from: s.append(nil, patch.Source{Node: src.Node, Port: src.Port}, -1, c), sum: make([]float32, s.plan.Block)}
	}
	return t, nil
}

// Of tells whether the tap is one of s.
func (t *Tap) Of(s *Stream) bool { return t.of == s }

// Read is the signal in the block that was rendered last, one or two channels of it; of voices the sum. It is good until the next Render.
func (t *Tap) Read() (channels [][]float32) {
	for c := range t.channels {
		channels = append(channels, t.channels[c].gather(0, t.of.plan.Block))
	}
	return channels
}
