// Package slots holds what the engine knows of one worker: its process and segments, how far it has
// come, and how it ended.
//
// The package has no lock: replica.Set guards its slots with its own. A Slot acts only on its own
// worker and that worker's segments; what happens to other workers is the Set's business.
package slots
