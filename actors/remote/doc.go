// Package remote lets programs on other machines watch and control engines, over protoactor's
// remote and the messages of actors/pb. A [Node] listens at an address. It gives an engine an
// endpoint, an actor that knows the sender's [Role] and replies to each request. A node also
// watches and asks engines of other nodes. An [Interceptor] checks every incoming message before
// protoactor reads it, because protoactor trusts its peers.
//
// The package does not use protoactor's watching of actors: protoactor does not report a peer that
// is frozen or cut off. A lease on one side and reports on the other do: see [Node.Follow].
package remote
