package report

import "log/slog"

func (WorkerReady) Level() slog.Level    { return slog.LevelInfo }
func (WorkerEnded) Level() slog.Level    { return slog.LevelWarn }
func (WorkerKilled) Level() slog.Level   { return slog.LevelWarn }
func (WorkerDiverged) Level() slog.Level { return slog.LevelError } // memory or a module is unreliable
func (WorkerFailed) Level() slog.Level   { return slog.LevelError } // redundancy is missing
func (Flipped) Level() slog.Level        { return slog.LevelWarn }

func (AudioOpened) Level() slog.Level   { return slog.LevelInfo }
func (Unheard) Level() slog.Level       { return slog.LevelWarn }
func (AudioEnded) Level() slog.Level    { return slog.LevelError } // silence until a device plays again
func (DeviceXrun) Level() slog.Level    { return slog.LevelWarn }
func (DeviceOverrun) Level() slog.Level { return slog.LevelWarn }
func (LeadChanged) Level() slog.Level   { return slog.LevelInfo }

func (e DeviceProblem) Level() slog.Level {
	if e.Problem == "" {
		return slog.LevelInfo
	}
	return slog.LevelError
}

func (PatchChanged) Level() slog.Level   { return slog.LevelInfo }
func (PatchReverted) Level() slog.Level  { return slog.LevelError }
func (Quarantined) Level() slog.Level    { return slog.LevelError }
func (NodeBypassed) Level() slog.Level   { return slog.LevelError }
func (PatchAbandoned) Level() slog.Level { return slog.LevelError }
func (NodeReset) Level() slog.Level      { return slog.LevelWarn }
func (OutputLimited) Level() slog.Level  { return slog.LevelWarn }

func (TookOver) Level() slog.Level    { return slog.LevelWarn }
func (Resumed) Level() slog.Level     { return slog.LevelInfo }
func (SaveFailed) Level() slog.Level  { return slog.LevelError } // a crash now loses the state
func (ActorFailed) Level() slog.Level { return slog.LevelError }
