// Package shm defines the shared memory of the failover protocol: the segments that the engine, the
// workers and the audio process share, the rings in them, and which process may write which word. A
// role is a type ([Control], [Playback], [View], [AudioWriter], [CommandReader], ...) that has only
// the operations of that role, so the compiler enforces the table below. Packages dsp/worker, audio
// and actors meet in shm and never import one another. Messages over sockets are in shm/wire,
// system calls in shm/sys.
//
// This package is for Chronus itself and makes no compatibility promise.
//
//	segment        word                      written by              read by
//	engine         active                    engine, callback (CAS)  all
//	engine         clock, wake               callback (wake: engine) all
//	engine         lead                      callback; before its    workers, engine
//	                                         first call the engine
//	engine         committed, requestedLead  engine                  workers, callback
//	engine         counters, heard           callback                engine
//	journal        heads[slot]               that slot's worker      all
//	journal        status[slot]              that worker, engine     all
//	journal        decisions                 workers (CAS)           all
//	slot           commands, start           engine                  that worker
//	slot           requestedPlan, planWake   engine (planWake: both) that worker
//	slot           blocks, consumed          that worker             callback, engine
//	slot           reportedPlan, planError   that worker             engine
//	snapshot       two states                that worker             engine
//	initial-state  one state                 engine                  one joiner
//	checkpoint     two states and patches    engine                  the next engine
//	plans          texts of patches          engine                  workers
//
// Every segment is a sealed memory file. It begins zeroed and cannot shrink or grow. Processes hand
// it over by descriptor, and no later generation of a process uses it.
package shm
