package server

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestListenErrors(t *testing.T) {
	s := listen(t, "127.0.0.1:0")
	for address, want := range map[string]string{
		s.Addr().String():     "in use by another program; choose another with --osc",
		"nonsense":            "want host:port, like 127.0.0.1:5005",
		"":                    "want host:port, like 127.0.0.1:5005",
		"::1:5005":            "want host:port",
		"127.0.0.1:99999":     "port must be a number from 0 to 65535",
		"127.0.0.1:-1":        "port must be",
		"127.0.0.1:":          "port must be",
		"127.0.0.1:http":      "port must be",
		":5005":               "missing host; use 127.0.0.1:5005 for this machine alone, 0.0.0.0:5005 for all",
		"192.0.2.1:0":         "other machines reach 192.0.2.1: list those that may play",
		"0.0.0.0:0":           "other machines reach 0.0.0.0: list those that may play",
		"300.0.0.1:0":         "the host must be",
		"nowhere.invalid.:80": "the host must be",
	} {
		other, err := Listen(address, Access{})
		if err == nil {
			t.Errorf("%s: listens on %v", address, other.Addr())
			_ = other.Close()
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
}

// An address of another machine is an error, and a port that is taken for TCP only.
func TestListenOthers(t *testing.T) {
	if _, err := Listen("192.0.2.1:0", Access{Allow: anywhere}); err == nil || !strings.Contains(err.Error(), "choose another with --osc") {
		t.Error(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Listen(l.Addr().String(), Access{}); err == nil || !strings.Contains(err.Error(), "in use by another program") {
		t.Error(err)
	}
}

// Addr is the address that was asked for.
func TestListenAddr(t *testing.T) {
	hosts := []string{"127.0.0.1", "0.0.0.0"}
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err == nil { // a machine without IPv6 has no such addresses
		_ = c.Close()
		hosts = append(hosts, "::1", "::")
	}
	for _, host := range hosts {
		s := listen(t, net.JoinHostPort(host, "0"))
		if a := s.Addr(); a.Addr() != netip.MustParseAddr(host) || a.Port() == 0 {
			t.Errorf("%s: %v", host, a)
		}
	}
}

func TestOwn(t *testing.T) {
	at := netip.MustParseAddrPort
	one := &Server{addr: at("127.0.0.1:5005")}
	all := &Server{addr: at("0.0.0.0:5005"), localAddrs: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fe80::1")}}
	for _, tt := range []struct {
		s    *Server
		from string
		own  bool
	}{
		{one, "127.0.0.1:5005", true},
		{one, "127.0.0.1:5006", false},
		{one, "127.0.0.2:5005", false},
		{one, "192.0.2.7:5005", false},
		{all, "127.0.0.1:5005", true},
		{all, "192.0.2.7:5005", true},
		{all, "[fe80::1%eth0]:5005", true},
		{all, "192.0.2.8:5005", false},
		{all, "192.0.2.7:5006", false},
	} {
		if got := tt.s.isOwn(at(tt.from)); got != tt.own {
			t.Errorf("%v at %v: own is %t", tt.from, tt.s.addr, got)
		}
	}
}
