// Package plans numbers the patches that an engine plays, and remembers which one plays, which were
// before it, which crashed workers, and which to fall back to.
//
// Texts of plans lie in shared memory, where workers read them. The package has no lock and starts
// nothing: replica.Set guards a Registry with its own lock and acts on what it returns.
package plans
