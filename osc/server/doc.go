// Package server receives OSC over UDP, TCP and WebSocket on one port, and sends the answers back
// the way each request came. A [Server] hands the messages of each connection to a [Handler] of its
// own, with the [Peer] that sent them. [Access] says which machines are heard. Package admission
// decides how much each source may send.
package server
