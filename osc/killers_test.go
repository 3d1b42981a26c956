package osc_test

import (
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc/internal/osctest"
)

// Decode finds the messages and faults of each killer within a second.
func TestDecodeKillers(t *testing.T) {
	for _, k := range osctest.Killers(t) {
		began := time.Now()
		messages, wrong := osctest.Seen(k.Packet)
		if len(messages) != k.Messages || len(wrong) != k.Faults {
			t.Errorf("%s: %d messages and %d faults, not %d and %d: %.3v", k.Name, len(messages), len(wrong), k.Messages, k.Faults, wrong)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: %v", k.Name, took)
		}
	}
}
