package osc

import (
	"bytes"
	"math/bits"
	"slices"
)

// PatternSteps bounds the cost of the patterns in one packet. A step matches one token of a pattern
// with one name of the tree, and takes about 10 ns. The pattern /mod/*/cutoff takes about 1,000
// steps in a patch of 100 nodes. All steps together take some milliseconds.
const PatternSteps = 100_000

// Patterns expands address patterns of OSC 1.0, and // of OSC 1.1. In one part of an address, *
// matches any characters, ? one character, [a-z] one of a set, [!a-z] one not of a set, and
// {on,off} one of these strings. // matches any number of parts. Patterns reuses its memory, so one
// goroutine uses it. The zero value has no steps; Reset provides them.
type Patterns struct {
	steps int
	found []int
	parts [MaxAddress/2 + 1]part
}

// part is the part of a pattern between two slashes.
type part struct {
	text []byte
	any  bool // // stands before it: it matches at any depth
	wild bool // it has wildcards
}

var (
	errPatternDear    = Refuse(CodeBadPattern, "pattern too expensive: above %d steps a packet; narrow it", PatternSteps)
	errPatternNothing = Refuse(CodeBadPattern, "pattern matches no address that takes a value")
	errPatternEnd     = Refuse(CodeBadPattern, "pattern must not end with / nor contain ///")
	errPatternOpen    = Refuse(CodeBadPattern, "pattern has an empty or unclosed [ ] or { }")
	errPatternNested  = Refuse(CodeBadPattern, "pattern has [ * ? or { inside { }, or an unopened ] or }")
)

// IsPattern reports whether an address is a pattern.
func IsPattern[T string | []byte](address T) bool {
	for i := range len(address) {
		switch address[i] {
		case '*', '?', '[', ']', '{', '}':
			return true
		case '/':
			if i > 0 && address[i-1] == '/' {
				return true
			}
		}
	}
	return false
}

// Reset provides the steps of a new packet.
func (p *Patterns) Reset() { p.steps = PatternSteps }

// Match returns the entries that a pattern matches, in the order of the space. The slice is valid
// until the next call. A Query, a Words and an entry that requires the token never match: one small
// message must not cause many large answers.
func (p *Patterns) Match(s *Space, pattern []byte) ([]int, error) {
	if !sendable(pattern) {
		return nil, Refuse(CodeBadPattern, "%v", checkAddress(string(pattern)))
	}
	if p.steps < 0 {
		return nil, errPatternDear
	}
	n, err := p.split(pattern)
	if err != nil {
		return nil, err
	}
	p.found = p.found[:0]
	if !p.descend(s, &s.root, p.parts[:n]) {
		return nil, errPatternDear
	}
	if len(p.found) == 0 {
		return nil, errPatternNothing
	}
	slices.Sort(p.found)
	return slices.Compact(p.found), nil // // may reach an entry twice
}

// split cuts a pattern into parts, and checks each.
func (p *Patterns) split(pattern []byte) (n int, err error) {
	for len(pattern) > 0 {
		part := part{any: len(pattern) > 1 && pattern[1] == '/'}
		pattern = pattern[1:]
		if part.any {
			pattern = pattern[1:]
		}
		end := bytes.IndexByte(pattern, '/')
		if end < 0 {
			end = len(pattern)
		}
		if part.text, pattern = pattern[:end], pattern[end:]; len(part.text) == 0 {
			return 0, errPatternEnd
		}
		if part.wild, err = checkPart(part.text); err != nil {
			return 0, err
		}
		p.parts[n] = part
		n++
	}
	return n, nil
}

