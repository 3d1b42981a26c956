// Package pb contains the messages of chronus.proto, by which programs on other machines watch and
// control engines. `./task proto` generates the code. The generated code is committed, so that a
// build needs neither protoc nor its plugin.
package pb

// Version is the version of the protocol. Peers send it with every message.
const Version = 1
