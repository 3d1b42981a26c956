// Package actors is the engine process, and what other programs embed to have an engine: the
// actors that supervise workers and audio, take OSC in, and tell what happens.
//
//	chronus (engineActor)  what other actors know of the engine: requests, subscribers; it never fails
//	  `- tree (supervisor) one-for-one
//	  |- monitor           status; events to the log and the event stream
//	  |- conductor         numbers commands, broadcasts them to all workers
//	  |- audio             sees to it that the audio process runs
//	  |- worker-0, -1, ... sees to it that the slot has a worker
//	  `- ingress           the OSC socket
//
// Every child is permanent: restarted for ever, at once after a single failure, then with a delay
// that doubles from 5 ms to 2 s while failures go on within 10 s. None of them holds a process: those, the
// segments and the socket lie in the [rig] and the desk, outside the actors, so that an actor that panics
// finds everything still running. What has to happen at once, the flip at a death, is not theirs either: the
// audio process does it, or the watcher, which also buries the dead and tells the actors.
package actors
