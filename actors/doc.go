// Package actors runs an engine: a synthesizer whose sound survives the loss of its parts. The
// engine's actors supervise worker processes, which all render the same blocks, and an audio
// process, which plays them. Another worker takes over from a lost one without a lost frame.
//
// The smallest program embeds an engine, plays a tone and stops:
//
//	func main() {
//		actors.RunChild(worker.Main, audio.Main(null.Backend{})) // first: see RunChild
//		ctx, host := context.Background(), actors.Host{System: actor.NewActorSystem()}
//		engine, err := actors.Embed(ctx, host, actors.Config{Backend: "null"})
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer engine.Stop()
//		_ = engine.Handle().Gate(ctx, "adsr1", 1) // the default patch's envelope
//		time.Sleep(time.Second)
//	}
//
// [Embed] starts an engine among the program's actors, [Start] one in an actor system of its own.
// [Config] describes the engine, its patch and its device.
//
// # Requests and events
//
// A program sends requests to [Engine.PID], or calls the methods of [Engine.Handle]:
//
//	play      NoteOn, NoteOff, SetParam, SetGate, Send, Transport, Mute
//	change    NewPatch, Flip
//	record    BeginTape, EndTape
//	observe   GetStatus, Subscribe, Unsubscribe
//
// The answer is [Done], PatchDone, TapeDone or Status, or a [Refused]. Events, such as the end of a
// worker, come as [EngineEvent] to subscribers and on the system's event stream.
//
// # Related packages
//
// Package report defines [Status] and [Event]; tape reads tapes; space resolves OSC addresses;
// control is the engine's socket for local tools; remote watches and plays engines on other
// machines, fleet several of them.
//
// # Actors
//
//	chronus                requests and subscribers of the program
//	`- tree                supervisor, one-for-one
//	   |- monitor          status; events to the log and the event stream
//	   |- conductor        enters commands, in the order of its mailbox
//	   |- editor           carries out changes of the patch by OSC
//	   |- audio            keeps the audio process running
//	   |- worker-0, -1 ... keeps a worker in the slot
//	   `- ingress          serves the OSC socket
//
// A failed actor restarts at once, and later with a delay that doubles from 5 ms to 2 s while
// failures recur within 10 s. Processes, shared memory and sockets lie outside the actors, and
// outlive them. No actor is needed to flip to another worker: the audio process does, or
// else the watcher.
package actors
