package udp

import (
	"net"
	"strconv"
	"sync"
	"time"
)

// zoneCache maps the indexes of network interfaces to their names, and back. Asking the kernel
// takes longer than all other work for a datagram, and any machine on the network may send
// datagrams. So the answers are kept for a minute, as package net does.
type zoneCache struct {
	mu      sync.Mutex
	since   time.Time
	names   map[uint32]string
	indexes map[string]uint32
}

const (
	maxZones = 64
	zoneTTL  = time.Minute
)

// evict clears a cache that is too old or too large. z.mu is held.
func (z *zoneCache) evict() {
	now := time.Now()
	if z.names == nil || now.Sub(z.since) >= zoneTTL || len(z.names) >= maxZones || len(z.indexes) >= maxZones {
		z.since, z.names, z.indexes = now, map[uint32]string{}, map[string]uint32{}
	}
}

// name returns the name of an interface, or its number if it has no name.
func (z *zoneCache) name(index uint32) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	if name, ok := z.names[index]; ok && time.Since(z.since) < zoneTTL {
		return name
	}
	z.evict()
	name := strconv.FormatUint(uint64(index), 10)
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		name = i.Name
	}
	z.names[index] = name
	return name
}

// index returns the index of an interface, or 0 for an empty or unknown name.
func (z *zoneCache) index(name string) uint32 {
	if name == "" {
		return 0
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if index, ok := z.indexes[name]; ok && time.Since(z.since) < zoneTTL {
		return index
	}
	z.evict()
	n, _ := strconv.ParseUint(name, 10, 32)
	index := uint32(n)
	if i, err := net.InterfaceByName(name); err == nil {
		index = uint32(i.Index)
	}
	z.indexes[name] = index
	return index
}
