package sys

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Memfd makes an anonymous memory file of size bytes, all zero, that can neither shrink nor grow. A
// mapping of it therefore never raises SIGBUS. See memfd_create(2). The descriptor is closed on
// exec; the caller owns it.
func Memfd(name string, size int) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, fmt.Errorf("memfd %s: create: %w", name, err)
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("memfd %s: size %d: %w", name, size, err)
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("memfd %s: seal: %w", name, err)
	}
	return fd, nil
}

// ErrNotSealed marks a descriptor whose file may shrink or grow.
var ErrNotSealed = errors.New("not sealed")

// Sealed reports whether fd is a memory file that can neither shrink nor grow.
func Sealed(fd int) bool {
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	want := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW
	return err == nil && seals&want == want
}

// Size returns the size of the file fd in bytes.
func Size(fd int) (int, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, fmt.Errorf("fstat descriptor %d: %w", fd, err)
	}
	return int(st.Size), nil
}

// ReadOnly returns a second descriptor of the same memory file, which can be mapped for reading
// only. The caller owns it.
func ReadOnly(fd int) (int, error) {
	ro, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("reopen descriptor %d read-only: %w", fd, err)
	}
	return ro, nil
}

// Map maps size bytes of fd as shared memory. The caller owns the mapping until Unmap.
func Map(fd, size int, write bool) ([]byte, error) {
	prot := unix.PROT_READ
	if write {
		prot |= unix.PROT_WRITE
	}
	mem, err := unix.Mmap(fd, 0, size, prot, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap descriptor %d, %d bytes: %w", fd, size, err)
	}
	return mem, nil
}

// Unmap ends a mapping made by Map.
func Unmap(mem []byte) error { return unix.Munmap(mem) }

// CloseFD closes a descriptor.
func CloseFD(fd int) error { return unix.Close(fd) }
