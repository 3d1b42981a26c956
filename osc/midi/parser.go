package midi

import (
	gomidi "gitlab.com/gomidi/midi/v2"
	"gitlab.com/gomidi/midi/v2/drivers"
)

// Status bytes.
const (
	firstStatus   = 0x80
	endOfSysex    = 0xF7
	firstRealTime = 0xF8
)

// Parser cuts a byte stream into messages. It handles running status, and real-time bytes inside
// other messages. It skips system exclusive messages of any length, and stray data bytes, without
// memory.
type Parser struct {
	reader *drivers.Reader
}

// NewParser returns a parser that calls message with each message: its status and all its data
// bytes.
func NewParser(message func(m gomidi.Message)) *Parser {
	// The buffer is for system exclusive, which is not used. For 0 bytes the library allocates
	// 1,024.
	return &Parser{drivers.NewReader(drivers.ListenConfig{SysExBufferSize: 1}, func(b []byte, _ int32) {
		if b[0] != endOfSysex {
			message(b)
		}
	})}
}

// Bytes parses the next bytes, cut anywhere.
func (p *Parser) Bytes(b []byte) {
	for i := range b {
		if b[i] >= firstStatus && b[i] < firstRealTime {
			p.reader.Reset() // or the library takes a status byte inside a truncated message as data
		}
		p.reader.EachMessage(b[i:i+1], 0)
	}
}
