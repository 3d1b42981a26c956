package udp

import (
	"net/netip"
	"syscall"
	"testing"
)

// A datagram from or to an address with a zone asks the kernel for the interface only once: any
// machine on the network can send such datagrams before anything is admitted.
func TestZonesAreRemembered(t *testing.T) {
	a := netip.MustParseAddrPort("[fe80::1%lo]:5")
	var name syscall.RawSockaddrInet6
	var z zoneCache
	rawAddr(&name, a, false, &z)
	if got := addrPort(&name, &z); got != a {
		t.Fatalf("%v came back as %v", a, got)
	}
	if n := testing.AllocsPerRun(100, func() {
		rawAddr(&name, a, false, &z)
		addrPort(&name, &z)
	}); n != 0 {
		t.Errorf("%v allocations for an address that was seen before", n)
	}
}

// An unknown zone is its number, and the cache does not grow with invented zones.
func TestZonesAreBounded(t *testing.T) {
	var z zoneCache
	for i := range uint32(3 * maxZones) {
		if name := z.name(1_000_000 + i); z.index(name) != 1_000_000+i {
			t.Fatalf("%d came back as %d", 1_000_000+i, z.index(name))
		}
	}
	if len(z.names) > maxZones || len(z.indexes) > maxZones {
		t.Errorf("%d and %d are kept", len(z.names), len(z.indexes))
	}
}
