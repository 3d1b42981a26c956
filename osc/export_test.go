package osc

// Sendable is sendable. The names in this file are internals that tests look at.
func Sendable(address []byte) bool { return sendable(address) }

// MaxLine is maxLine.
const MaxLine = maxLine

// BundleHead is bundleHead.
var BundleHead = bundleHead

// ErrPatternNothing is errPatternNothing.
var ErrPatternNothing = errPatternNothing

// Kinds is kinds.
func Kinds() []string { return kinds() }

// Steps is the number of steps left.
func (p *Patterns) Steps() int { return p.steps }

// NTPEpoch is ntpEpoch.
const NTPEpoch = ntpEpoch
