package server

import (
	"sync/atomic"

	"github.com/music-chronus/chronus/osc"
)

// counter is an index of counters. Each has a field of osc.Stats.
type counter int

const (
	packets counter = iota
	messages
	failed
	replies
	readErrors
	denied
	shed
	amplificationLimited
	rejected
	slowClients
	sendDropped
	numCounters
)

// String returns the counter's name, which is its key in osc.Stats as JSON.
func (c counter) String() string {
	return [numCounters]string{
		"packets", "messages", "failed", "replies", "read_errors", "denied", "shed",
		"amplification_limited", "rejected", "slow_clients", "send_dropped",
	}[c]
}

// counters count what the server sees, and malformed elements by fault, and refusals by code.
type counters struct {
	total     [numCounters]atomic.Uint64
	malformed [osc.NumFaults]atomic.Uint64
	refused   [osc.NumCodes]atomic.Uint64
}

func (s *Server) count(c counter) { s.counters.total[c].Add(1) }

func (s *Server) countMalformed(f osc.Fault) { s.counters.malformed[f].Add(1) }

// Stats returns the counts so far. The server counts on while they are read one after the other.
func (s *Server) Stats() osc.Stats {
	at := func(c counter) uint64 { return s.counters.total[c].Load() }
	st := osc.Stats{
		Packets: at(packets), Messages: at(messages), Failed: at(failed), Replies: at(replies),
		ReadErrors: at(readErrors), Denied: at(denied), Shed: at(shed), AmplificationLimited: at(amplificationLimited),
		Connections: s.conns.Len(), Rejected: at(rejected), SlowClients: at(slowClients), SendDropped: at(sendDropped),
		Malformed: map[string]uint64{}, RefusedByCode: map[string]uint64{},
	}
	for f := range s.counters.malformed {
		if n := s.counters.malformed[f].Load(); n > 0 {
			st.Malformed[osc.Fault(f).String()] = n
		}
	}
	for c := range s.counters.refused {
		if n := s.counters.refused[c].Load(); n > 0 {
			st.RefusedByCode[osc.Code(c).String()] = n
		}
	}
	return st
}
