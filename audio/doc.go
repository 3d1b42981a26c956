// Package audio is what is heard: the [Player], which is the whole of the audio callback
// in pure Go, and the audio process around it ([Main]). A [Backend] (audio/null, audio/file,
// audio/jack, audio/portaudio) brings the device; package shm brings the blocks.
package audio
