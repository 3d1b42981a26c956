package stream

import (
	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/dsp/stream/internal/limiter"
	"github.com/music-chronus/chronus/dsp/stream/internal/voicing"
)

// For tests: a full queue and the size of a saved command.
const (
	PendingMax   = pendingMax
	CommandBytes = commandBytes
)

// Plan returns the stream's plan.
func (s *Stream) Plan() *patch.Plan { return s.plan }

// Waiting returns the number of commands that wait for their frame.
func (s *Stream) Waiting() int { return s.pending.n }

// TakeWaiting removes the command that is due first.
func (s *Stream) TakeWaiting() Command { return s.pending.take() }

// SetSeq sets the number of the last command.
func (s *Stream) SetSeq(seq uint64) { s.seq = seq }

// SetFaults sets the number of faults and the node of the last one.
func (s *Stream) SetFaults(count uint64, node uint16) { s.faults, s.faulty = count, node }

// SetLimiter replaces the limiter.
func (s *Stream) SetLimiter(l limiter.Limiter) { s.limiter = l }

// Sequencer returns the stream's sequencer; nil if the patch has no tracks.
func (s *Stream) Sequencer() *sequencer.Sequencer { return s.music.seq }

// Group returns a voice group.
func (s *Stream) Group(g int) *voicing.Group { return &s.voices[g] }

// Module returns the first module of a node.
func (s *Stream) Module(node int) dsp.Module { return s.nodes[node].units[0].Module }

// SetModule replaces the first module of a node.
func (s *Stream) SetModule(node int, m dsp.Module) { s.nodes[node].units[0].Module = m }

// Mute mutes the first module of a node, as a fault in the last block does.
func (s *Stream) Mute(node int) { s.nodes[node].units[0].mute = true }

// Bypassed tells whether a node is bypassed.
func (s *Stream) Bypassed(node int) bool { return s.nodes[node].bypass }

// Output returns the present block of each output of unit u of a node.
func (s *Stream) Output(node, u int) [][]float32 { return s.nodes[node].units[u].out }

// HeldSignals returns the number of signals that stand still in the present transition.
func (s *Stream) HeldSignals() int { return len(s.transition.heldSignals) }
