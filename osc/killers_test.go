package osc

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killer is a line of testdata/killers.txt.
type killer struct {
	name             string
	packet           []byte
	messages, faults int // what Decode finds
}

// killers reads testdata/killers.txt, whose head tells its form.
func killers(t testing.TB) (list []killer) {
	t.Helper()
	text, err := os.ReadFile("testdata/killers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		k, ok := parseKiller(line)
		if !ok {
			t.Fatalf("testdata/killers.txt:%d: %s", n+1, line)
		}
		k.name = "line " + strconv.Itoa(n+1) + k.name
		list = append(list, k)
	}
	if len(list) < 40 {
		t.Fatalf("only %d packets", len(list))
	}
	return list
}

// parseKiller reads one line.
func parseKiller(line string) (k killer, ok bool) {
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
	k.packet = []byte(packet.String())
	switch around {
	case "nest":
		k.packet = nest(times, packet.String())
	case "bundle":
		k.packet = []byte(bundle(strings.Split(strings.Repeat(packet.String()+"|", times-1)+packet.String(), "|")...))
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
		b.WriteString("#bundle\x00" + be64(1) + be32(uint32(size)))
	}
	return []byte(b.String() + message)
}

// expect reads the comment of a line.
func (k *killer) expect(comment string) (ok bool) {
	words := strings.SplitN(comment, " ", 4)
	if len(words) < 3 || words[0] != "#" {
		return false
	}
	var err1, err2 error
	k.messages, err1 = strconv.Atoi(words[1])
	k.faults, err2 = strconv.Atoi(words[2])
	if len(words) == 4 {
		k.name = ", " + words[3]
	}
	return err1 == nil && err2 == nil
}

// Each of the packets is decoded to what it holds, and shown, at once.
func TestDecodeKillers(t *testing.T) {
	for _, k := range killers(t) {
		began := time.Now()
		messages, wrong := seen(k.packet)
		if len(messages) != k.messages || len(wrong) != k.faults {
			t.Errorf("%s: %d messages and %d faults, not %d and %d: %.3v", k.name, len(messages), len(wrong), k.messages, k.faults, wrong)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: %v", k.name, took)
		}
	}
}

// After each of the packets the server answers the next request, whatever both come over; it has seen all that the packet
// holds, and answered no more than it may.
func TestServerSurvivesKillers(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			s, _ := serve(t, answers(testSpace(t)))
			c := connect(t, s, transport)
			d := Decoder{Most: MaxStream}
			for _, k := range killers(t) {
				switch {
				case transport == "udp" && len(k.packet) > MaxPacket:
					continue // the kernel refuses it
				case len(k.packet) > MaxStream: // its connection ends; there are others
					_ = c.write(k.packet)
					for c.receive(patience) != nil {
					}
					c = connect(t, s, transport)
					continue
				case transport != "udp" && len(k.packet) > MaxPacket: // it may be longer here
					k.messages, k.faults = 0, 0
					d.Decode(k.packet, func(*Message) { k.messages++ }, func(*DecodeError) { k.faults++ })
				case transport == "tcp slip" && len(k.packet) == 0:
					k.faults = 0 // it does not exist
				}
				survive(t, s, c, k)
			}
		})
	}
}

func survive(t *testing.T, s *Server, c *client, k killer) {
	t.Helper()
	before := s.Stats()
	c.send(k.packet)
	c.send(encode(t, "/engine/status"))
	for answered := false; !answered; {
		p := c.receive(patience)
		if p == nil {
			t.Fatalf("%s: no answer", k.name)
		}
		if len(p) > 572 {
			t.Errorf("%s is answered with %d bytes", k.name, len(p))
		}
		got, _ := seen(p)
		answered = len(got) == 1 && got[0] == `/done "/engine/status"`
	}
	after := s.Stats()
	if n := after.Messages - before.Messages; n != uint64(k.messages)+1 {
		t.Errorf("%s: %d messages, not %d", k.name, n-1, k.messages)
	}
	if n := sum(after.Malformed) - sum(before.Malformed); n != uint64(k.faults) {
		t.Errorf("%s: %d faults, not %d", k.name, n, k.faults)
	}
}

func sum(counts map[string]uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}
