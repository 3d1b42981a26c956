package query

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/hashicorp/mdns"
	"github.com/miekg/dns"
)

// Announcement holds the servers that mDNS announces.
type Announcement struct {
	OSC   netip.AddrPort
	Query netip.AddrPort // zero: none
}

// services lists the announced services. The first two, with their texts, are of the OSC 1.1 paper,
// the third is of the OSCQuery proposal.
func (a Announcement) services(host string) []mdns.MDNSService {
	name := fmt.Sprintf("chronus-%s-%d", host, a.OSC.Port())
	text := []string{"txtvers=1", "version=1.1", "uri=https://github.com/music-chronus/chronus", "types=ifsbhdTF"}
	list := []mdns.MDNSService{
		{Instance: name, Service: "_osc._udp", Port: int(a.OSC.Port()), TXT: text},
		{Instance: name, Service: "_osc._tcp", Port: int(a.OSC.Port()), TXT: append(slices.Clone(text), "framing=slip")},
	}
	if a.Query.IsValid() {
		query := mdns.MDNSService{Instance: name, Service: "_oscjson._tcp", TXT: []string{"txtvers=1"}}
		query.Port = int(a.Query.Port())
		list = append(list, query)
	}
	return list
}

// zone answers for several services. It implements mdns.Zone.
type zone []*mdns.MDNSService

// Records implements mdns.Zone.
func (z zone) Records(q dns.Question) (list []dns.RR) {
	for _, s := range z {
		records := s.Records(q)
		if q.Qtype == dns.TypeA || q.Qtype == dns.TypeAAAA {
			if len(records) > 0 {
				return records // the machine's addresses, the same for each service
			}
		}
		list = append(list, records...)
	}
	return list
}

// Announcer answers mDNS queries until it is closed.
type Announcer struct{ servers []*mdns.Server }

var (
	errLoopback = errors.New("only this machine reaches the address")
	errNetworks = errors.New("no network is up and supports multicast")
)

// Announce announces servers on the networks that reach the OSC server. It answers queries, and
// sends no unsolicited announcements. The caller closes the Announcer.
func Announce(a Announcement) (*Announcer, error) {
	if a.OSC.Addr().IsLoopback() {
		return nil, fmt.Errorf("announce %v: %w", a.OSC, errLoopback)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("announce %v: %w", a.OSC, err)
	}
	networks, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("announce %v: %w", a.OSC, err)
	}
	// The kernel passes each socket the queries of every network that one socket has joined, so all
	// give the same answers.
	var joined []net.Interface
	var ips []net.IP
	for _, n := range networks {
		if here := reachableIPs(n, a.OSC.Addr()); len(here) > 0 {
			joined, ips = append(joined, n), append(ips, here...)
		}
	}
	out, refused := &Announcer{}, error(errNetworks)
	for _, n := range joined {
		server, err := a.serve(n, host, ips)
		if err != nil {
			refused = fmt.Errorf("network %s: %w", n.Name, err)
			continue
		}
		out.servers = append(out.servers, server)
	}
	if len(out.servers) == 0 {
		return nil, fmt.Errorf("announce %v: %w", a.OSC, refused)
	}
	return out, nil
}

// serve answers on one network, with this machine's addresses.
func (a Announcement) serve(n net.Interface, host string, ips []net.IP) (*mdns.Server, error) {
	local := localName(host)
	var z zone
	for _, s := range a.services(local[:len(local)-len(".local")]) {
		made, err := mdns.NewMDNSService(s.Instance, s.Service, "local.", local+".", s.Port, ips, s.TXT)
		if err != nil {
			return nil, err
		}
		z = append(z, made)
	}
	return mdns.NewServer(&mdns.Config{Zone: z, Iface: &n, Logger: log.New(io.Discard, "", 0)})
}

// reachableIPs returns the addresses of a network that reach a server listening at an address.
func reachableIPs(n net.Interface, at netip.Addr) (ips []net.IP) {
	if n.Flags&(net.FlagUp|net.FlagMulticast) != net.FlagUp|net.FlagMulticast || n.Flags&net.FlagLoopback != 0 {
		return nil
	}
	addrs, err := n.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		if here := p.Addr().Unmap(); here == at.WithZone("") || at.IsUnspecified() && (at.Is6() || here.Is4()) {
			ips = append(ips, net.IP(here.WithZone("").AsSlice()))
		}
	}
	return ips
}

// Close stops answering.
func (a *Announcer) Close() {
	for _, s := range a.servers {
		_ = s.Shutdown()
	}
}
