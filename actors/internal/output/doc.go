// Package output runs the audio process: it starts the process and its spare, connects to it, asks
// it for a device, and looks for the preferred device while another one plays.
//
// The audio process reads the rings of the workers and moves the clock. [Process] implements
// replica.Output, which is all that the workers know of the device. Lock order: the lock of
// replica.Set, then that of Process. Process never calls the Set while it holds its own lock.
package output
