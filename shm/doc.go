// Package shm holds the words of the failover protocol and nothing else: the
// segments that the engine, the workers and the audio process share, the rings in
// them, and who may write what. A role is a type ([Control], [Playback], [View], [AudioWriter],
// [CommandReader], ...) that has just its own verbs, so that the table below is a
// property of the program. Above it are dsp/worker, audio and actors, which meet here and
// nowhere else; below it is shm/sys.
//
//	segment   word              written by              read by
//	engine    active            engine, callback (CAS)  all
//	engine    clock, wake       callback (wake: engine) all
//	engine    lead              callback; before it is  workers, engine
//	                            first called, engine
//	engine    committed, asked  engine                  workers, callback
//	engine    counters, heard   callback                engine
//	journal   heads[slot]       that slot's worker      all
//	journal   status[slot]      that worker, engine     all
//	journal   decisions         workers (CAS)           all
//	slot      commands, start   engine                  that worker
//	slot      want (bell: both) engine                  that worker
//	slot      blocks, taken     that worker             callback, engine
//	slot      made, why         that worker             engine
//	snapshot  two states        that worker             engine
//	seed      one state         engine                  one joiner
//	kept      two states, patch engine                  the engine after it
//	plans     texts of patches  engine                  workers
//
// Every segment is a memfd: born zeroed, unable to shrink or grow, handed over by
// descriptor, and never used by a second generation of a process.
package shm
