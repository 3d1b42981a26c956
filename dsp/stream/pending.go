package stream

import "math"

// pendingMax is how many commands can wait for their frame. One more command makes the stream apply
// the first one early and count it as ignored, equally in every stream.
const pendingMax = 4096

// pending holds the commands that wait for their frame, in a binary heap: even when it is full,
// many commands in one block cost a few swaps each. Two commands for one frame follow their Seq.
type pending struct {
	list [pendingMax]Command // in [0, n): none is due before its parent, (i-1)/2
	n    int
}

// before tells whether command i is due before command k.
func (p *pending) before(i, k int) bool {
	a, b := &p.list[i], &p.list[k]
	return a.Frame < b.Frame || a.Frame == b.Frame && a.Seq < b.Seq
}

// next returns the frame of the first command.
func (p *pending) next() (frame uint64, ok bool) {
	if p.n == 0 {
		return 0, false
	}
	return p.list[0].Frame, true
}

// put adds a command. The queue must not be full.
func (p *pending) put(c Command) {
	i := p.n
	p.list[i] = c
	p.n++
	for i > 0 && p.before(i, (i-1)/2) {
		p.list[i], p.list[(i-1)/2] = p.list[(i-1)/2], p.list[i]
		i = (i - 1) / 2
	}
}

// take removes the first command. The queue must not be empty.
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

// translate renumbers the commands for another plan, and drops those whose node has no successor.
func (p *pending) translate(successors []int) (dropped int) {
	n := p.n
	p.n = 0
	for _, c := range p.list[:n] { // put never writes beyond the commands already read
		k := successors[c.Node]
		if k < 0 || k > math.MaxUint16 {
			dropped++
			continue
		}
		c.Node = uint16(k)
		p.put(c)
	}
	return dropped
}
