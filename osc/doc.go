// Package osc turns bytes into requests and values into replies, by the OSC 1.0
// specification (and the types of 1.1). It knows no module and no actor: the caller fills a [Space]
// with the addresses that exist. hypebeast/go-osc lends its types and its encoding; what comes from the
// network is decoded here, within bounds and without allocating, since one packet of eight bytes ends a
// process that lets go-osc do it.
package osc
