// Package osc is the language of Open Sound Control 1.0, with the types, framing and patterns of
// 1.1.
//
// A [Decoder] reads packets within fixed bounds and without allocating. [Encode] and [EncodeBundle]
// write them. A [Space] holds the addresses that exist and the values they take; [Patterns] expands
// address patterns in it. A [Timeline] maps time tags to frames of the audio device.
//
// Types and encoding come from hypebeast/go-osc. Its decoder is not used: one packet of eight bytes
// ends a process that decodes packets from the network with it.
//
// Package osc/server has the sockets.
package osc
