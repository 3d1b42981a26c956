// Package report holds the values by which an engine describes itself: the Status at one moment,
// the Events that happened, and the table of counters. The package has no state. The engine makes
// the values; actors/remote, actors/fleet and the command line read them.
//
// An [Event] is one of a closed set of types, from [WorkerReady] to [ActorFailed]. A program that
// embeds an engine receives them in actors.EngineEvent:
//
//	switch e := m.Event.(type) {
//	case report.Flipped:
//		log.Printf("worker %d took over from %d: %s", e.To, e.From, e.Cause)
//	}
package report
