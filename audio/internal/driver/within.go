package driver

import (
	"errors"
	"fmt"
	"time"
)

// How long a driver may take to stop. Some drivers never return once their device is lost, so a
// device that is known to be lost gets less time.
const (
	stopTimeout     = 2 * time.Second
	stopTimeoutLost = 200 * time.Millisecond
)

// StopTimeout returns how long a driver may take to stop or close. lost means that its device is
// known to be lost.
func StopTimeout(lost bool) time.Duration {
	if lost {
		return stopTimeoutLost
	}
	return stopTimeout
}

// ErrNoAnswer is wrapped by the error of Within if f has not returned in time.
var ErrNoAnswer = errors.New("the driver has not answered")

// Within calls f and waits for it, for at most limit. After that f goes on by itself.
func Within(limit time.Duration, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("%w for %v", ErrNoAnswer, limit)
	}
}
