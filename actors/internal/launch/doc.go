// Package launch starts the processes of workers, one of them ahead as a spare, and makes the
// segments of shared memory that belong to one worker.
package launch
