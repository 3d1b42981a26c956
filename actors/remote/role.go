package remote

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/music-chronus/chronus/actors/pb"
)

// Role says what a peer may do. Each role includes the earlier ones.
type Role int

// The roles. Watch reads reports, Play plays notes and sets parameters, and Operate flips, changes
// patches, mutes and writes tapes.
const (
	Nobody Role = iota
	Watch
	Play
	Operate
)

var roleNames = []string{"nobody", "watch", "play", "operate"}

// String returns the role's name.
func (r Role) String() string {
	if r < Nobody || r > Operate {
		return fmt.Sprintf("role %d", int(r))
	}
	return roleNames[r]
}

// ParseRole returns the role of a name.
func ParseRole(name string) (Role, error) {
	if i := slices.Index(roleNames, name); i >= 0 {
		return Role(i), nil
	}
	return Nobody, fmt.Errorf("role %q: want nobody, watch, play or operate", name)
}

// CertRole returns the highest role among the organizational units (OU) of a certificate.
func CertRole(c *x509.Certificate) (role Role) {
	for _, ou := range c.Subject.OrganizationalUnit {
		if r, err := ParseRole(ou); err == nil {
			role = max(role, r)
		}
	}
	return role
}

// Tokens maps the SHA-256 of tokens to roles, for peers whose certificate does not name a role.
type Tokens map[[sha256.Size]byte]Role

// minToken is the least length of a token, in bytes.
const minToken = 16

// ParseTokens reads lines of a role and a token. It ignores empty lines and lines that begin with
// #.
func ParseTokens(text []byte) (Tokens, error) {
	t := Tokens{}
	in := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, token, _ := strings.Cut(line, " ")
		role, err := ParseRole(name)
		token = strings.TrimSpace(token)
		if err == nil && len(token) < minToken {
			err = fmt.Errorf("token too short: want at least %d characters", minToken)
		}
		if err != nil {
			return nil, fmt.Errorf("tokens, line %d: %w", n, err)
		}
		t[sha256.Sum256([]byte(token))] = role
	}
	return t, in.Err()
}

// role returns the role of a token. It compares with all tokens in constant time.
func (t Tokens) role(token string) (role Role, ok bool) {
	sum := sha256.Sum256([]byte(token))
	for hash, r := range t {
		if subtle.ConstantTimeCompare(hash[:], sum[:]) == 1 {
			role, ok = r, true
		}
	}
	return role, ok
}

// needs returns the lowest role that may send a request.
func needs(r *pb.Request) Role {
	switch r.Do.(type) {
	case *pb.Request_Watch, *pb.Request_Unwatch, *pb.Request_GetStatus:
		return Watch
	case *pb.Request_NoteOn, *pb.Request_NoteOff, *pb.Request_SetParam, *pb.Request_SetGate, *pb.Request_Send,
		*pb.Request_Transport:
		return Play
	}
	return Operate
}
