// Package audio plays the sound. [Player] is the whole audio callback, in pure Go. [Main] is the
// audio process around it. A [Backend] (audio/null, audio/file, audio/pipe, audio/jack,
// audio/portaudio) opens the device. Package shm has the blocks.
package audio
