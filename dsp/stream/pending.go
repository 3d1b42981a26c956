package stream

// Kind is what a command does.
type Kind uint16

// The kinds: set a parameter, open (Value > 0) or close a gate.
const (
	Set  Kind = 1
	Gate Kind = 2
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

// pending has the commands that wait for their frame, by frame, and in the order of arrival
// where that is the same.
type pending struct {
	list [pendingMax]Command
	n    int
}

// next is the frame of the first one.
func (p *pending) next() (frame uint64, ok bool) {
	if p.n == 0 {
		return 0, false
	}
	return p.list[0].Frame, true
}

// put adds a command behind those of its frame.
func (p *pending) put(c Command) {
	i := p.n
	for ; i > 0 && p.list[i-1].Frame > c.Frame; i-- {
		p.list[i] = p.list[i-1]
	}
	p.list[i] = c
	p.n++
}

// drop removes the first k.
func (p *pending) drop(k int) {
	copy(p.list[:p.n-k], p.list[k:p.n])
	p.n -= k
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
		s.apply(s.pending.list[0])
		s.pending.drop(1)
		s.ignored++
	}
	s.pending.put(c)
}

// applyDue carries out what is due at frame.
func (s *Stream) applyDue(frame uint64) {
	due := 0
	for due < s.pending.n && s.pending.list[due].Frame <= frame {
		s.apply(s.pending.list[due])
		due++
	}
	if due > 0 {
		s.pending.drop(due)
	}
}
