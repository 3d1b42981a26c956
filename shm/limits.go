//go:build !sim

package shm

// Laps is how many blocks the journal and the log of heard hashes reach back.
const Laps = 65536

// CommandEntries is how many commands a ring holds: a burst of 100,000 a second for 160 ms.
const CommandEntries = 16384
