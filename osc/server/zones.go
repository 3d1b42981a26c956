package server

import (
	"net"
	"strconv"
	"sync"
	"time"
)

// zones are the names of network interfaces by their index, and the other way round. To ask the kernel takes longer than all else that is done for a
// datagram, and anybody on the network may send some; so what it said counts for a while, as it does in the net package.
type zones struct {
	mu      sync.Mutex
	since   time.Time
	names   map[uint32]string
	indexes map[string]uint32
}

// The limits of what is remembered.
const (
	mostZones  = 64
	zonesCount = time.Minute
)

// fresh forgets what is too old, or too much. The zones are locked.
func (z *zones) fresh() {
	if now := time.Now(); z.names == nil || now.Sub(z.since) >= zonesCount || len(z.names) >= mostZones || len(z.indexes) >= mostZones {
		z.since, z.names, z.indexes = now, map[uint32]string{}, map[string]uint32{}
	}
}

// name is the name of a network interface, or its number.
func (z *zones) name(index uint32) string {
	z.mu.Lock()
	defer z.mu.Unlock()
	if name, ok := z.names[index]; ok && time.Since(z.since) < zonesCount {
		return name
	}
	z.fresh()
	name := strconv.FormatUint(uint64(index), 10)
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		name = i.Name
	}
	z.names[index] = name
	return name
}

// index undoes name; it is 0 for none.
func (z *zones) index(name string) uint32 {
	if name == "" {
		return 0
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if index, ok := z.indexes[name]; ok && time.Since(z.since) < zonesCount {
		return index
	}
	z.fresh()
	n, _ := strconv.ParseUint(name, 10, 32)
	index := uint32(n)
	if i, err := net.InterfaceByName(name); err == nil {
		index = uint32(i.Index)
	}
	z.indexes[name] = index
	return index
}
