// Package sys wraps the Linux calls that Chronus needs and the standard library lacks: sealed
// memory files, futexes, process descriptors, real-time scheduling, locked pages, and sockets that
// carry descriptors. It knows neither rings nor workers; package shm builds those on it.
package sys
