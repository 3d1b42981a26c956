package osc

import "fmt"

// Fault is a reason why a packet is not OSC.
type Fault int

// The faults of packets.
const (
	FaultSize     Fault = iota // empty, not a multiple of four bytes, or above the limit
	FaultAddress               // an address without /, not printable ASCII, or too long
	FaultString                // a string that does not end inside the packet
	FaultTag                   // an unknown type tag, or unbalanced brackets
	FaultArgument              // an argument that does not end inside the packet
	FaultTrailing              // bytes after the last argument
	FaultBundle                // a bundle whose head or element sizes do not fit
	FaultDepth                 // bundles nested too deeply
	FaultTime                  // a bundle with an earlier time tag than the bundle around it
	FaultCount                 // too many arguments or elements
	FaultFraming               // bytes on a connection in no known framing; the server closes it
	numFaults
)

// NumFaults is the number of faults: each is below it.
const NumFaults = int(numFaults)

// faults has a fault's name, the key of Stats.Malformed, and the reason that /fail gives.
var faults = [numFaults]struct{ name, reason string }{
	FaultSize: {"size", fmt.Sprintf("length is 0, not a multiple of 4, or above %d, over a connection %d",
		MaxPacket, MaxStream)},
	FaultAddress: {"address", fmt.Sprintf("address must begin with / and be printable ASCII of at most %d bytes",
		MaxAddress)},
	FaultString:   {"string", "unterminated string"},
	FaultTag:      {"type_tag", "unknown type tag, or unbalanced bracket"},
	FaultArgument: {"argument", "argument cut off"},
	FaultTrailing: {"trailing_bytes", "bytes after the last argument"},
	FaultBundle:   {"bundle", "bundle head or element size does not fit"},
	FaultDepth:    {"depth", fmt.Sprintf("bundles nested deeper than %d", MaxDepth)},
	FaultTime:     {"time_tag", "bundle has an earlier time tag than the bundle around it"},
	FaultFraming: {"framing", fmt.Sprintf("connection sends neither sizes nor SLIP nor HTTP, or a packet above %d bytes",
		MaxStream)},
	FaultCount: {"count", fmt.Sprintf("more than %d arguments or %d elements", MaxArgs, MaxElements)},
}

// String returns the fault's name, like type_tag.
func (f Fault) String() string { return faults[f].name }

// DecodeError is a fault, and the byte of the packet where the decoder found it.
type DecodeError struct {
	Fault  Fault
	Offset int
}

// Error returns the byte and the reason.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("OSC packet, byte %d: %s", e.Offset, faults[e.Fault].reason)
}
