package server

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/music-chronus/chronus/osc"
)

// Access says who may do what. This machine may always do everything, by its loopback addresses.
type Access struct {
	Allow []netip.Prefix // the other machines that are heard at all
	Token string         // what /auth must bring from them for a Guarded entry; "": nothing gives them those
}

// The least and the most that a token has, in bytes: one that is shorter can be guessed.
const (
	leastToken = 16
	mostToken  = 256
)

// ParseAllow reads networks like 192.168.1.0/24, and single addresses.
func ParseAllow(list []string) (allow []netip.Prefix, err error) {
	for _, word := range list {
		p, err := netip.ParsePrefix(word)
		if a, aerr := netip.ParseAddr(word); aerr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no network: it must be like 192.168.1.0/24, fd00::/8 or 192.168.1.7", word)
		}
		if a := p.Addr(); a.Is4In6() { // senders are compared in their short form
			p = netip.PrefixFrom(a.Unmap(), max(p.Bits()-96, 0))
		}
		allow = append(allow, p.Masked())
	}
	return allow, nil
}

// ReadToken reads a token from a file that not everybody can read.
func ReadToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("token file %s: everybody on this machine may use it: chmod 600 %s", path, path)
	}
	if info.Size() > 2*mostToken {
		return "", fmt.Errorf("token file %s: it has %d bytes, and must have %d to %d", path, info.Size(), leastToken, mostToken)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if err := checkToken(token); err != nil {
		return "", fmt.Errorf("token file %s: %w", path, err)
	}
	return token, nil
}

func checkToken(token string) error {
	if len(token) < leastToken || len(token) > mostToken {
		return fmt.Errorf("the token has %d bytes, and must have %d to %d: head -c 24 /dev/urandom | base64 makes one", len(token), leastToken, mostToken)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the token must be printable ASCII without spaces: head -c 24 /dev/urandom | base64 makes one")
	}
	return nil
}

// check says what is wrong.
func (a Access) check(host netip.Addr) error {
	if !host.IsLoopback() && len(a.Allow) == 0 {
		return fmt.Errorf("other machines reach %v: say which of them may play, with --osc-allow 192.168.1.0/24 or the like", host)
	}
	if a.Token != "" {
		return checkToken(a.Token)
	}
	return nil
}

// Allows tells whether an address is listened to.
func (a Access) Allows(from netip.Addr) bool {
	if from.IsLoopback() {
		return true
	}
	from = from.WithZone("") // prefixes have none
	for _, p := range a.Allow {
		if p.Contains(from) {
			return true
		}
	}
	return false
}

// authenticate answers /auth token. Wrong ones that come by UDP are counted by themselves, since their address may be forged: by a connection its
// machine comes in all the same. Who has shown the token already is never held up, so that forged ones do not keep it from showing it again in time.
func (s *Server) authenticate(m *osc.Message, from Peer) {
	const address = "/auth"
	if s.access.Token == "" {
		_ = from.Fail(address, "this engine has no token: it is started with --osc-token-file for one")
		return
	}
	if len(m.Args) != 1 || m.Args[0].Tag != 's' && m.Args[0].Tag != 'S' {
		_ = from.Fail(address, "it takes the token, a string")
		return
	}
	throttle := &s.auth.udp
	if from.Stream() {
		throttle = &s.auth.stream
	}
	right := subtle.ConstantTimeCompare(m.Args[0].Bytes, []byte(s.access.Token)) == 1
	known := !from.Local() && from.Trusted()
	switch {
	case !known && throttle.Blocked(from.addr.Addr(), right, s.now()):
		_ = from.Fail(address, "too many wrong tokens: wait a second")
	case !right:
		_ = from.Fail(address, "this is not the token")
	default:
		if from.via.trust(from.addr); !from.Trusted() {
			_ = from.Fail(address, "too many send at once for it to be noted: try again, or by TCP")
			return
		}
		_ = from.Reply("/done", address)
	}
}
