// Package pb has the messages of chronus.proto, by which engines are watched and played from
// elsewhere. ./task proto makes the code from the text; both are kept, so that a build needs
// neither protoc nor its plugin.
package pb

// Version is what the peers of this protocol tell each other.
const Version = 1
