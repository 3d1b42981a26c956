// Package actors is the engine process, and what other programs embed to have an engine: the
// actors that supervise workers and audio, serve OSC, and report events.
//
//	chronus (engineActor)  requests and subscribers of the program; it never fails
//	  `- tree (supervisor) one-for-one
//	  |- monitor           status; events to the log and the event stream
//	  |- conductor         enters commands, in the order of its mailbox
//	  |- editor            carries out changes of the patch by OSC
//	  |- audio             keeps the audio process running
//	  |- worker-0, -1, ... keeps a worker in the slot
//	  `- ingress           the OSC socket
//
// Every child is permanent: restarted for ever, at once after a single failure, then with a delay
// that doubles from 5 ms to 2 s while failures recur within 10 s. No actor holds a process. The
// processes, the segments and the OSC socket lie outside the actors, so that an actor that panics
// finds everything still running. The actors do not flip at a death either: the audio process does,
// or the watcher, which also reaps ended processes and informs the actors.
package actors
