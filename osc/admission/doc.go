// Package admission decides what an OSC server accepts: how much each source may send, how many
// connections each machine may hold, how often a wrong token may be tried. It opens no socket and
// reads no clock: callers pass addresses and times in.
package admission
