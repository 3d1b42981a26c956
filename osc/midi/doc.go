// Package midi turns the bytes of a MIDI input into OSC requests and plays an engine with them: notes, controllers by a map
// that can be learnt, pitch bend, pressure, the pedal, and the clock. It is meant for a process of its own: a driver that
// fails, blocks or floods ends or slows that process and nothing else. Bytes are read as the MIDI 1.0 specification says, and whatever is
// not MIDI is passed over.
package midi
