// Package commandlog keeps the commands since the last checkpoint. Commands are numbered without
// gaps. A worker that joins needs them, and all workers need them after they have crashed together.
//
// The package has no lock, starts nothing and writes no shared memory: replica.Set guards a Log
// with its own lock and acts on what the Log returns.
package commandlog
