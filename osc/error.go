package osc

import "fmt"

// Fault is what is wrong with a packet.
type Fault int

// The faults of packets.
const (
	FaultSize     Fault = iota // empty, or not a multiple of four bytes
	FaultAddress               // an address that does not begin with / or is not printable ASCII, or is too long
	FaultString                // a string that does not end inside the packet
	FaultTag                   // a type tag that OSC does not know, or brackets that do not match
	FaultArgument              // an argument that does not end inside the packet
	FaultTrailing              // bytes behind the last argument
	FaultBundle                // a bundle whose header or element sizes do not fit
	FaultDepth                 // bundles nested too deep
	FaultCount                 // too many arguments or elements
	faults                     // how many there are
)

var faultNames = [faults]string{
	"its length is not a multiple of 4, or 0", "its address must begin with / and be printable ASCII of at most 255 bytes",
	"a string in it does not end", "it has a type tag that OSC does not know", "an argument in it is cut off",
	"it has bytes behind its last argument", "a bundle's element does not fit", "its bundles are nested deeper than 8",
	"it has more than 512 arguments or 1024 elements",
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
