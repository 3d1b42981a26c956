package fleet

import (
	"net"
	"testing"
)

// Every engine of an accepted list has a host, a port and a unique name.
func FuzzTargets(f *testing.F) {
	for _, list := range []string{"", "a:1", "a:1/x,b:2", "a:1,a:1", "[::1]:4/n", ":1", "a:1 g\nb:2"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		targets, err := ParseTargets("\x00" + list) // not the name of a file
		if err == nil && len(targets) == 0 {
			t.Fatal("no engine, and no error")
		}
		seen := map[string]bool{}
		for _, n := range targets {
			if host, port, err := net.SplitHostPort(n.Address); err != nil || host == "" || port == "" || seen[n.Name] {
				t.Fatalf("%+v", n)
			}
			seen[n.Name] = true
		}
	})
}
