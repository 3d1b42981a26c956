package sys

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mapping is a shared mapping of a sealed memory file, with the file's descriptor. Its owner closes
// it. After Close no pointer or slice taken from it may be used.
type Mapping struct {
	fd  int // -1: closed
	mem []byte
}

// CreateMapping makes a memory file of size bytes, all zero, and maps it for writing. See Memfd.
func CreateMapping(name string, size int) (*Mapping, error) {
	fd, err := Memfd(name, size)
	if err != nil {
		return nil, err
	}
	return mapAll(fd, size, true)
}

// AttachMapping maps a whole memory file and takes over fd, also on an error. A file that can
// shrink or grow is ErrNotSealed.
func AttachMapping(fd int, write bool) (*Mapping, error) {
	if !Sealed(fd) {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("descriptor %d: %w", fd, ErrNotSealed)
	}
	size, err := Size(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return mapAll(fd, size, write)
}

func mapAll(fd, size int, write bool) (*Mapping, error) {
	mem, err := Map(fd, size, write)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &Mapping{fd, mem}, nil
}

// FD returns the descriptor, to be handed to another process. The Mapping keeps it.
func (m *Mapping) FD() int { return m.fd }

// Len returns the size in bytes.
func (m *Mapping) Len() int { return len(m.mem) }

// Bytes returns n bytes from offset on, without a copy.
func (m *Mapping) Bytes(offset, n int) []byte { return m.mem[offset : offset+n : offset+n] }

// At returns a T that lies in the mapping at offset. The caller keeps offset a multiple of T's
// alignment. At panics if the T would end beyond the mapping.
func At[T any](m *Mapping, offset int) *T {
	var t *T // never a T: the largest exceed what a stack holds
	end := offset + int(unsafe.Sizeof(*t))
	if offset < 0 || end > len(m.mem) {
		panic(fmt.Sprintf("sys: %T at %d ends at byte %d of a mapping of %d", t, offset, end, len(m.mem)))
	}
	// SAFETY: in bounds by the test above. A mapping is page-aligned; the caller aligns offset.
	return (*T)(unsafe.Pointer(&m.mem[offset]))
}

var pageSize = os.Getpagesize()

// Touch reads a word of every page of n bytes from offset on, a multiple of 4. A read makes a page
// of a shared memory file exist, for readers and writers, so no later access to it faults.
func (m *Mapping) Touch(offset, n int) {
	b := m.Bytes(offset, n)
	for i := 0; i < n; i += pageSize {
		// SAFETY: in bounds and aligned. Atomic, so that the compiler cannot drop the read.
		atomic.LoadUint32((*uint32)(unsafe.Pointer(&b[i])))
	}
	atomic.LoadUint32((*uint32)(unsafe.Pointer(&b[n-4])))
}

// Close unmaps the file and closes its descriptor. A second call does nothing.
func (m *Mapping) Close() {
	if m.fd < 0 {
		return
	}
	_ = Unmap(m.mem)
	_ = unix.Close(m.fd)
	m.mem, m.fd = nil, -1
}
