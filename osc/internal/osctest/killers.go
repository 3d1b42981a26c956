package osctest

import (
	_ "embed"
	"strconv"
	"strings"
	"testing"
)

//go:embed killers.txt
var killersText string

// Killer is a line of killers.txt: a packet that ends, mutes or slows down some OSC server.
type Killer struct {
	Name             string
	Packet           []byte
	Messages, Faults int // found by Decode
}

// Killers returns the packets of killers.txt. The head of that file describes its format.
func Killers(t testing.TB) (list []Killer) {
	t.Helper()
	for n, line := range strings.Split(killersText, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		k, ok := parseKiller(line)
		if !ok {
			t.Fatalf("killers.txt:%d: %s", n+1, line)
		}
		k.Name = "line " + strconv.Itoa(n+1) + k.Name
		list = append(list, k)
	}
	if len(list) < 40 {
		t.Fatalf("only %d packets", len(list))
	}
	return list
}

// parseKiller reads one line.
func parseKiller(line string) (k Killer, ok bool) {
	around, times := "", 0
	for _, word := range []string{"nest", "bundle"} {
		if rest, found := strings.CutPrefix(line, word); found {
			around = word
			if times, line, ok = repeat(rest); !ok {
				return k, false
			}
		}
	}
	var packet strings.Builder
	for line = strings.TrimLeft(line, " "); strings.HasPrefix(line, `"`); line = strings.TrimLeft(line, " ") {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return k, false
		}
		part, _ := strconv.Unquote(quoted)
		n := 1
		if line = line[len(quoted):]; strings.HasPrefix(line, "*") {
			if n, line, ok = repeat(line); !ok {
				return k, false
			}
		}
		packet.WriteString(strings.Repeat(part, n))
	}
	k.Packet = []byte(packet.String())
	switch around {
	case "nest":
		k.Packet = nest(times, packet.String())
	case "bundle":
		k.Packet = []byte(Bundle(strings.Split(strings.Repeat(packet.String()+"|", times-1)+packet.String(), "|")...))
	}
	return k, k.expect(line)
}

// repeat reads *n.
func repeat(s string) (n int, rest string, ok bool) {
	end := 1
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[1:end])
	return n, s[end:], err == nil && s[0] == '*'
}

// nest puts a message into n bundles.
func nest(n int, message string) []byte {
	var b strings.Builder
	for size := len(message) + 20*(n-1); n > 0; n, size = n-1, size-20 {
		b.WriteString("#bundle\x00" + Be64(1) + Be32(uint32(size)))
	}
	return []byte(b.String() + message)
}

// expect reads the comment of a line.
func (k *Killer) expect(comment string) (ok bool) {
	words := strings.SplitN(comment, " ", 4)
	if len(words) < 3 || words[0] != "#" {
		return false
	}
	var err1, err2 error
	k.Messages, err1 = strconv.Atoi(words[1])
	k.Faults, err2 = strconv.Atoi(words[2])
	if len(words) == 4 {
		k.Name = ", " + words[3]
	}
	return err1 == nil && err2 == nil
}