// checkPart checks a part of a pattern. wild is true if the part has wildcards.
func checkPart(text []byte) (wild bool, err error) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '*', '?':
			wild = true
		case '[', '{':
			wild = true
			closing := byte(']')
			if text[i] == '{' {
				closing = '}'
			}
			length := bytes.IndexByte(text[i:], closing)
			if length < 0 || length == 1 || length == 2 && text[i] == '[' && text[i+1] == '!' {
				return false, errPatternOpen
			}
			if closing == '}' && bytes.ContainsAny(text[i+1:i+length], "[]{*?") {
				return false, errPatternNested
			}
			i += length
		case ']', '}':
			return false, errPatternNested
		}
	}
	return wild, nil
}

// descend collects the entries below a branch that parts match. It returns false if the steps are
// used up.
func (p *Patterns) descend(s *Space, at *branch, parts []part) (within bool) {
	if len(parts) == 0 {
		if at.entry >= 0 && s.entries[at.entry].byPattern() {
			p.found = append(p.found, at.entry)
		}
		return true
	}
	first := &parts[0]
	if !first.wild && !first.any {
		p.steps--
		next := at.names[string(first.text)]
		return p.steps >= 0 && (next == nil || p.descend(s, next, parts[1:]))
	}
	for _, next := range at.list {
		matched := p.part(first, next.name)
		if p.steps < 0 || matched && !p.descend(s, next, parts[1:]) {
			return false
		}
		if first.any && !p.descend(s, next, parts) {
			return false
		}
	}
	return true
}

var comma = []byte(",")

// set holds positions in a name, 0 to MaxAddress, that a prefix of a pattern may reach.
type set [4]uint64

func (s *set) has(i int) bool { return s[i>>6]>>(i&63)&1 != 0 }
func (s *set) add(i int)      { s[i>>6] |= 1 << (i & 63) }

// least returns the lowest position. ok is false if the set is empty.
func (s *set) least() (i int, ok bool) {
	for w, word := range s {
		if word != 0 {
			return w<<6 + bits.TrailingZeros64(word), true
		}
	}
	return 0, false
}

// part reports whether a part of a pattern matches a name. It advances all reachable positions
// together, so no pattern makes it backtrack: the cost is tokens times characters.
func (p *Patterns) part(want *part, name string) bool {
	if !want.wild {
		p.steps--
		return string(want.text) == name
	}
	var at set
	at.add(0)
	for text := want.text; len(text) > 0; {
		p.steps -= 1 + len(name)/8
		from, ok := at.least()
		if !ok || p.steps < 0 {
			return false
		}
		var next set
		switch text[0] {
		case '*':
			for i := from; i <= len(name); i++ {
				next.add(i)
			}
			text = text[1:]
		case '{':
			end := bytes.IndexByte(text, '}')
			p.steps -= end // one for each alternative, at most
			for rest := text[1:end]; ; {
				one, more, again := bytes.Cut(rest, comma)
				for i := from; i+len(one) <= len(name); i++ {
					if at.has(i) && name[i:i+len(one)] == string(one) {
						next.add(i + len(one))
					}
				}
				if rest = more; !again {
					break
				}
			}
			text = text[end+1:]
		default:
			size := 1
			if text[0] == '[' {
				size = bytes.IndexByte(text, ']') + 1
			}
			for i := from; i < len(name); i++ {
				if at.has(i) && oneOf(text[:size], name[i]) {
					next.add(i + 1)
				}
			}
			text = text[size:]
		}
		at = next
	}
	return at.has(len(name))
}

// oneOf reports whether a token for one character matches c. The token is a character, ? or [a-z].
func oneOf(token []byte, c byte) bool {
	switch {
	case len(token) == 1:
		return token[0] == c || token[0] == '?'
	}
	class := token[1 : len(token)-1]
	negated := class[0] == '!'
	if negated {
		class = class[1:]
	}
	for i := 0; i < len(class); i++ {
		if i+2 < len(class) && class[i+1] == '-' {
			if lo, hi := min(class[i], class[i+2]), max(class[i], class[i+2]); c >= lo && c <= hi {
				return !negated
			}
			i += 2
			continue
		}
		if class[i] == c {
			return !negated
		}
	}
	return negated
}
