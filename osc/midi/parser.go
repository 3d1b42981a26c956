package midi

import (
	gomidi "gitlab.com/gomidi/midi/v2"
	"gitlab.com/gomidi/midi/v2/drivers"
)

// The status bytes that matter to more than one message.
const (
	firstStatus   = 0x80
	endOfSysex    = 0xF7
	firstRealTime = 0xF8
)

// Parser cuts a stream of bytes into messages: running status, real-time bytes inside other messages, system exclusive (passed
// over, of any length, in no memory), and bytes that belong to nothing.
type Parser struct {
	reader *drivers.Reader
}

// NewParser makes a parser that hands every message to message: its status and as many bytes of data as that status has.
func NewParser(message func(m gomidi.Message)) *Parser {
	// The buffer is for system exclusive, which is not kept; of 0 bytes the library would make 1,024.
	return &Parser{drivers.NewReader(drivers.ListenConfig{SysExBufferSize: 1}, func(b []byte, _ int32) {
		if b[0] != endOfSysex {
			message(b)
		}
	})}
}

// Bytes takes the next bytes, cut anywhere.
func (p *Parser) Bytes(b []byte) {
	for i := range b {
		if b[i] >= firstStatus && b[i] < firstRealTime {
			p.reader.Reset() // the library would take a status byte inside a message that was cut off for data
		}
		p.reader.EachMessage(b[i:i+1], 0)
	}
}
