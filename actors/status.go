package actors

import (
	"crypto/rand"
	"encoding/hex"
	"runtime/debug"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/shm"
)

// The values of package report that appear in signatures of this package.
type (
	// Event reports something that happened. Package report has all kinds.
	Event = report.Event
	// Status describes an engine at one moment.
	Status = report.Status
	// Commit is a patch change that was carried out.
	Commit = report.Commit
)

// newBootID returns a name for one life of an engine.
func newBootID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Version returns the version of this module, as Go's build records it.
func Version() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, d := range append(b.Deps, &b.Main) {
			if d.Path == "github.com/music-chronus/chronus" && d.Version != "" {
				return d.Version
			}
		}
	}
	return "(devel)"
}

// sign adds to a Status what does not change while the engine lives.
func (e *Engine) sign(st *Status) {
	st.Since, st.BootID, st.Warnings = e.since, e.bootID, e.resources.Warnings
	st.Version, st.Protocol = Version(), shm.Version
}
