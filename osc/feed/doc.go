// Package feed sends subscribers the values of the addresses of an osc.Space. It sends each change
// of an address, at most 30 times a second, with the latest value; on request it sends all values.
// It also sends events, and lines about what an OSC server receives and answers, as they
// happen. Subscribers are OSC clients and clients of an OSCQuery server. A feed polls the values,
// so that setting a value waits for no subscriber.
package feed
