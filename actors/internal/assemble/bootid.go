package assemble

import (
	"crypto/rand"
	"encoding/hex"
)

// NewBootID returns a name for one life of an engine.
func NewBootID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
