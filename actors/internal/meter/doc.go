// Package meter measures what the engine process can see of the sound from outside: its level, the
// load of the workers, and which notes are held. A Meter observes commands and rings; the render
// path does not know of it.
package meter
