package midi

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Auto as a port's name is the first input.
const Auto = "auto"

// Port is a MIDI input.
type Port struct {
	Path string // of the device
	Name string // as the card reports it, or empty
}

// String returns the port's path and name.
func (p Port) String() string {
	if p.Name == "" {
		return p.Path
	}
	return p.Path + "  " + p.Name
}

// Finder finds inputs. The zero Finder finds those of ALSA on this machine.
type Finder struct {
	Dev  string // folder of devices; empty: /dev/snd
	Proc string // folder of ALSA's descriptions; empty: /proc/asound
}

// Ports lists the raw MIDI devices that are inputs, by card and device.
func (f Finder) Ports() (ports []Port, err error) {
	dev := cmp.Or(f.Dev, "/dev/snd")
	entries, err := os.ReadDir(dev)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("MIDI inputs: %w", err)
	}
	type numbered struct {
		card, device int
		Port
	}
	var found []numbered
	for _, e := range entries {
		n := numbered{Port: Port{Path: filepath.Join(dev, e.Name())}}
		const form = "midiC%dD%d"
		if _, err := fmt.Sscanf(e.Name(), form, &n.card, &n.device); err != nil ||
			fmt.Sprintf(form, n.card, n.device) != e.Name() {
			continue
		}
		proc := cmp.Or(f.Proc, "/proc/asound")
		about, err := os.ReadFile(filepath.Join(proc, fmt.Sprintf("card%d/midi%d", n.card, n.device)))
		if err == nil && !bytes.Contains(about, []byte("\nInput ")) {
			continue // an output only
		}
		first, _, _ := strings.Cut(string(about), "\n") // the kernel's sound/core/rawmidi.c, snd_rawmidi_proc_info_read
		n.Name = strings.TrimSpace(first)
		found = append(found, n)
	}
	slices.SortFunc(found, func(a, b numbered) int { return cmp.Or(a.card-b.card, a.device-b.device) })
	for _, n := range found {
		ports = append(ports, n.Port)
	}
	return ports, nil
}

// Find returns the port of a name: a path, a part of a port's name in any case, or Auto.
func (f Finder) Find(name string) (Port, error) {
	if strings.Contains(name, "/") {
		return Port{Path: name}, nil
	}
	ports, err := f.Ports()
	if err != nil {
		return Port{}, err
	}
	if len(ports) == 0 {
		return Port{}, errors.New("no MIDI input found: plug one in, or give the path of a device, FIFO or pty")
	}
	if name == Auto {
		return ports[0], nil
	}
	var fit []Port
	for _, p := range ports {
		if filepath.Base(p.Path) == name {
			return p, nil
		}
		if strings.Contains(strings.ToLower(p.Name), strings.ToLower(name)) {
			fit = append(fit, p)
		}
	}
	switch len(fit) {
	case 0:
		return Port{}, fmt.Errorf("MIDI input %q: not found; the inputs are: %s", name, listed(ports))
	case 1:
		return fit[0], nil
	}
	return Port{}, fmt.Errorf("MIDI input %q: ambiguous: %s; give the path", name, listed(fit))
}

func listed(ports []Port) string {
	var s []string
	for _, p := range ports {
		s = append(s, p.String())
	}
	return strings.Join(s, ", ")
}

// open opens a port for reading. It does not block: neither on a FIFO without a writer nor, later,
// in a driver.
func (p Port) open() (*os.File, error) {
	st, err := os.Stat(p.Path)
	if err != nil {
		return nil, fmt.Errorf("MIDI input %s: %w", p.Path, errors.Unwrap(err))
	}
	if st.Mode().IsRegular() || st.IsDir() {
		return nil, fmt.Errorf("MIDI input %s: a file or folder; want a device, a FIFO or a pty", p.Path)
	}
	file, err := os.OpenFile(p.Path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	switch {
	case errors.Is(err, syscall.EBUSY):
		return nil, fmt.Errorf("MIDI input %s: in use by another program, perhaps another chronus midi; end it first",
			p.Path)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("MIDI input %s: no permission; join its group (mostly audio)", p.Path)
	case err != nil:
		return nil, fmt.Errorf("MIDI input %s: %w", p.Path, errors.Unwrap(err))
	}
	return file, nil
}
