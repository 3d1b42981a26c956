// Package fault classifies how workers ended, and decides by how much the engine must escalate: to
// start a worker again, to leave out commands, a node, or the patch.
//
// A command, the state of a node, or a whole patch can crash every worker that renders it. The
// status of a worker that crashed by itself says which block and node it was rendering. The next
// active worker leaves out the commands that entered with that block (SKIP). If that does not help,
// and all workers have crashed, the Tracker decides: the commands first, then the node, then the
// patch.
//
// The package has no lock and no effects. A Tracker decides; replica.Set, which guards it with its
// own lock, acts. See decision 9.
package fault
