package space

// MaxAhead bounds the commands that wait for their frame.
const MaxAhead = maxAhead

// Ahead returns how many commands wait for their frame.
func (v *Values) Ahead() int { return len(v.ahead) }

// Versions returns how many plans a View can go back to, itself included.
func (v *View) Versions() (n int) {
	for ; v != nil; v = v.previous {
		n++
	}
	return n
}
