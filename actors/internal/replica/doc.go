// Package replica runs the workers of an engine as replicas of one another: it starts them, feeds
// them commands, takes checkpoints, replaces workers that end, hang or diverge, and carries out
// patch changes. The sound goes on as long as one worker lives.
//
// A [Set] holds the state outside the actors, so that an actor which panics is restarted
// and finds everything running. A [Watcher] polls the processes and moves the Set on; the actors
// decide what is started and when.
//
// Rules of this package:
//   - Packages below return what should happen: commandlog, plans, fault. Only a Set does it.
//   - The lock of a Set guards its fields. Lock order: Set, then Output, then anything else.
//   - A Set calls its Observer and its Output with the lock held, except where the interface says
//     otherwise. They must not call the Set.
//
// docs/failover-protocol.md describes the protocol, package shm the words in shared memory.
package replica
