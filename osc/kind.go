package osc

import (
	"fmt"
	"slices"
	"strings"
)

// kinds returns the names of the kinds, by Kind.
func kinds() []string {
	return []string{"number", "name", "gate", "query", "key", "text", "list", "words"}
}

// String returns the kind's name: number, name, gate, query, key, text, list or words.
func (k Kind) String() string {
	if all := kinds(); k >= 0 && int(k) < len(all) {
		return all[k]
	}
	return fmt.Sprintf("kind %d", int(k))
}

// MarshalText returns the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText sets k to the kind with a name.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kinds(), string(text))
	if i < 0 {
		return fmt.Errorf("kind %.64q: unknown; the kinds are %s", text, strings.Join(kinds(), ", "))
	}
	*k = Kind(i)
	return nil
}
