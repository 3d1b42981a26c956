//go:build !sim

package worker

// yield stands where the loop and the maker meet. It is nothing, but in a simulation (sim.go), where the other of them may go on there.
func yield() {}
