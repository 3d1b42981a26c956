package osc

// Stats is what an OSC server counts. It stands here, apart from the server, so that packages that
// only report it reach no socket.
type Stats struct {
	Packets              uint64            `json:"packets"`               // received
	Messages             uint64            `json:"messages"`              // received
	Failed               uint64            `json:"failed"`                // messages answered with /fail
	RefusedByCode        map[string]uint64 `json:"refused_by_code"`       // by the name of a Code
	Malformed            map[string]uint64 `json:"malformed"`             // elements, by the name of a Fault
	Replies              uint64            `json:"replies"`               // packets sent, with those of /fail
	ReadErrors           uint64            `json:"read_errors"`           // failed reads; the server goes on
	Denied               uint64            `json:"denied"`                // packets and connections of machines not allowed
	Shed                 uint64            `json:"shed"`                  // packets of sources above their rate
	AmplificationLimited uint64            `json:"amplification_limited"` // answers above the room of a UDP address
	Connections          int               `json:"connections"`           // open now
	Rejected             uint64            `json:"rejected"`              // connections refused at the limit
	SlowClients          uint64            `json:"slow_clients"`          // connections closed with unread answers
	SendDropped          uint64            `json:"send_dropped"`          // UDP answers dropped on a slow network
	Dropped              uint64            `json:"dropped"`               // messages dropped by a busy engine
}
