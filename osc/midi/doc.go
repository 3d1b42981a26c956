// Package midi turns the bytes of a MIDI input into OSC requests, and plays an engine with them:
// notes, controllers by a map that can be learned, pitch bend, pressure, the pedal, and the clock.
//
// The package is meant for a process of its own: a driver that fails, blocks or floods then
// disturbs nothing else. Bytes are parsed as MIDI 1.0; invalid bytes are skipped.
package midi
