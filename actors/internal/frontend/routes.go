package frontend

import (
	"github.com/music-chronus/chronus/actors/internal/drafts"
	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/osc"
	"github.com/music-chronus/chronus/osc/server"
)

// queryFunc answers a message, which has as many arguments as its route allows. The error is the
// reason of a /fail.
type queryFunc func(h *handler, m *osc.Message, from server.Peer) error

// Routes lists the addresses that an engine has besides those of its plan. Most queries are those
// of SuperCollider's server, which many clients know.
func Routes() []space.Route {
	list := []space.Route{{
		Entry: osc.Entry{
			Address: "/engine/status", Kind: osc.Query, Doc: "answers with the engine's state, as /engine/status.reply",
		},
		Kind: space.Query, Handler: queryFunc(engineStatus),
	}}
	list = append(list, drafts.Routes()...)
	return append(list,
		queryRoute("/ping", "[anything]...", 0, osc.MaxArgs, ping, "answers /pong with its arguments"),
		queryRoute("/version", "", 0, 0, version,
			"answers /version.reply: chronus, major, minor, patch, and the revision that it was built from"),
		queryRoute("/status", "", 0, 0, scStatus,
			"answers /status.reply as SuperCollider's server does: 1, nodes, 0 for the voices that sound, "+
				"groups of voices and 1, kinds of module, mean and peak load in percent of a core, nominal and real rate"),
		queryRoute("/sync", "[number]", 0, 1, synchronize,
			"answers /synced with its number after everything that the same sender sent before is carried out"),
		queryRoute("/get", "address...", 1, 64, get,
			"answers with the value of each address, which may be a pattern, then /done /get and how many values there are"),
		queryRoute("/notify", "0, 1 or 2", 1, 1, notify,
			"subscribes the sender to values and events (/event/...), by UDP for a minute; 2: with names as their index; "+
				"0: unsubscribes, except by UDP from another machine"),
		queryRoute("/notify/resync", "", 0, 0, resync, "sends the sender all values again"),
		withToken(queryRoute("/dumpOSC", "0, 1 or 2", 1, 1, dumpOSC,
			"1: sends the sender all messages that come in, as /dumpOSC.reply; 2: all answers too; by UDP for a minute")),
		queryRoute("/error", "0 or 1", 1, 1, muteErrors,
			"0: stops /fail answers to the sender, by UDP for ten minutes, and only on the engine's machine; 1: resumes them"),
	)
}

func queryRoute(address, usage string, least, most int, do queryFunc, doc string) space.Route {
	return space.Route{
		Entry:   osc.Entry{Address: address, Kind: osc.Words, Least: least, Most: most, Usage: usage, Doc: doc},
		Kind:    space.Query,
		Handler: do,
	}
}

func withToken(r space.Route) space.Route {
	r.RequiresToken = true
	return r
}

// checkCount checks the number of a query's arguments. A query without arguments also accepts a
// single N or I, since some controllers cannot send less.
func checkCount(e *osc.Entry, m *osc.Message) error {
	n := len(m.Args)
	if n >= e.Least && n <= e.Most || e.Most == 0 && n == 1 && (m.Args[0].Tag == 'N' || m.Args[0].Tag == 'I') {
		return nil
	}
	if e.Most == 0 {
		return osc.Refuse(osc.CodeBadArgument, "want no argument; got %d", n)
	}
	return osc.Refuse(osc.CodeBadArgument, "want %s; got %d arguments", e.Usage, n)
}

// choice reads the one argument as a number from 0 to most; true is 1, false is 0.
func choice(m *osc.Message, most int) (int, error) {
	a := m.Args[0]
	v, ok := a.Number()
	switch a.Tag {
	case 'T':
		v, ok = 1, true
	case 'F':
		v, ok = 0, true
	}
	if n := int(v); ok && float64(n) == v && n >= 0 && n <= most {
		return n, nil
	}
	return 0, osc.Refuse(osc.CodeBadArgument, "argument 1: want a whole number from 0 to %d", most)
}

// The refusals of queries.
var (
	errQueries   = osc.Refuse(osc.CodeBusy, "server busy: %d requests are waiting; try again", drafts.MaxInFlight)
	errNoValue   = osc.Refuse(osc.CodeBadArgument, "address has no value")
	errForged    = osc.Refuse(osc.CodeUnauthorized, "sender may be forged over UDP: send /auth TOKEN first, or use TCP")
	errForgedEnd = osc.Refuse(osc.CodeUnauthorized, "cannot unsubscribe over UDP, since the sender may be forged: "+
		"the subscription ends a minute after its last renewal; use TCP to end it now")
	errForgedMute = osc.Refuse(osc.CodeUnauthorized, "cannot mute /fail over UDP, since the sender may be forged: use TCP")
	errMutes      = osc.Refuse(osc.CodeBusy, "too many clients have muted /fail: try again in ten minutes")
)
