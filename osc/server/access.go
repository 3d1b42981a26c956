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

// Access says which machines may do what. Programs of this machine may do everything, by its
// loopback addresses.
type Access struct {
	Allow []netip.Prefix // other machines that are heard
	Token string         // shown by /auth, it lets them use addresses that require it; "": none may
}

// The length of a token in bytes: a shorter one can be guessed.
const (
	minToken = 16
	maxToken = 256
)

// ParseAllow parses networks like 192.168.1.0/24, and single addresses.
func ParseAllow(list []string) (allow []netip.Prefix, err error) {
	for _, word := range list {
		p, err := netip.ParsePrefix(word)
		if a, aerr := netip.ParseAddr(word); aerr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("network %q: invalid; use 192.168.1.0/24, fd00::/8 or 192.168.1.7, for example", word)
		}
		if a := p.Addr(); a.Is4In6() { // Allows compares addresses in their short form
			p = netip.PrefixFrom(a.Unmap(), max(p.Bits()-96, 0))
		}
		allow = append(allow, p.Masked())
	}
	return allow, nil
}

// ReadToken reads a token from a file. The file must not be accessible by all users of this
// machine.
func ReadToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("token file %s: accessible by all users of this machine; run chmod 600 %s", path, path)
	}
	if info.Size() > 2*maxToken {
		return "", fmt.Errorf("token file %s: %d bytes; want %d to %d", path, info.Size(), minToken, maxToken)
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
	if len(token) < minToken || len(token) > maxToken {
		return fmt.Errorf("token of %d bytes; want %d to %d; make one with head -c 24 /dev/urandom | base64",
			len(token), minToken, maxToken)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("token must be printable ASCII without spaces; make one with head -c 24 /dev/urandom | base64")
	}
	return nil
}

func (a Access) check(host netip.Addr) error {
	if !host.IsLoopback() && len(a.Allow) == 0 {
		return fmt.Errorf("other machines reach %v: list those that may play with --osc-allow, "+
			"like --osc-allow 192.168.1.0/24", host)
	}
	if a.Token != "" {
		return checkToken(a.Token)
	}
	return nil
}

// Allows reports whether packets and connections from an address are accepted.
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

// The refusals of /auth.
var (
	errNoToken       = osc.Refuse(osc.CodeUnavailable, "engine has no token: start it with --osc-token-file")
	errAuthArgs      = osc.Refuse(osc.CodeBadArgument, "want the token, a string")
	errAuthThrottled = osc.Refuse(osc.CodeRateLimited, "too many wrong tokens: wait a second")
	errWrongToken    = osc.Refuse(osc.CodeUnauthorized, "wrong token")
	errAuthTable     = osc.Refuse(osc.CodeBusy, "too many senders to remember the token: try again, or use TCP")
)

// authenticate answers /auth token. Wrong tokens over UDP are throttled apart from those of
// connections, since their address may be forged: a client that is throttled over UDP can still use
// TCP. A client that has shown the token is never throttled, so that forged guesses do not keep it
// from renewing.
func (s *Server) authenticate(m *osc.Message, from Peer) {
	const address = "/auth"
	if s.access.Token == "" {
		_ = from.Fail(address, errNoToken)
		return
	}
	if len(m.Args) != 1 || m.Args[0].Tag != 's' && m.Args[0].Tag != 'S' {
		_ = from.Fail(address, errAuthArgs)
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
		_ = from.Fail(address, errAuthThrottled)
	case !right:
		_ = from.Fail(address, errWrongToken)
	default:
		if from.via.trust(from.addr); !from.Trusted() {
			_ = from.Fail(address, errAuthTable)
			return
		}
		_ = from.Reply("/done", address)
	}
}
