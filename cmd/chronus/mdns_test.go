package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/mdns"
)

// inOwnNetwork marks the process that has a network of its own.
const inOwnNetwork = "CHRONUS_TEST_OWN_NETWORK"

// mDNS finds an engine that other machines may play, and OSCQuery answers at the address found. An
// engine with --no-mdns, or on loopback, is not found. The test runs in a process with a network of
// its own, so that no packet leaves the machine. The test needs iproute2, and root or user
// namespaces.
func TestMDNS(t *testing.T) {
	skipIfShort(t)
	if os.Getenv(inOwnNetwork) == "" {
		flags := []string{"--net", "--pid", "--fork", "--mount-proc", "--kill-child"}
		if os.Geteuid() != 0 {
			flags = append(flags, "--user", "--map-root-user")
		}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := command(t, 90*time.Second, "unshare", append(flags, self, "-test.run", "^TestMDNS$", "-test.v", "-test.timeout", "1m")...)
		cmd.Env = append(os.Environ(), inOwnNetwork+"=1", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "PASS: TestMDNS") {
			t.Fatalf("%v: %s (it needs iproute2 and util-linux, and to be root, or user namespaces allowed)", err, out)
		}
		return
	}
	for _, line := range []string{
		"link add stage type veth peer name stage-end", "addr add 10.77.0.1/24 dev stage", "link set stage up", "link set stage-end up", "link set lo up",
		"route add 224.0.0.0/4 dev stage",
	} {
		tool(t, "ip", strings.Fields(line)...)
	}
	for _, tt := range []struct {
		flags []string
		told  bool
	}{{nil, true}, {[]string{"--no-mdns"}, false}, {[]string{"--osc", "127.0.0.1:0"}, false}} {
		e := up(t, append([]string{"--backend", "null", "--osc", "10.77.0.1:0", "--osc-allow", "10.77.0.0/24"}, tt.flags...)...)
		osc, query := discovered(t, "_osc._udp"), discovered(t, "_oscjson._tcp")
		if st := e.must(); tt.told && (osc != st.OSC || query != st.OSCQuery) || !tt.told && osc+query != "" {
			t.Errorf("%v: found %q and %q; they are %s and %s", tt.flags, osc, query, st.OSC, st.OSCQuery)
		}
		if tt.told {
			resp, err := http.Get("http://" + query + "/?HOST_INFO")
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			if _ = resp.Body.Close(); err != nil || !strings.Contains(string(b), `"OSC_IP":"10.77.0.1"`) {
				t.Errorf("%s, %v", b, err)
			}
		}
		e.down()
	}
}

// discovered returns the host:port of a service by mDNS.
func discovered(t *testing.T, service string) string {
	t.Helper()
	n, err := net.InterfaceByName("stage")
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
	for e := range found {
		return net.JoinHostPort(e.AddrV4.String(), strconv.Itoa(e.Port))
	}
	return ""
}
