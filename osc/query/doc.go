// Package query serves the addresses and values of an engine by the OSCQuery proposal. HTTP returns
// the tree of addresses as JSON. A WebSocket sends the values of the addresses that a client
// listens to, as OSC, and reports changes of the tree. The server only reports; clients play by the
// OSC server. Announce makes both servers known to other machines by mDNS.
//
// See https://github.com/Vidvox/OSCQueryProposal.
package query
