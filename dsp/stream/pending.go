package stream

// Kind is what a command does.
type Kind uint16

// The kinds: set a parameter; open (Value > 0) or close a gate; leave a node out (Value > 0) or let it in again; begin the note Param with
// velocity Value, or end it (0), or all where Param is 128; set the pressure on it. Notes are for the note node. For the sequencer's: how many steps a pattern has (Param>>6 is the pattern); what the step
// Param&63 of a pattern does, its note, gate (0.05 to 1) and chance (0 to 1); move the tempo to Value in Param tenths of a second.
const (
	Set        Kind = 1
	Gate       Kind = 2
	Bypass     Kind = 3
	Note       Kind = 4
	Pressure   Kind = 5
	Steps      Kind = 6
	Trig       Kind = 7
	StepNote   Kind = 8
	StepGate   Kind = 9
	StepChance Kind = 10
	Ramp       Kind = 11
)

// Command is one change of one node.
type Command struct {
	Seq   uint64
	Frame uint64 // absolute, of the stream; past or 0: the first frame of the block that it enters
	Kind  Kind
	Node  uint16 // index in the plan
	Param uint16
	Value float64
}

// pendingMax is how many commands can wait for their frame. One more makes the first of them be
// applied early, in every stream alike, and counted as ignored.
const pendingMax = 4096

// pending has the commands that wait for their frame: a binary heap with the first that is due on
// top, so that a full one costs a block of many commands no more than a few swaps each. Of two for
// one frame the first to arrive, which has the lower Seq, comes first.
type pending struct {
	list [pendingMax]Command // in [0, n): none is due before its parent, (i-1)/2
	n    int
}

// before tells whether the i-th is due before the k-th.
func (p *pending) before(i, k int) bool {
	a, b := &p.list[i], &p.list[k]
	return a.Frame < b.Frame || a.Frame == b.Frame && a.Seq < b.Seq
}

// next is the frame of the first one.
func (p *pending) next() (frame uint64, ok bool) {
	if p.n == 0 {
		return 0, false
	}
	return p.list[0].Frame, true
}

// put adds a command; there must be room.
func (p *pending) put(c Command) {
	i := p.n
	p.list[i] = c
	p.n++
	for i > 0 && p.before(i, (i-1)/2) {
		p.list[i], p.list[(i-1)/2] = p.list[(i-1)/2], p.list[i]
		i = (i - 1) / 2
	}
}

// take removes the first one; there must be one.
func (p *pending) take() Command {
	first := p.list[0]
	p.n--
	p.list[0] = p.list[p.n]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < p.n; child++ {
			if p.before(child, least) {
				least = child
			}
		}
		if least == i {
			return first
		}
		p.list[i], p.list[least] = p.list[least], p.list[i]
		i = least
	}
}

// Drop takes a command that is for another plan: it is ignored, and counted.
func (s *Stream) Drop(seq uint64) {
	s.seq = max(s.seq, seq)
	s.ignored++
}

// Push takes a command, which enters the next block. Commands come in the order of their Seq;
// one that is not above the last is ignored.
func (s *Stream) Push(c Command) {
	if c.Seq <= s.seq {
		s.ignored++
		return
	}
	s.seq = c.Seq
	c.Frame = max(c.Frame, s.block*uint64(s.plan.Block))
	if s.pending.n == pendingMax {
		s.apply(s.pending.take())
		s.ignored++
	}
	s.pending.put(c)
}

// applyDue carries out what is due at frame.
func (s *Stream) applyDue(frame uint64) {
	for next, ok := s.pending.next(); ok && next <= frame; next, ok = s.pending.next() {
		s.apply(s.pending.take())
	}
}
