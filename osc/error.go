package osc

import "fmt"

// Fault is what is wrong with a packet.
type Fault int

// The faults of packets.
const (
	FaultSize     Fault = iota // empty, not a multiple of four bytes, or more than MaxPacket, over a connection MaxStream
	FaultAddress               // an address that does not begin with / or is not printable ASCII, or is too long
	FaultString                // a string that does not end inside the packet
	FaultTag                   // a type tag that OSC does not know, or brackets that do not match
	FaultArgument              // an argument that does not end inside the packet
	FaultTrailing              // bytes behind the last argument
	FaultBundle                // a bundle whose header or element sizes do not fit
	FaultDepth                 // bundles nested too deep
	FaultTime                  // a bundle that would be before the one around it
	FaultCount                 // too many arguments or elements
	FaultFraming               // bytes on a connection that are in no framing; it is closed
	numFaults
)

// NumFaults is the number of faults: each is below it.
const NumFaults = int(numFaults)

var faultNames = [numFaults]string{
	FaultSize:     fmt.Sprintf("its length is 0, or no multiple of 4, or above %d, over a connection %d", MaxPacket, MaxStream),
	FaultAddress:  fmt.Sprintf("its address must begin with / and be printable ASCII of at most %d bytes", MaxAddress),
	FaultString:   "a string in it does not end",
	FaultTag:      "it has a type tag that OSC does not know, or a bracket without its other",
	FaultArgument: "an argument in it is cut off",
	FaultTrailing: "it has bytes behind its last argument",
	FaultBundle:   "a bundle's header or element does not fit",
	FaultDepth:    fmt.Sprintf("its bundles are nested deeper than %d", MaxDepth),
	FaultTime:     "a bundle in it has an earlier time tag than the one around it",
	FaultFraming:  fmt.Sprintf("a connection sends neither sizes nor SLIP nor HTTP, or a packet above %d bytes", MaxStream),
	FaultCount:    fmt.Sprintf("it has more than %d arguments or %d elements", MaxArgs, MaxElements),
}

// String says what is wrong in a few words.
func (f Fault) String() string { return faultNames[f] }

// DecodeError is a fault and the byte of the packet where it was found.
type DecodeError struct {
	Fault  Fault
	Offset int
}

// Error implements error.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("OSC packet, byte %d: %v", e.Offset, e.Fault)
}
