// Package osc turns bytes into requests and values into replies, by the OSC 1.0
// specification (and the types, framing and patterns of 1.1). A [Server] takes them by UDP, TCP and WebSocket, from a [Peer] each,
// within the limits of what [Access] allows; [Patterns] expands addresses, and a [Timeline] makes frames of time tags.
// It knows no module and no actor: the caller fills a [Space] with the addresses that exist. hypebeast/go-osc lends its types and its encoding; what comes from the
// network is decoded here, within bounds and without allocating, since one packet of eight bytes ends a
// process that lets go-osc do it.
package osc
