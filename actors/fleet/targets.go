package fleet

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/music-chronus/chronus/actors/remote"
)

// Named is an engine to follow, with its name in the fleet and its group.
type Named struct {
	remote.Target
	Name, Group string
}

// ParseTargets reads a list HOST:PORT[/NAME],... of engines. If list is the name of a file, it
// reads lines of HOST:PORT[/NAME] [GROUP] from the file. Errors name the line.
func ParseTargets(list string) (targets []Named, err error) {
	text, err := os.ReadFile(list)
	if err != nil {
		text = []byte(strings.ReplaceAll(list, ",", "\n"))
	}
	seen := map[string]bool{}
	in := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; in.Scan(); n++ {
		words := strings.Fields(in.Text())
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		t, err := parseTarget(words)
		if err == nil && seen[t.Name] {
			err = fmt.Errorf("duplicate engine %s", t.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("engines, line %d: %w", n, err)
		}
		seen[t.Name] = true
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("engines %q: empty: want a file, or HOST:PORT,HOST:PORT/NAME", list)
	}
	return targets, in.Err()
}

func parseTarget(words []string) (t Named, err error) {
	if len(words) > 2 {
		return t, fmt.Errorf("%d words: want HOST:PORT[/NAME] [GROUP]", len(words))
	}
	t.Name = words[0]
	t.Address, t.Target.Name, _ = strings.Cut(words[0], "/")
	if host, port, err := net.SplitHostPort(t.Address); err != nil || host == "" || port == "" {
		return t, fmt.Errorf("engine %q: want HOST:PORT or HOST:PORT/NAME", words[0])
	}
	if len(words) == 2 {
		t.Group = words[1]
	}
	return t, nil
}

// LocalFor returns the address of this machine from which an engine is reached. A node that follows
// the engine should listen there.
func LocalFor(address string) (string, error) {
	c, err := net.DialTimeout("udp", address, time.Second) // nothing is sent
	if err != nil {
		return "", fmt.Errorf("engine %s: %w", address, err)
	}
	defer c.Close()
	host, _, err := net.SplitHostPort(c.LocalAddr().String())
	return host, err
}
