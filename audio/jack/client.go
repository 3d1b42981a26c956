package jack

// #cgo pkg-config: jack
// #include <errno.h>
// #include <stdlib.h>
// #include "client.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/music-chronus/chronus/audio/internal/driver"
)

// maxPorts is the most output ports of one client.
const maxPorts = C.chronus_ports_max

// client is a connection to a JACK server, with output ports. C allocates its memory, since the
// server's threads may use it until close has returned.
type client struct {
	c      *C.struct_chronus_client
	name   string // given by the server
	server string // name of the server
}

// defaultServer returns the name of the default server. PipeWire's library has only that one.
func defaultServer() string {
	if s := os.Getenv("JACK_DEFAULT_SERVER"); s != "" && !isPipeWire() {
		return s
	}
	return "default"
}

// api names the linked library.
func api() string {
	if isPipeWire() {
		return "JACK (PipeWire)"
	}
	return "JACK"
}

// isPipeWire reports whether libjack is PipeWire's. Its version is then "3.0.0.0 (using PipeWire
// 1.0.5)" or the like.
var isPipeWire = sync.OnceValue(func() bool {
	return strings.Contains(C.GoString(C.jack_get_version_string()), "PipeWire")
})

var errNoServer = errors.New("no server is running")

// answerWithin is how long a server may take to answer.
const answerWithin = 2 * time.Second

// openClient connects to a server, "" for the default one. If the name is taken, the server appends
// a number: name-01. A process must not have clients of two jackd servers at a time.
func openClient(name, server string) (*client, error) {
	if !driver.Debug() {
		C.chronus_silence()
	}
	cl := &client{server: server}
	var status C.jack_status_t
	opened := make(chan struct{})
	go func() { // a server that stops or dies meanwhile may never answer
		defer close(opened)
		cl.c = (*C.struct_chronus_client)(C.calloc(1, C.sizeof_struct_chronus_client))
		n, s := C.CString(name), (*C.char)(nil)
		defer C.free(unsafe.Pointer(n))
		if server != "" {
			s = C.CString(server)
			defer C.free(unsafe.Pointer(s))
		}
		status = C.chronus_open(cl.c, n, s)
	}()
	select {
	case <-opened:
	case <-time.After(answerWithin):
		go func() {
			<-opened
			_ = cl.close()
		}()
		return nil, fmt.Errorf("the server has not answered for %v", answerWithin)
	}
	if server == "" {
		cl.server = defaultServer()
	}
	if cl.c.jack == nil {
		_ = cl.close()
		return nil, openError(status)
	}
	cl.name = C.GoString(C.jack_get_client_name(cl.c.jack))
	return cl, nil
}

// openError translates the status bits of jack_client_open.
func openError(status C.jack_status_t) error {
	switch {
	case status&C.JackVersionError != 0:
		return errors.New("the server has another version of the protocol than libjack: " +
			"install the same version of both")
	case status&(C.JackShmFailure|C.JackInitFailure) != 0:
		return fmt.Errorf("the server is unusable: status %#x: "+
			"check that it runs as the same user and that /dev/shm is writable", uint(status))
	case status&C.JackServerFailed != 0:
		return errNoServer
	}
	return fmt.Errorf("the server refused the client: status %#x", uint(status))
}

// activate registers the ports and lets the server call the stream of this handle.
func (cl *client) activate(channels int, handle uint32) error {
	cl.c.channels, cl.c.handle = C.uint32_t(channels), C.uint32_t(handle)
	if C.chronus_activate(cl.c) != 0 {
		return fmt.Errorf("the server refused %d output ports", channels)
	}
	return nil
}

// close ends the connection. It hangs if the server does. The error is always nil.
func (cl *client) close() error {
	if cl.c.jack != nil {
		C.jack_client_close(cl.c.jack)
	}
	C.free(unsafe.Pointer(cl.c))
	return nil
}

func (cl *client) rate() int { return int(C.jack_get_sample_rate(cl.c.jack)) }

func (cl *client) period() int { return int(C.jack_get_buffer_size(cl.c.jack)) }

// ended reports whether the server has ended, and why.
func (cl *client) ended() (reason string, ok bool) {
	if atomic.LoadUint32((*uint32)(&cl.c.ended)) == 0 {
		return "", false
	}
	return C.GoString(&cl.c.reason[0]), true
}

// changes returns the number of changes of the graph.
func (cl *client) changes() uint32 { return atomic.LoadUint32((*uint32)(&cl.c.changes)) }

// playback lists the input ports of the first playback device. PipeWire's library lists the ports
// of the default sink first. A virtual sink is terminal, but not physical.
func (cl *client) playback() []string {
	ports := cl.inputs(C.JackPortIsPhysical)
	if len(ports) == 0 {
		ports = cl.inputs(C.JackPortIsTerminal)
	}
	return oneDevice(ports)
}

// oneDevice returns the ports of the first device in the list.
func oneDevice(ports []string) []string {
	for i, p := range ports {
		if device(p) != device(ports[0]) {
			return ports[:i]
		}
	}
	return ports
}

// device is the part of a port's name before the last colon.
func device(port string) string { return port[:max(0, strings.LastIndexByte(port, ':'))] }

func (cl *client) inputs(flag C.ulong) []string {
	kind := C.CString(C.JACK_DEFAULT_AUDIO_TYPE)
	defer C.free(unsafe.Pointer(kind))
	return names(C.jack_get_ports(cl.c.jack, nil, kind, C.JackPortIsInput|flag))
}

// names copies and frees a list of libjack.
func names(list **C.char) (all []string) {
	if list == nil {
		return nil
	}
	defer C.jack_free(unsafe.Pointer(list))
	for _, s := range unsafe.Slice(list, 1<<20) {
		if s == nil {
			break
		}
		all = append(all, C.GoString(s))
	}
	return all
}

// connected lists the peers of own port number own.
func (cl *client) connected(own int) []string {
	return names(C.jack_port_get_all_connections(cl.c.jack, cl.c.ports[own]))
}

// exists reports whether the graph has a port.
func (cl *client) exists(port string) bool {
	p := C.CString(port)
	defer C.free(unsafe.Pointer(p))
	return C.jack_port_by_name(cl.c.jack, p) != nil
}

// connect connects own port number own with another port.
func (cl *client) connect(own int, port string) bool {
	p := C.CString(port)
	defer C.free(unsafe.Pointer(p))
	errno := C.jack_connect(cl.c.jack, C.jack_port_name(cl.c.ports[own]), p)
	return errno == 0 || errno == C.EEXIST
}
