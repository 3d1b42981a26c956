package sample

// Bounds and formats for tests.
const (
	MinRate, MaxRate = minRate, maxRate
	Loudest          = loudest
	WAVExtensible    = wavExtensible
	WAVGUID          = wavGUID
)
