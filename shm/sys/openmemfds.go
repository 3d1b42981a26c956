package sys

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenMemfds opens, for reading and writing, the memory files that process pid holds and whose
// names begin with prefix. The process must belong to the same user and need not cooperate: see
// proc(5), /proc/pid/fd. The caller owns the descriptors. One file may occur more than once.
func OpenMemfds(pid int, prefix string) (fds []int, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("descriptors of process %d: %w", pid, err)
	}
	for _, e := range list {
		path := filepath.Join(dir, e.Name())
		link, err := os.Readlink(path)
		if err != nil || !strings.HasPrefix(link, "/memfd:"+prefix) {
			continue // closed meanwhile, or another kind of file
		}
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			CloseAll(fds)
			return nil, fmt.Errorf("descriptor %s of process %d (%s): %w", e.Name(), pid, link, err)
		}
		fds = append(fds, fd)
	}
	return fds, nil
}

// CloseAll closes descriptors.
func CloseAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
