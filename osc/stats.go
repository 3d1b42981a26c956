package osc

// Stats is what an OSC server counts. It stands here, apart from the server, so that packages that
// only report it reach no socket.
type Stats struct {
	Packets              uint64            `json:"packets"`
	Messages             uint64            `json:"messages"`
	Failed               uint64            `json:"failed"`                // messages answered with /fail
	Malformed            map[string]uint64 `json:"malformed"`             // elements that are no OSC, by what is wrong
	Replies              uint64            `json:"replies"`               // packets sent, /fail among them
	ReadErrors           uint64            `json:"read_errors"`           // reads that failed; the service went on
	Denied               uint64            `json:"denied"`                // packets and connections from machines that are not allowed
	Shed                 uint64            `json:"shed"`                  // packets dropped unread, of a source that sends too many
	AmplificationLimited uint64            `json:"amplification_limited"` // answers too large for an address that may be forged
	Connections          int               `json:"connections"`           // open now
	Rejected             uint64            `json:"rejected"`              // connections refused since there were too many
	SlowClients          uint64            `json:"slow_clients"`          // connections closed since their answers were not read
	SendDropped          uint64            `json:"send_dropped"`          // answers by UDP dropped since the network took them too slowly
	Dropped              uint64            `json:"dropped"`               // messages that the engine was too busy for; who serves counts them
}
