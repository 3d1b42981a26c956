package limits_test

import (
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/limits"
)

// A device cannot do everything that a user may ask for.
func TestDeviceFlags(t *testing.T) {
	for _, tt := range []struct {
		cfg  limits.Request
		want string // in the error; "": none
	}{
		{limits.Request{Period: 256, Channels: 64, ClientName: "stage left"}, ""},
		{limits.Request{Channels: 65}, "channels 65 is outside 1 to 64"},
		{limits.Request{Period: 15}, "period 15 is outside 16 to 4096"},
		{limits.Request{Period: 4097}, "period 4097 is outside"},
		{limits.Request{ClientName: "a:b"}, `client name "a:b"`},
		{limits.Request{ClientName: strings.Repeat("x", 33)}, "at most 32 bytes"},
	} {
		tt.cfg.Rate, tt.cfg.Block, tt.cfg.Guard, tt.cfg.Replicas = 48000, 64, 2, 2
		if tt.cfg.Channels == 0 {
			tt.cfg.Channels = 2
		}
		_, err := tt.cfg.Geometry()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v, want %q", tt.cfg, err, tt.want)
		}
	}
}
