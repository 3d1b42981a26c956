package query

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/mdns"
)

// inNetwork marks the process that has a network namespace of its own.
const inNetwork = "CHRONUS_TEST_NETWORK"

// mDNS finds the OSC server, by UDP and TCP, and the OSCQuery server, only from networks that reach
// them and until Announcer.Close. The test runs in a process with a network namespace of its own,
// so that no packet leaves the machine. It needs iproute2, and root or user namespaces.
func TestAnnounce(t *testing.T) {
	if testing.Short() {
		t.Skip("waits 2 s for multicast")
	}
	if os.Getenv(inNetwork) == "" {
		flags := []string{"--net"}
		if os.Geteuid() != 0 {
			flags = append(flags, "--user", "--map-root-user")
		}
		cmd := exec.CommandContext(t.Context(), "unshare", append(flags, os.Args[0], "-test.run", "^TestAnnounce$", "-test.v")...)
		cmd.Env = append(os.Environ(), inNetwork+"=1", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "PASS: TestAnnounce") {
			t.Fatalf("%v: %s (it needs iproute2 and util-linux, and to be root, or user namespaces allowed)", err, out)
		}
		return
	}
	for _, line := range []string{
		"link add stage type veth peer name stage-end", "addr add 10.77.0.1/24 dev stage", "link set stage up", "link set stage-end up",
		"link add office type veth peer name office-end", "addr add 10.78.0.1/24 dev office", "link set office up", "link set office-end up", "link set lo up",
		"route add 224.0.0.0/4 dev stage", // the client of the test needs one, wherever it asks
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	a := Announcement{OSC: netip.MustParseAddrPort("10.77.0.1:5005"), Query: netip.MustParseAddrPort("10.77.0.1:5006")}
	announcer, err := Announce(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ service, network, want string }{
		{"_osc._udp", "stage", "10.77.0.1 5005 txtvers=1 version=1.1 uri=https://github.com/music-chronus/chronus types=ifsbhdTF"},
		{"_osc._tcp", "stage", "10.77.0.1 5005 txtvers=1 version=1.1 uri=https://github.com/music-chronus/chronus types=ifsbhdTF framing=slip"},
		{"_oscjson._tcp", "stage", "10.77.0.1 5006 txtvers=1"},
		{"_http._tcp", "stage", ""},
		{"_osc._udp", "office", ""},
	} {
		if got := find(t, tt.service, tt.network); got != tt.want {
			t.Errorf("%s on %s: %q, want %q", tt.service, tt.network, got, tt.want)
		}
	}
	announcer.Close()
	if got := find(t, "_osc._udp", "stage"); got != "" {
		t.Errorf("after the end: %s", got)
	}
	all, err := Announce(Announcement{OSC: netip.MustParseAddrPort("0.0.0.0:5005")})
	if err != nil || len(all.servers) != 2 {
		t.Fatalf("on all networks: %v", err)
	}
	defer all.Close()
	if got := find(t, "_osc._udp", "office"); !strings.Contains(got, " 5005 txtvers=1") {
		t.Errorf("office: %s", got)
	}
	if got := find(t, "_oscjson._tcp", "office"); got != "" {
		t.Errorf("what there is not is announced: %s", got)
	}
}

// find asks on a network, and returns the answers.
func find(t *testing.T, service, network string) string {
	t.Helper()
	n, err := net.InterfaceByName(network)
	if err != nil {
		t.Fatal(err)
	}
	found := make(chan *mdns.ServiceEntry, 16)
	p := mdns.DefaultParams(service)
	p.Entries, p.Interface, p.Timeout, p.DisableIPv6, p.Logger = found, n, 300*time.Millisecond, true, log.New(io.Discard, "", 0)
	if err := mdns.Query(p); err != nil {
		t.Fatal(err)
	}
	close(found)
	list := ""
	for e := range found {
		if strings.Contains(e.Name, "chronus-") {
			list = fmt.Sprint(e.AddrV4, " ", e.Port, " ", strings.Join(e.InfoFields, " "))
		}
	}
	return list
}

// A server that only this machine reaches is not announced.
func TestAnnounceLoopback(t *testing.T) {
	for at, want := range map[string]string{"127.0.0.1:5005": "only this machine", "[::1]:5005": "only this machine", "192.0.2.1:5005": "no network is up"} {
		if _, err := Announce(Announcement{OSC: netip.MustParseAddrPort(at)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", at, err, want)
		}
	}
}
