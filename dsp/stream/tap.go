package stream

import "github.com/music-chronus/chronus/dsp/patch"

// Tap reads a signal of a stream without changing it. The goroutine that renders uses it.
type Tap struct {
	stream   *Stream
	channels []input
}

// Tap makes a tap on an output, named node or node.port.
func (s *Stream) Tap(name string) (*Tap, error) {
	src, err := s.plan.Output(name)
	if err != nil {
		return nil, err
	}
	t := &Tap{stream: s, channels: make([]input, 1)}
	if s.plan.Nodes()[src.Node].Stereo(src.Port) {
		t.channels = make([]input, 2)
	}
	for c := range t.channels {
		from := s.appendSource(nil, patch.Source{Node: src.Node, Port: src.Port}, -1, c)
		t.channels[c] = input{from: from, sum: make([]float32, s.plan.Block)}
	}
	return t, nil
}

// Of tells whether the tap reads a signal of s.
func (t *Tap) Of(s *Stream) bool { return t.stream == s }

// Read returns the signal in the last rendered block: one channel, or two if it is stereo. The
// signals of voices are summed. The slices are valid until the next Render.
func (t *Tap) Read() (channels [][]float32) {
	for c := range t.channels {
		channels = append(channels, t.channels[c].gather(0, t.stream.plan.Block))
	}
	return channels
}
