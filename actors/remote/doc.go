// Package remote opens engines to other machines, by protoactor's remote and the messages of actors/pb. A [Node] is a place at an address; it opens
// an engine by a door, an actor that knows the sender's [Role] and answers each request with what came of it, and it watches and asks engines
// elsewhere. A [Sentry] stands before all of it: it looks at what comes in before protoactor does, which trusts its peers.
//
// protoactor's watching of actors is not used: a peer that is frozen, or cut off, is never told by it. A watcher's lease and an engine's
// reports say it all: see [Node.Follow].
package remote
